//! Messages of others: when each is given back, how long it stays hidden, and when a queue is left to others.
//!
//! Several executors may share a queue. SQS hands a message to any of them, so each result goes round until it meets
//! the one that waits for it. Three rules keep that short and cheap, without anybody knowing of anybody:
//!
//! - What is not ours is kept in hand while the queue is full and given back when it has been emptied: nobody meets the
//!   same message twice on one way through, and whoever empties the queue finds all that is his.
//! - Who has given something back leaves the queue to the others for a moment, or he would get the same again. For the
//!   same reason only one of his polls waits there while others share the queue; more of them only empty it.
//! - A message goes round in rounds. In each, everybody passes it on at once; who meets it again in the same round
//!   hides it until the next, 1, 2, 4, … s later: one of those who were busy in this round may have time in that. What
//!   has gone many rounds is nobody's: it is hidden for long whenever it is met.

use super::visibility::ReleaseEntry;
use super::{Core, Phase};
use crate::executor::ports::{Message, QueueId};
use std::collections::{HashMap, VecDeque};

/// Met again so soon, a message is still on the same round.
const ROUND_MS: u64 = 700;
/// In the first rounds, when there may be more to do than can be done, so many meetings are nothing special.
const QUICK_MEETINGS: u32 = 2;
const QUICK_ROUNDS: u32 = 3;
/// After so many rounds nobody is expected to want it.
const MOST_ROUNDS: u32 = 6;
/// Whatever we have met ourselves: so many receives by all make a round.
const RECEIVES_A_ROUND: u32 = 16;
/// Nothing is kept in hand for longer.
const KEPT_MS: u64 = 200;
/// The others get a moment of this length. It is nearly the same for all, so that they come one after another, each once,
/// before the first comes again; the little chance is for those who came at the same moment.
const TURN_MS: u64 = 20;
const CHANCE_MS: u64 = 4;
/// A queue counts as shared for so long after a stranger's message was met in it.
const SHARED_MS: u64 = 10_000;
const REMEMBERED_MESSAGES: usize = 16_384;

/// What we know of a stranger's message.
#[derive(Clone, Copy, Debug)]
struct Acquaintance {
    /// From 1.
    round: u32,
    meetings_in_round: u32,
    last_met_ms: u64,
}

impl Acquaintance {
    fn new(now_ms: u64) -> Self {
        Self { round: 1, meetings_in_round: 1, last_met_ms: now_ms }
    }

    fn meet_again(&mut self, now_ms: u64) {
        if now_ms < self.last_met_ms + ROUND_MS {
            self.meetings_in_round += 1;
        } else {
            (self.round, self.meetings_in_round) = (self.round.saturating_add(1), 1);
        }
        self.last_met_ms = now_ms;
    }

    /// How long it is to be hidden, in s.
    fn delay_s(self, receive_count: u32, most_s: u32) -> u32 {
        let round = self.round.max(receive_count / RECEIVES_A_ROUND);
        let quick = if round <= QUICK_ROUNDS { QUICK_MEETINGS } else { 1 };
        if round <= MOST_ROUNDS && self.meetings_in_round <= quick {
            return 0;
        }
        (1u32 << (round - 1).min(16)).min(most_s)
    }
}

/// Strangers' messages met lately, by id.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    known: HashMap<Box<str>, Acquaintance>,
    oldest_first: VecDeque<Box<str>>,
}

impl Strangers {
    fn meet(&mut self, id: &str, now_ms: u64) -> Acquaintance {
        if let Some(known) = self.known.get_mut(id) {
            known.meet_again(now_ms);
            return *known;
        }
        let new = Acquaintance::new(now_ms);
        self.known.insert(id.into(), new);
        self.oldest_first.push_back(id.into());
        if self.oldest_first.len() > REMEMBERED_MESSAGES
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
        new
    }
}

/// How one queue is shared with others.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// Strangers' messages that are given back soon.
    kept: Vec<ReleaseEntry>,
    /// When at the latest, while there are any.
    kept_until_ms: u64,
    /// Until then the queue is left to others.
    pub(super) turn_at_ms: u64,
    shared_until_ms: u64,
}

impl Sharing {
    /// Whether others read this queue too, as far as we can see.
    pub(super) fn is_shared(&self, now_ms: u64) -> bool {
        now_ms < self.shared_until_ms
    }

    /// When what is kept must go.
    pub(super) fn next_release(&self) -> Option<u64> {
        (!self.kept.is_empty()).then_some(self.kept_until_ms)
    }
}

impl Core {
    /// Gives a stranger's message back, now or soon.
    pub(super) fn pass_on(&mut self, queue: QueueId, message: Message) {
        let now = self.now.mono_ms;
        let met = self.strangers.meet(&message.message_id, now);
        let seconds = met.delay_s(message.receive_count, self.settings.max_unmatched_delay_s);
        let entry = Self::release(message.receipt, seconds);
        let poller = &mut self.pollers[queue];
        if seconds > 0 {
            poller.changes.push(entry, now);
            return;
        }
        let sharing = &mut poller.sharing;
        if sharing.kept.is_empty() {
            sharing.kept_until_ms = now + KEPT_MS;
        }
        sharing.shared_until_ms = now + SHARED_MS;
        sharing.kept.push(entry);
    }

    /// The queue has been emptied for now: what is kept goes back, and others have their turn.
    pub(super) fn give_back(&mut self, queue: QueueId) {
        let now = self.now.mono_ms;
        let poller = &mut self.pollers[queue];
        let sharing = &mut poller.sharing;
        if sharing.kept.is_empty() {
            return;
        }
        sharing.turn_at_ms = now + TURN_MS + self.jitter.up_to(CHANCE_MS);
        for entry in sharing.kept.drain(..) {
            poller.changes.push(entry, now);
        }
        self.flush_changes();
    }

    /// Gives back what has been kept for long enough; all of it at the end.
    pub(super) fn give_back_in_time(&mut self) {
        for queue in 0..self.pollers.len() {
            let due = self.pollers[queue].sharing.next_release();
            if due.is_some_and(|at| at <= self.now.mono_ms || self.phase == Phase::Closed) {
                self.give_back(queue);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_acquaintances_are_forgotten() {
        let mut strangers = Strangers::default();
        strangers.meet("a", 0);
        assert_eq!(strangers.meet("a", 5_000).round, 2);
        for number in 0..REMEMBERED_MESSAGES {
            strangers.meet(&number.to_string(), 5_000);
        }
        assert_eq!([strangers.meet("16383", 9_000).round, strangers.meet("a", 9_000).round], [2, 1]);
        assert_eq!(strangers.known.len(), REMEMBERED_MESSAGES);
    }

    /// Delays of a message that one executor alone meets each time it can be seen, with the time from meeting to meeting.
    #[test]
    fn what_nobody_wants_is_hidden_longer_from_round_to_round() {
        let mut strangers = Strangers::default();
        let (mut now_ms, mut delays) = (0, Vec::new());
        for count in 1..=16 {
            let delay = strangers.meet("m", now_ms).delay_s(count, 60);
            delays.push(delay);
            now_ms += 20 + u64::from(delay) * 1_000;
        }
        assert_eq!(delays, [0, 0, 1, 0, 0, 2, 0, 0, 4, 0, 8, 0, 16, 0, 32, 60]);
    }

    #[test]
    fn what_has_been_through_many_hands_is_hidden_at_once() {
        let met = Acquaintance::new(0);
        assert_eq!([16, 31, 96, 112, 1_000].map(|count| met.delay_s(count, 60)), [0, 0, 0, 60, 60]);
        assert_eq!(met.delay_s(1_000, 4), 4);
    }
}
