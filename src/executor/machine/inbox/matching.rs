//! Whose a message is.

use super::Inbox;
use crate::executor::machine::submission::{Accepted, Invocation, InvocationId, Submission};
use crate::executor::machine::tasks::{Task, TaskId, Tasks};
use crate::executor::message::{Attempt, Outcome, Received, Report};
use crate::executor::ports::QueueId;

/// Whose a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::executor::machine) enum Verdict {
    /// It ends this task; the invocation it reports, where one is known.
    Ends(TaskId, Option<InvocationId>),
    /// It is about a task of ours that has ended already, with the invocation that it reports.
    Surplus(TaskId, Option<InvocationId>),
    /// It is about a task of ours that is not known any more.
    Forgotten,
    /// It is not for us.
    Unmatched,
}

impl Inbox {
    /// Whose a message is. Its attempt id decides alone. Without one, a message ends a task only while an invocation of
    /// its key is unreported, and is deleted only while one is that Lambda has accepted: otherwise it may be another
    /// executor's.
    pub(in crate::executor::machine) fn verdict(
        &self,
        queue: QueueId,
        message: &Received,
        outcome: &Outcome,
        tasks: &Tasks,
        submission: &Submission,
    ) -> Verdict {
        let newest = tasks.newest(&outcome.key);
        // Tasks adopted without an id match by key, whatever the message's id.
        if let Some((id, task)) = newest
            && task.matches_by_key()
            && !task.state.is_final()
        {
            return Verdict::Ends(id, None);
        }
        match outcome.attempt {
            Attempt::Id(attempt) if tasks.is_forgotten(attempt) => return Verdict::Forgotten,
            Attempt::Id(attempt) => {
                if let Some(id) = tasks.of_attempt(attempt) {
                    return of_task(id, submission.of_request(&outcome.request_id), tasks);
                }
            }
            Attempt::Absent | Attempt::Foreign => {}
        }
        if let Report::DeadLetter(_) = outcome.report
            && let Some(id) = submission.of_request(&outcome.request_id)
            && let Some(invocation) = submission.invocation(id)
        {
            let of_key = |task: &TaskId| tasks.get(*task).is_some_and(|task| task.key.as_ref() == &*outcome.key);
            let task = match *invocation.tasks {
                [task] => Some(task),
                ref several => several.iter().copied().find(of_key),
            };
            if let Some(task) = task {
                return with_invocation(task, Some(id), tasks);
            }
        }
        match (newest, outcome.attempt) {
            (Some((id, task)), Attempt::Absent) => self.verdict_by_key(queue, message, id, task, tasks, submission),
            _ => Verdict::Unmatched,
        }
    }

    /// The newest task of the key that may have sent it.
    fn verdict_by_key(
        &self,
        queue: QueueId,
        message: &Received,
        newest: TaskId,
        task: &Task,
        tasks: &Tasks,
        submission: &Submission,
    ) -> Verdict {
        let (mut id, mut task) = (newest, task);
        loop {
            // Which of its invocations reported is not said: one that certainly ran comes first.
            let unreported = |accepted: bool| {
                task.invocations().iter().copied().find(|id| {
                    let fits = |i: &Invocation| i.is_sent && (!accepted || i.accepted == Accepted::Yes);
                    submission.invocation(*id).is_some_and(fits)
                })
            };
            let (ends, accepted) = (!task.state.is_final(), unreported(true));
            let invocation = if ends { accepted.or_else(|| unreported(false)) } else { accepted };
            // When an earlier process submitted an adopted task is not known.
            let is_unreported = ends && task.adopted || invocation.is_some();
            if is_unreported && self.may_be_of(queue, message, task) {
                return with_invocation(id, invocation, tasks);
            }
            let Some(previous) = task.previous() else { return Verdict::Unmatched };
            let Some(earlier) = tasks.get(previous) else { return Verdict::Unmatched };
            (id, task) = (previous, earlier);
        }
    }

    /// False if it was sent before the task was first invoked.
    fn may_be_of(&self, queue: QueueId, message: &Received, task: &Task) -> bool {
        let Some(first_invoked_ms) = task.first_invoked_ms() else { return task.adopted };
        match self.queue_time(queue, first_invoked_ms) {
            Some(invoked_at_ms) if message.sent_at_ms > 0 => message.sent_at_ms >= invoked_at_ms,
            _ => true,
        }
    }
}

/// `named`: the invocation that the message names by Lambda's request id.
fn of_task(id: TaskId, named: Option<InvocationId>, tasks: &Tasks) -> Verdict {
    let unreported = tasks.get(id).map_or(&[][..], Task::invocations);
    // Otherwise which of its invocations reported is not said: the first that has not.
    let invocation = named.filter(|named| unreported.contains(named)).or_else(|| unreported.first().copied());
    with_invocation(id, invocation, tasks)
}

fn with_invocation(id: TaskId, invocation: Option<InvocationId>, tasks: &Tasks) -> Verdict {
    match tasks.get(id) {
        Some(task) if !task.state.is_final() => Verdict::Ends(id, invocation),
        Some(_) => Verdict::Surplus(id, invocation),
        None => Verdict::Forgotten,
    }
}
