//! Lambda: how it answers Invoke, and what becomes of the events that it accepted.

use super::dice::Dice;
use crate::executor::ports::{Fault, Sent};
use crate::executor::task::AttemptId;
use std::sync::Arc;

/// How Lambda answers for one function at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mood {
    Well,
    /// Every kind of fault, call by call.
    Mixed,
    Throttling,
    /// The function is missing or not ready.
    Missing,
    /// The service is down: no call reaches it.
    Away,
    /// Answers are lost; half of the events were accepted.
    Losing,
    NoCredentials,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Accepted,
    Failed(Fault, Sent),
}

/// An event that Lambda has accepted and whose end is still to come.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The submissions that share it.
    pub(super) members: Vec<(Arc<str>, AttemptId)>,
    pub(super) request_id: Arc<str>,
    pub(super) ends_at: u64,
    pub(super) end: End,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Result {
        code: i32,
        named: bool,
    },
    /// A result whose return code cannot be read.
    Unreadable {
        named: bool,
    },
    /// `named`: with the event, and so with its attempt id; otherwise Lambda's request id alone.
    DeadLetter {
        named: bool,
    },
    /// Nothing is ever heard of it.
    Silence,
}

/// The functions.
#[derive(Debug)]
pub(super) struct Lambda {
    pub(super) moods: Vec<Mood>,
    pub(super) runs: Vec<Run>,
    /// Results carry the attempt id: our function, and not Airflow's handler, which understands no batches either.
    pub(super) echoes: bool,
    next_request: u64,
}

impl Lambda {
    pub(super) fn new(routes: usize, dice: &mut Dice) -> Self {
        let moods = vec![dice.one_of(&[Mood::Well, Mood::Mixed]); routes];
        Self { moods, runs: Vec::new(), echoes: dice.percent(65), next_request: 0 }
    }

    /// How a call ends now. `poisonous`: this event makes the service fail, whatever its mood.
    pub(super) fn verdict(&self, route: usize, poisonous: bool, dice: &mut Dice) -> Verdict {
        use Fault::{Account, Event, Identity, Route, Service};
        let failed = |fault| Verdict::Failed(fault, Sent::Rejected);
        match (self.moods[route], dice.below(100)) {
            (Mood::Throttling, 0..85) => failed(Account),
            (Mood::Missing, _) => failed(Route),
            (Mood::Away, 0..50) => failed(Service),
            (Mood::Away, _) => Verdict::Failed(Service, Sent::No),
            (Mood::Losing, _) => Verdict::Failed(Service, Sent::Maybe),
            (Mood::NoCredentials, _) => failed(Identity),
            (Mood::Mixed, 60..70) => Verdict::Failed(Service, Sent::No),
            _ if poisonous => failed(Service),
            (Mood::Mixed, 70..76) => failed(Account),
            (Mood::Mixed, 76..84) => failed(Service),
            (Mood::Mixed, 84..91) => Verdict::Failed(Service, Sent::Maybe),
            (Mood::Mixed, 91..95) => failed(Route),
            (Mood::Mixed, 95..97) => failed(Event),
            (Mood::Mixed, 97..) => failed(Identity),
            _ => Verdict::Accepted,
        }
    }

    /// The event is accepted, and runs once, or now and then twice. Returns the request id.
    pub(super) fn accept(&mut self, members: &[(Arc<str>, AttemptId)], now: u64, dice: &mut Dice) -> Arc<str> {
        self.next_request += 1;
        let request_id: Arc<str> = format!("q{}", self.next_request).into();
        for _ in 0..if dice.percent(5) { 2 } else { 1 } {
            let (ends_at, end) = (now + dice.one_of(&[1, 50, 2_000, 20_000, 100_000]), self.end(dice));
            self.runs.push(Run { members: members.to_vec(), request_id: Arc::clone(&request_id), ends_at, end });
        }
        request_id
    }

    /// How a run will end.
    pub(super) fn end(&self, dice: &mut Dice) -> End {
        let named = self.echoes && dice.percent(90);
        match dice.below(100) {
            0..2 => End::Silence,
            2..10 => End::DeadLetter { named: dice.percent(70) },
            10..13 => End::Unreadable { named },
            _ => End::Result { code: dice.one_of(&[0, 0, 1, -9]), named },
        }
    }
}
