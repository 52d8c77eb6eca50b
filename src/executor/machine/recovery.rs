//! A machine from the records of another, after a crash.
//!
//! What was only queued is queued again. What may have been sent counts as a try whose answer was lost. What Lambda
//! accepted is RUNNING. A final event that was not acknowledged is handed out again; its message, if SQS still has it, is
//! deleted when it arrives.

use super::tasks::{Adopted, Ended, TaskId};
use super::{AcceptedTask, Lsn, Machine, Record, TaskName};
use crate::executor::event::Event;
use crate::executor::machine::events::Waiting;
use crate::executor::ports::{Now, RouteId};
use crate::executor::settings::Settings;
use crate::executor::wire::Prepared;
use std::collections::HashMap;
use std::sync::Arc;

/// What the records say of one task.
#[derive(Debug, Default)]
struct Known {
    order: usize,
    accepted: Option<AcceptedTask>,
    adopted: Option<(u64, RouteId, u64)>,
    /// Recorded Invokes without a record that Lambda did not accept them.
    open_tries: u32,
    running: Option<(Arc<str>, i64, u32)>,
    resubmitted: bool,
    ended: Option<Arc<Event>>,
    acknowledged: bool,
}

impl Machine {
    /// A machine that goes on where the records end. Its own records continue after position `last`.
    pub(crate) fn recover(settings: Arc<Settings>, now: Now, records: Vec<Record>) -> Self {
        let last = records.len() as Lsn;
        let mut known: HashMap<TaskName, Vec<Known>> = HashMap::new();
        for (order, record) in records.into_iter().enumerate() {
            note(&mut known, order, record);
        }
        let all = known.into_iter().flat_map(|(name, tasks)| tasks.into_iter().map(move |known| (name.clone(), known)));
        let mut tasks: Vec<(TaskName, Known)> = all.collect();
        tasks.sort_by_key(|(_, known)| known.order);
        let mut machine = Self::new(settings, now, true);
        machine.records.continue_after(last);
        for (name, known) in tasks {
            machine.restore(name, known);
        }
        machine
    }

    fn restore(&mut self, name: TaskName, known: Known) {
        if known.acknowledged {
            // Its message may still be there: it is deleted and does not circulate.
            self.tasks.remember(name.attempt);
            return;
        }
        let now = self.now;
        if let Some(event) = known.ended {
            let route = known.accepted.map(|task| task.route).or(known.adopted.map(|(_, route, _)| route));
            self.restore_ended(name, route.unwrap_or_default(), event);
        } else if let Some(accepted) = known.accepted {
            let route = accepted.route;
            let id = self.tasks.accept(prepared(accepted, now), now);
            if self.settings.routes.get(route).is_some_and(|route| route.batch_size > 1) {
                self.tasks.keep_payload(id);
            }
            if known.resubmitted {
                self.tasks.restore_resubmitted(id);
            }
            self.tasks.restore_unsure(id, known.open_tries);
            match known.running {
                Some((request_id, submitted_at_ms, attempts)) => {
                    let limit = self.limit_of(id);
                    let deadline = self.deadline_after_predecessor_ms(limit);
                    self.tasks.restore_running(id, now, &request_id, submitted_at_ms, attempts, deadline);
                    self.submission.adopted(route);
                }
                None if known.open_tries >= self.settings.max_invoke_attempts => {
                    let deadline = self.deadline_after_predecessor_ms(self.limit_of(id));
                    self.tasks.restore_awaiting(id, now, deadline);
                    self.submission.adopted(route);
                }
                None if known.open_tries > 0 || known.resubmitted => self.submission.enqueue_restored(id, route),
                None => self.submission.enqueue(id, route),
            }
        } else if let Some((tag, route, result_timeout_ms)) = known.adopted {
            let limit = self.result_timeout_ms(route, result_timeout_ms);
            let deadline = self.deadline_after_predecessor_ms(limit);
            let TaskName { key, attempt } = name;
            self.tasks.adopt(Adopted { key, tag, route, attempt, result_timeout_ms, deadline }, now);
            self.submission.adopted(route);
        }
    }

    fn restore_ended(&mut self, name: TaskName, route: RouteId, event: Arc<Event>) {
        let TaskName { key, attempt } = name;
        let adopted = Adopted { key, tag: event.tag, route, attempt, result_timeout_ms: 0, deadline: u64::MAX };
        let id: TaskId = self.tasks.adopt(adopted, self.now);
        let ended = Ended {
            state: event.state,
            reason: event.reason.unwrap_or(crate::executor::task::Reason::Lost),
            return_code: event.return_code,
            message: event.message.as_str().into(),
            request_id: event.request_id.as_str().into(),
            finished_at_ms: event.finished_at_ms,
            accepted: false,
        };
        self.tasks.end(id, ended);
        self.events.push(Waiting::Final { task: id, event, delivery: None });
    }
}

fn note(known: &mut HashMap<TaskName, Vec<Known>>, order: usize, record: Record) {
    let name = match &record {
        Record::Accepted(task) => task.task.clone(),
        Record::Adopted { task, .. } | Record::Running { task, .. } | Record::Ended { task, .. } => task.clone(),
        Record::Submitting(task)
        | Record::NotAccepted(task)
        | Record::Resubmitted(task)
        | Record::Acknowledged(task) => task.clone(),
    };
    let tasks = known.entry(name).or_default();
    match &record {
        // A name may come again once the final event of its task was handed out, acknowledged or not.
        Record::Accepted(task) => {
            return tasks.push(Known { order, accepted: Some((**task).clone()), ..Known::default() });
        }
        Record::Adopted { tag, route, result_timeout_ms, .. } => {
            let adopted = Some((*tag, *route, *result_timeout_ms));
            return tasks.push(Known { order, adopted, ..Known::default() });
        }
        Record::Acknowledged(_) => {
            if let Some(ended) = tasks.iter_mut().find(|known| known.ended.is_some() && !known.acknowledged) {
                ended.acknowledged = true;
            }
            return;
        }
        _ => {}
    }
    let Some(entry) = tasks.last_mut() else { return };
    match record {
        Record::Submitting(_) => entry.open_tries += 1,
        // That try counts no more; others whose answer was lost still do.
        Record::Resubmitted(_) => {
            (entry.running, entry.resubmitted) = (None, true);
            entry.open_tries = entry.open_tries.saturating_sub(1);
        }
        Record::NotAccepted(_) => entry.open_tries = entry.open_tries.saturating_sub(1),
        Record::Running { request_id, submitted_at_ms, attempts, .. } => {
            entry.running = Some((request_id, submitted_at_ms, attempts));
        }
        Record::Ended { event, .. } => entry.ended = Some(event),
        Record::Accepted(_) | Record::Adopted { .. } | Record::Acknowledged(_) => {}
    }
}

fn prepared(task: AcceptedTask, now: Now) -> Prepared {
    // The rest of its time by the wall clock: the clock that counted it is gone.
    let max_wait_ms = match task.expires_at_ms {
        0 => 0,
        at => u64::try_from(at.saturating_sub(now.unix_ms)).unwrap_or(0).max(1),
    };
    let TaskName { key, attempt } = task.task;
    Prepared {
        key,
        tag: task.tag,
        route: task.route,
        attempt: attempt.unwrap_or_else(|| unreachable!("only adopted tasks have no attempt")),
        attempt_is_hosts: true,
        payload: task.payload,
        qualifier: task.qualifier,
        max_wait_ms,
        result_timeout_ms: task.result_timeout_ms,
    }
}
