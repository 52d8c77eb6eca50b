//! What is sent to the queues: reports of runs, dead letters, and messages of others.

use super::lambda::{End, Run};
use super::sqs::About;
use super::world::World;
use crate::executor::message::{Attempt, CommandResult, Content, Outcome, Report};

impl World {
    /// A run ends with a result, or Lambda gives up on it, or nothing is heard of it.
    pub(super) fn end_run(&mut self, run: &Run) {
        let number = self.sqs.messages.len();
        let mark = format!("<m{number}>");
        let results = self.dice.below(self.sqs.last_queue as u64) as usize;
        let (queue, named, report) = match run.end {
            End::Silence => return,
            End::Result { code, named } => {
                let result = CommandResult { return_code: code, output_tail: mark, ..CommandResult::default() };
                (results, named, Report::Result(Box::new(result)))
            }
            End::Unreadable { named } => (results, named, Report::Unreadable(mark)),
            End::DeadLetter { named } => (self.sqs.last_queue, named, Report::DeadLetter(mark)),
        };
        let outcome = Outcome {
            key: run.key.as_ref().into(),
            attempt: if named { Attempt::Id(run.attempt) } else { Attempt::Absent },
            request_id: run.request_id.as_ref().into(),
            report,
        };
        let about = About::Report { key: run.key.clone(), attempt: run.attempt, named };
        self.sqs.send(queue, self.now, about, Content::Outcome(outcome));
        if self.dice.percent(5) {
            self.sqs.send(self.sqs.last_queue, self.now, About::SuccessRecord, Content::SuccessRecord);
        }
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
