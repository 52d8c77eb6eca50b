//! What must be true after every step, of every action, and of every event (design, section 3).

use super::world::{About, Call, World};
use crate::executor::core::batches::CALLS;
use crate::executor::core::{Action, DeleteEntry, Phase, ReleaseEntry, StartupCheck};
use crate::executor::event::Event;
use crate::executor::ports::{InvokeRequest, QueueId, ReceiveRequest};
use crate::executor::settings::QueueKind;
use crate::executor::task::{Reason, TaskState};
use std::collections::HashMap;

impl World {
    /// Of an action, at the moment it is asked for.
    pub(super) fn check_action(&mut self, action: &Action) {
        match action {
            Action::Invoke { task, request, .. } => self.check_invoke(*task, request),
            Action::Receive(request) => self.check_receive(*request),
            Action::Delete { queue, entries } => self.check_delete(*queue, entries),
            Action::ChangeVisibility { queue, entries } => self.check_visibility(*queue, entries),
            Action::CheckHealth => {}
        }
    }

    fn check_invoke(&mut self, id: u64, request: &InvokeRequest) {
        let now = self.now.mono_ms;
        let index = self.model.index_of(id);
        self.model.seen.invoke += 1;
        let in_flight = 1 + self.calls.iter().filter(|call| is_invoke(call, request.route)).count();
        let settings = &self.settings.routes[request.route];
        assert!(!self.model.shut_down, "Invoke after shut_down");
        assert!(in_flight <= settings.max_concurrent_invokes, "{in_flight} Invokes at once");
        let route = &mut self.model.routes[request.route];
        assert!(!route.outage || in_flight == 1, "more than one probe in an outage");
        let most = settings.max_running_tasks;
        assert!(most == 0 || self.core.routes[request.route].active <= most, "max_running_tasks is not kept");
        assert!(matches!(self.core.startup, StartupCheck::Passed), "Invoke before the check at start has passed");
        if self.core.credentials.is_some() {
            assert_eq!(self.core.submitting, 1, "more than one Invoke while credentials are refused");
        }
        if settings.max_invokes_per_second > 0 {
            route.recent.retain(|at| at + 1_000 > now);
            route.recent.push_back(now);
            let most = settings.max_invokes_per_second as usize;
            let seen = route.recent.len();
            assert!(seen <= most + (most / 10).max(1), "{seen} Invokes in a second, {most} allowed");
        }
        let task = &mut self.model.tasks[index];
        assert!(!task.cancelled, "a cancelled task is invoked");
        assert!(task.ended.is_none(), "a finished task is invoked");
        assert!(task.attempts < self.settings.max_invoke_attempts, "more attempts than max_invoke_attempts");
        if let Some(failed_at) = task.failed_at {
            let least = contract_ms(task.attempts) * 3 / 4;
            assert!(now >= failed_at + least, "tried again after {} ms, not {least}", now - failed_at);
        }
        assert!(task.max_wait_ms == 0 || now < task.queued_at + task.max_wait_ms, "invoked after its max_wait_ms");
        task.first_invoked_at.get_or_insert(now);
        let attempt = task.attempt.map(|attempt| attempt.to_string()).unwrap_or_default();
        let payload = String::from_utf8_lossy(&request.payload);
        assert!(payload.contains(&format!(r#""attempt_id":"{attempt}""#)), "{payload}");
        assert!(payload.contains(&format!(r#""task_key":"{}""#, task.key)), "{payload}");
    }

    fn check_receive(&mut self, request: ReceiveRequest) {
        self.model.seen.receive += 1;
        assert_eq!((request.max_messages, request.visibility_s), (10, 60));
        let of_queue = |call: &Call| matches!(call.action, Action::Receive(other) if other.queue == request.queue);
        let others = self.calls.iter().any(of_queue);
        assert!(request.wait_s == 20 || (request.wait_s == 0 && others), "{request:?}");
        assert!(!self.model.shut_down, "Receive after shut_down");
        assert!(self.core.submitting + self.core.running > 0, "Receive while nothing runs");
        let draining = self.core.phase == Phase::Draining;
        assert!(draining || self.core.held.len() < self.settings.max_unacked_results, "Receive at max_unacked_results");
        let polls =
            self.calls.iter().filter(|call| matches!(call.action, Action::Receive(r) if r.queue == request.queue));
        assert!(polls.count() < 16, "more than 16 polls of a queue");
    }

    fn check_delete(&mut self, queue: QueueId, entries: &[DeleteEntry]) {
        self.model.seen.delete += 1;
        assert!((1..=10).contains(&entries.len()), "{} entries in a batch", entries.len());
        let waiting: Vec<usize> =
            self.core.waiting_events.iter().filter_map(|waiting| super::model::source_of(&waiting.event)).collect();
        for entry in entries {
            let stored = self.of_receipt(&entry.receipt).0;
            stored.delete_asked = true;
            let (about, number) = (stored.about, message_number(&stored.message.message_id));
            assert_eq!(stored.queue, queue, "m{number} is deleted from another queue");
            let unacked = self.model.unacked.values().any(|handed_out| handed_out.source == Some(number));
            assert!(!unacked && !waiting.contains(&number), "m{number} is deleted before its event is acknowledged");
            match about {
                About::Malformed => assert_eq!(self.settings.queues[queue].kind, QueueKind::Results),
                About::Stranger => {
                    let taken = self.model.acked_sources.contains(&number) || self.adopted_key_ended(number);
                    assert!(taken, "a stranger's m{number} is deleted");
                }
                About::Ours { task, .. } => {
                    let ended = self.has_ended(task) || self.adopted_key_ended(number);
                    let acked = self.model.acked_sources.contains(&number);
                    assert!(ended || acked, "m{number} is deleted while its task goes on");
                }
            }
        }
    }

    /// True if the message has the key of a task that was adopted and has ended: such match by key.
    fn adopted_key_ended(&self, number: usize) -> bool {
        let body = &self.messages[number].message.body;
        (0..self.model.tasks.len()).any(|index| {
            let task = &self.model.tasks[index];
            task.matches_by_key() && self.has_ended(index) && body.contains(&format!(r#""task_key":"{}""#, task.key))
        })
    }

    fn has_ended(&self, index: usize) -> bool {
        self.core.table.get(self.model.tasks[index].id).is_none_or(|task| task.state.is_final())
    }

    fn check_visibility(&mut self, queue: QueueId, entries: &[ReleaseEntry]) {
        self.model.seen.visibility += 1;
        assert!((1..=10).contains(&entries.len()), "{} entries in a batch", entries.len());
        let same = |call: &&Call| matches!(call.action, Action::ChangeVisibility { queue: of, .. } if of == queue);
        assert!(self.calls.iter().filter(same).count() < CALLS, "too many changes of visibility at once");
        for entry in entries {
            let now = self.now.mono_ms;
            let (shut_down, most_s) = (self.model.shut_down, self.settings.max_stranger_delay_s);
            let stored = self.of_receipt(&entry.receipt).0;
            let number = message_number(&stored.message.message_id);
            assert_eq!(stored.queue, queue);
            let is_held =
                self.core.held.values().any(|held| held.queue == queue && *held.message_id == format!("m{number}"));
            let stored = &mut self.messages[number];
            if shut_down {
                assert_eq!(entry.seconds, 0, "m{number} is not given back at the end");
            } else if is_held {
                stored.extensions += 1;
                let expected = (60 << (stored.extensions - 1).min(8)).min(600);
                assert_eq!(entry.seconds, expected, "extension {} of m{number}", stored.extensions);
                let half = stored.visible_since.midpoint(stored.visible_at);
                assert!(stored.change_failed || now + 5_000 >= half, "m{number} is extended before half time");
            } else {
                let count = stored.message.receive_count;
                let longer = (0..=6).map(|round| (1 << round).min(most_s));
                let allowed = entry.seconds == 0 || (count > 1 && longer.into_iter().any(|s| s == entry.seconds));
                assert!(allowed, "m{number}, received {count} times, is hidden for {} s", entry.seconds);
            }
        }
    }

    /// Of an event, when the host gets it.
    pub(super) fn check_event(&self, event: &Event, source: Option<usize>) {
        let task = &self.model.tasks[event.tag as usize];
        assert_eq!(task.key, *event.key, "tag and key of an event do not belong together");
        assert!(task.final_event.is_none(), "an event after the final one of `{}`", task.key);
        if event.state == TaskState::Running {
            assert!(self.settings.running_events && !task.adopted, "RUNNING of `{}`", task.key);
            return assert_eq!(event.reason, None);
        }
        assert!(event.state.is_final());
        assert!(event.attempts <= self.settings.max_invoke_attempts);
        let told = task.running_told || !self.settings.running_events || task.adopted;
        let reason = event.reason.expect("a final event has a reason");
        let by_message = matches!(reason, Reason::Exit | Reason::Signal | Reason::DeadLetter);
        assert_eq!(by_message, source.is_some(), "{event:?}");
        assert!(told || !by_message, "no RUNNING before {event:?}");
        assert_eq!(task.cancelled, event.state == TaskState::Cancelled && !self.model.hands_back || task.cancelled);
        match reason {
            Reason::Exit | Reason::Signal | Reason::DeadLetter => {
                let number = source.expect("checked above");
                let ours = self.is_of(number, event.tag as usize);
                assert!(ours, "m{number} ended `{}`, which it is not about: {event:?}", task.key);
            }
            Reason::InvokeFailed => {
                let outage = self.model.routes.iter().any(|route| route.outages > 0);
                let used_up = task.attempts >= self.settings.max_invoke_attempts;
                assert!(used_up || task.refused_for_good || outage, "{event:?}");
            }
            Reason::Expired => assert!(task.max_wait_ms > 0),
            Reason::Abandoned => assert!(task.cancelled || self.model.hands_back),
            Reason::NeverInvoked => {
                assert!(task.cancelled || self.model.hands_back);
                assert!(!task.accepted, "`{}` runs, and is said to have never been invoked", task.key);
            }
            Reason::Lost => assert_eq!(event.state, TaskState::Lost),
            other => panic!("nobody reported {}", other.name()),
        }
    }

    /// True if message `number` may end task `index`.
    fn is_of(&self, number: usize, index: usize) -> bool {
        let (stored, task) = (&self.messages[number], &self.model.tasks[index]);
        match stored.about {
            About::Ours { task: of, .. } if of == index => true,
            About::Malformed => false,
            _ if !stored.message.body.contains(&format!(r#""task_key":"{}""#, task.key)) => false,
            // By key, whatever the id.
            About::Ours { .. } | About::Stranger if task.matches_by_key() => true,
            // A task that was given up and adopted again by its id.
            About::Ours { task: of, named: true } => self.model.tasks[of].attempt == task.attempt,
            About::Ours { named: false, .. } if task.adopted => true,
            // Without an id nobody can tell; but never one that was sent before the first Invoke.
            About::Ours { named: false, .. } => task.first_invoked_at.is_some_and(|at| stored.sent_mono >= at),
            About::Stranger => false,
        }
    }

    /// Of the wait after the attempt that has just failed.
    pub(super) fn check_back_off(&self, id: u64) {
        let index = self.model.index_of(id);
        let (Some(task), model) = (self.core.table.get(id), &self.model.tasks[index]) else { return };
        let now = self.now.mono_ms;
        if let (Some(until), Some(failed_at)) = (task.backing_off_until, model.failed_at)
            && failed_at == now
        {
            let (wait, full) = (until - now, contract_ms(model.attempts));
            assert!((full * 3 / 4..=full).contains(&wait), "waits {wait} ms after attempt {}", model.attempts);
        }
    }

    /// Of everything, at any time.
    pub(super) fn check(&mut self) {
        self.check_places();
        self.check_ends();
        self.check_readings();
        self.check_hidden();
        self.check_counters();
        self.check_sizes();
    }

    /// Each task is in exactly one place, and the books agree.
    fn check_places(&self) {
        let core = &self.core;
        let mut ready: HashMap<u64, usize> = HashMap::new();
        for id in core.routes.iter().flat_map(|route| &route.ready) {
            *ready.entry(*id).or_default() += 1;
        }
        let waiting_final =
            |id| core.waiting_events.iter().filter(|w| w.task == id && w.event.state.is_final()).count();
        let (mut queued, mut submitting, mut running, mut in_line) = (0, 0, 0, 0);
        let (mut active, mut waiting) = (vec![0; core.routes.len()], vec![0; core.routes.len()]);
        for (id, task) in core.table.iter() {
            let lines = ready.get(&id).copied().unwrap_or(0);
            let backing_off = task.backing_off_until.is_some_and(|at| core.backing_off.contains(&(at, id)));
            let invokes =
                self.calls.iter().filter(|c| matches!(c.action, Action::Invoke { task, .. } if task == id)).count();
            let deadline = task.deadline.is_some_and(|at| core.deadlines.contains(&(at, id)));
            match task.state {
                TaskState::Queued => {
                    queued += 1;
                    waiting[task.route] += 1;
                    in_line += usize::from(!backing_off);
                    assert!(task.payload.is_some() && invokes == 0, "queued `{}` is under way", task.key);
                    assert_eq!((lines, task.backing_off_until.is_some()), (usize::from(!backing_off), backing_off));
                }
                TaskState::Submitting => {
                    submitting += 1;
                    active[task.route] += 1;
                    assert_eq!(invokes, 1, "submitting `{}` has {invokes} Invokes under way", task.key);
                }
                TaskState::Running => {
                    running += 1;
                    active[task.route] += 1;
                    assert!(deadline, "running `{}` has no deadline", task.key);
                }
                _ => {
                    let told = self.model.tasks[self.model.index_of(id)].final_event.is_some();
                    let places = waiting_final(id) + usize::from(told);
                    assert_eq!(places, 1, "the final event of `{}` is in {places} places", task.key);
                    assert!(!deadline && !backing_off);
                }
            }
        }
        assert_eq!((core.queued, core.submitting, core.running), (queued, submitting, running), "counts");
        for (id, route) in core.routes.iter().enumerate() {
            assert_eq!(route.active, active[id], "active of route {id}");
            assert_eq!(route.queued, waiting[id], "queued of route {id}");
            assert_eq!(route.in_flight, self.calls.iter().filter(|call| is_invoke(call, id)).count());
        }
        let stale: usize = core.routes.iter().map(|route| route.stale).sum();
        assert_eq!(core.routes.iter().map(|route| route.ready.len()).sum::<usize>(), in_line + stale, "stale ids");
        assert!(!self.model.hands_back || queued == 0 || self.model.shut_down, "queued although a drain hands back");
    }

    /// A task that has just ended had a right to.
    fn check_ends(&mut self) {
        let now = self.now.mono_ms;
        for index in 0..self.model.tasks.len() {
            let task = &self.model.tasks[index];
            if task.ended.is_some() {
                continue;
            }
            let Some(known) = self.core.table.get(task.id) else { panic!("`{}` is forgotten unfinished", task.key) };
            let mut attempts = task.attempts;
            if matches!(known.reason, Some(Reason::Exit | Reason::Signal | Reason::DeadLetter)) && !task.adopted {
                // Told by a message before the answer to Invoke came: that try counts.
                let unanswered = |call: &Call| matches!(call.action, Action::Invoke { task: id, .. } if id == task.id);
                attempts = (attempts + u32::from(self.calls.iter().any(unanswered))).max(1);
            }
            assert_eq!(known.attempts, attempts, "attempts of `{}`", task.key);
            if known.state == TaskState::Lost {
                let deadline =
                    task.running_since.expect("only what runs can be lost") + self.settings.result_timeout_ms;
                let hidden_ms = u64::from(self.settings.max_stranger_delay_s) * 1_000;
                for reading in &self.model.readings {
                    let since = reading.since.expect("LOST while a queue is not read").max(deadline);
                    assert!(reading.until > since + hidden_ms, "LOST after {} ms of reading", reading.until - since);
                }
            }
            if known.reason == Some(Reason::Expired) {
                assert!(now >= task.queued_at + task.max_wait_ms, "expired too early");
            }
            if task.max_wait_ms > 0 && known.state == TaskState::Queued && !self.model.shut_down {
                assert!(now < task.queued_at + task.max_wait_ms, "waits on after its max_wait_ms");
            }
            if known.state.is_final() {
                self.model.tasks[index].ended = Some(known.state);
            }
        }
    }

    fn check_readings(&mut self) {
        let paused = self.core.receiving_paused();
        let idle = self.core.submitting + self.core.running == 0;
        for (queue, reading) in self.model.readings.iter_mut().enumerate() {
            let polls = self.calls.iter().any(|call| matches!(call.action, Action::Receive(r) if r.queue == queue));
            if paused || (idle && !polls) {
                reading.since = None;
            }
        }
    }

    /// A message whose event waits is extended at half time, and never held twice.
    fn check_hidden(&self) {
        let now = self.now.mono_ms;
        let mut seen = Vec::new();
        for held in self.core.held.values() {
            let number = message_number(&held.message_id);
            assert!(!seen.contains(&number), "m{number} is held twice");
            seen.push(number);
            let stored = &self.messages[number];
            if stored.change_failed || now < stored.visible_since.midpoint(stored.visible_at) {
                continue;
            }
            let asked = self.calls.iter().any(|call| match &call.action {
                Action::ChangeVisibility { entries, .. } => entries.iter().any(|e| e.receipt == *held.receipt),
                _ => false,
            });
            let waits = self.core.pollers[held.queue].changes.waiting().any(|entry| entry.receipt == *held.receipt);
            assert!(asked || waits, "m{number} is past half its time and is not extended");
        }
    }

    fn check_counters(&self) {
        let (counters, seen) = (&self.core.counters, &self.model.seen);
        let finished = counters.succeeded + counters.failed + counters.cancelled + counters.lost;
        assert_eq!(counters.queued + counters.adopted, finished + self.core.remaining(), "totals");
        assert_eq!(counters.queued + counters.adopted, self.model.tasks.len() as u64, "accepted");
        assert_eq!(counters.invoke_calls, seen.invoke, "invoke calls");
        assert_eq!(counters.receive_calls, seen.receive, "receive calls");
        assert_eq!(counters.delete_calls, seen.delete, "delete calls");
        assert_eq!(counters.visibility_calls, seen.visibility, "visibility calls");
        let counts = self.core.counts();
        assert_eq!(counts.unacknowledged, self.model.unacked.len() as u64, "unacknowledged");
        assert_eq!(counts.waiting_events, self.core.waiting_events.len() as u64);
    }

    /// Memory follows what is unfinished, waiting, unacknowledged or kept on purpose.
    fn check_sizes(&self) {
        let core = &self.core;
        let unfinished = core.remaining() as usize;
        let finished = core.waiting_events.len() + core.unacknowledged.len();
        let most = unfinished + finished + self.settings.keep_finished;
        for (what, size) in core.table.sizes() {
            assert!(size <= most, "{what}: {size}, more than {most}");
        }
        assert!(core.kept.len() <= self.settings.keep_finished);
        assert!(core.held.len() <= finished && core.extensions.len() <= core.held.len());
        assert_eq!(core.held_by_message.len(), core.held.len());
        assert_eq!(core.held_bytes == 0, core.held.is_empty(), "{} bytes held", core.held_bytes);
        assert_eq!(core.deadlines.len(), core.running as usize);
        assert!(core.backing_off.len() <= core.queued as usize && core.expiries.len() <= unfinished);
        assert_eq!(core.waiting_final, core.waiting_events.iter().filter(|w| w.event.state.is_final()).count());
    }
}

fn is_invoke(call: &Call, route: usize) -> bool {
    matches!(&call.action, Action::Invoke { request, .. } if request.route == route)
}

fn message_number(id: &str) -> usize {
    id[1..].parse().expect("an id of ours")
}

/// The contract's wait after failed attempt number `attempt`.
fn contract_ms(attempt: u32) -> u64 {
    4u64.pow(attempt).min(120) * 1_000
}
