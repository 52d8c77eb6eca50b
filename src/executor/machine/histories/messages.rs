//! What is sent to the queues: reports of runs, dead letters, and messages of others.

use super::lambda::{End, Run};
use super::sqs::{About, Reported};
use super::world::World;
use crate::executor::message::{Attempt, CommandResult, Content, Outcome, Report};
use crate::executor::task::{AttemptId, Reason};
use std::sync::Arc;

fn reported(key: &Arc<str>, attempt: AttemptId) -> Reported {
    Reported { key: Arc::clone(key), attempt, not_run: false, dead_batch: false }
}

fn result(return_code: i32, reason: Option<Reason>, mark: String) -> Report {
    Report::Result(Box::new(CommandResult { return_code, reason, output_tail: mark, ..CommandResult::default() }))
}

impl World {
    /// A run ends with a result, or Lambda gives up on it, or nothing is heard of it.
    pub(super) fn end_run(&mut self, run: &Run) {
        if self.dice.percent(5) && run.end != End::Silence {
            self.sqs.send(self.sqs.last_queue, self.now, About::SuccessRecord, Content::SuccessRecord);
        }
        let [(key, attempt)] = run.members.as_slice() else { return self.end_batch(run) };
        let mark = self.next_mark(*attempt);
        let (queue, named, report) = match run.end {
            End::Silence => return,
            End::Result { code, named } => (self.a_results_queue(), named, result(code, None, mark)),
            End::Unreadable { named } => (self.a_results_queue(), named, Report::Unreadable(mark)),
            End::DeadLetter { named } => (self.sqs.last_queue, named, Report::DeadLetter(mark)),
        };
        let outcome = Outcome {
            key: key.as_ref().into(),
            attempt: if named { Attempt::Id(*attempt) } else { Attempt::Absent },
            request_id: run.request_id.as_ref().into(),
            report,
        };
        let about = About::Report { of: vec![reported(key, *attempt)], named };
        self.sqs.send(queue, self.now, about, Content::Outcome(outcome));
    }

    /// What the message that is sent next is known by.
    fn next_mark(&self, attempt: AttemptId) -> String {
        format!("<m{}>{attempt}", self.sqs.messages.len())
    }

    fn a_results_queue(&mut self) -> usize {
        self.dice.below(self.sqs.last_queue as u64) as usize
    }

    /// A run of several tasks. Our function reports each of them in one message or several, or does not start some; it may
    /// die before it has reported all. One that understands no batches runs none of them.
    fn end_batch(&mut self, run: &Run) {
        if !self.lambda.echoes {
            let refused = |_: &mut Self, _: usize, mark: String| {
                let Report::Result(result) = result(126, Some(Reason::BadEvent), mark) else { unreachable!() };
                (Report::BatchRefused(result), true, false)
            };
            let queue = self.a_results_queue();
            return self.report_together(run, &run.members, queue, refused);
        }
        let ran = |world: &mut Self, place: usize, mark: String| match run.end {
            _ if place > 0 && world.dice.percent(12) => {
                let Report::Result(result) = result(126, Some(Reason::SetupFailed), mark) else { unreachable!() };
                (Report::NotStarted(result), true, false)
            }
            End::Unreadable { .. } if place == 0 => (Report::Unreadable(mark), false, false),
            End::Result { code, .. } if place == 0 => (result(code, None, mark), false, false),
            _ => (result(world.dice.one_of(&[0, 1, -9]), None, mark), false, false),
        };
        let reports_until = match run.end {
            End::Silence | End::DeadLetter { .. } => self.dice.below(run.members.len() as u64 + 1) as usize,
            End::Result { .. } | End::Unreadable { .. } => run.members.len(),
        };
        let mut rest = &run.members[..reports_until];
        while !rest.is_empty() {
            let count =
                if self.dice.percent(70) { rest.len() } else { 1 + self.dice.below(rest.len() as u64) as usize };
            let (now, later) = rest.split_at(count);
            let queue = self.a_results_queue();
            for _ in 0..if self.dice.percent(5) { 2 } else { 1 } {
                self.report_together(run, now, queue, ran);
            }
            rest = later;
        }
        if let End::DeadLetter { .. } = run.end {
            let gave_up = |_: &mut Self, _: usize, mark: String| (Report::DeadBatch(mark), false, true);
            self.report_together(run, &run.members, self.sqs.last_queue, gave_up);
        }
    }

    /// One message about these tasks. `report` gives of each what it says, whether that is that it was not run, and whether
    /// that its batch is dead.
    fn report_together(
        &mut self,
        run: &Run,
        members: &[(Arc<str>, AttemptId)],
        queue: usize,
        report: impl Fn(&mut Self, usize, String) -> (Report, bool, bool),
    ) {
        let (mut of, mut outcomes) = (Vec::new(), Vec::new());
        let mut members = members.to_vec();
        if self.dice.percent(3) {
            members.push(("k1".into(), self.dice.attempt()));
        }
        for (place, (key, attempt)) in members.iter().enumerate() {
            let mark = self.next_mark(*attempt);
            let (report, not_run, dead_batch) = report(self, place, mark);
            of.push(Reported { not_run, dead_batch, ..reported(key, *attempt) });
            let request_id = run.request_id.as_ref().into();
            outcomes.push(Outcome { key: key.as_ref().into(), attempt: Attempt::Id(*attempt), request_id, report });
        }
        let content = match (outcomes.len(), self.dice.percent(50)) {
            (1, true) => Content::Outcome(outcomes.remove(0)),
            _ => Content::Outcomes(outcomes),
        };
        self.sqs.send(queue, self.now, About::Report { of, named: true }, content);
    }

    /// Another executor's message, or one that is no result at all.
    pub(super) fn other_message(&mut self) {
        let queue = self.dice.below(self.sqs.last_queue as u64 + 1) as usize;
        if self.dice.percent(30) {
            self.sqs.send(queue, self.now, About::Malformed, Content::Malformed("not a result".into()));
            return;
        }
        // Without an id only a key that is never ours is another's for certain.
        let (key, attempt) = match self.dice.below(3) {
            0 => ("other", Attempt::Absent),
            1 => ("k1", Attempt::Foreign),
            _ => ("k1", Attempt::Id(self.dice.attempt())),
        };
        let mark = format!("<m{}>", self.sqs.messages.len());
        let result = CommandResult { output_tail: mark, ..CommandResult::default() };
        let report = Report::Result(Box::new(result));
        let outcome = Outcome { key: key.into(), attempt, request_id: "".into(), report };
        self.sqs.send(queue, self.now, About::Other { key: key.into() }, Content::Outcome(outcome));
    }
}
