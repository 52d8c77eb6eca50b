//! Attempts of tasks that are not known any more, so that their late messages are deleted and do not circulate.

use crate::executor::machine::sharded::Sharded;
use crate::executor::task::AttemptId;
use std::collections::BTreeMap;

/// How many are remembered: about 20 MB.
const MOST: usize = 262_144;

/// The attempts forgotten last.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    by_attempt: Sharded<AttemptId, u64>,
    oldest_first: BTreeMap<u64, AttemptId>,
    next: u64,
}

impl Forgotten {
    pub(super) fn insert(&mut self, attempt: AttemptId) {
        self.remove(attempt);
        self.by_attempt.insert(attempt, self.next);
        self.oldest_first.insert(self.next, attempt);
        self.next += 1;
        if self.oldest_first.len() > MOST
            && let Some((_, oldest)) = self.oldest_first.pop_first()
        {
            self.by_attempt.remove(&oldest);
        }
    }

    /// The attempt is known again.
    pub(super) fn remove(&mut self, attempt: AttemptId) {
        if let Some(number) = self.by_attempt.remove(&attempt) {
            self.oldest_first.remove(&number);
        }
    }

    pub(super) fn contains(&self, attempt: AttemptId) -> bool {
        self.by_attempt.get(&attempt).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(n: u128) -> AttemptId {
        AttemptId::from_random(n.to_be_bytes())
    }

    #[test]
    fn c17_an_attempt_that_was_known_again_meanwhile_is_forgotten_anew() {
        let mut forgotten = Forgotten::default();
        forgotten.insert(attempt(1));
        forgotten.remove(attempt(1));
        assert!(!forgotten.contains(attempt(1)));
        forgotten.insert(attempt(1));
        for n in 2..=MOST as u128 {
            forgotten.insert(attempt(n));
        }
        assert!(forgotten.contains(attempt(1)), "its old entry must not take the new one with it");
        forgotten.insert(attempt(MOST as u128 + 1));
        assert!(!forgotten.contains(attempt(1)), "the oldest goes first");
    }
}
