//! The deduplication ids that a FIFO queue received in the last five minutes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Lifetime of a deduplication id. It does not depend on its message.
pub(super) const INTERVAL_MS: u64 = 300_000;

/// The id, and its group if the queue deduplicates by group.
type Key = (Arc<str>, Option<Arc<str>>);

/// The original message, which the sender of a duplicate receives as answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Original {
    pub(super) message_id: String,
    pub(super) sequence: u64,
}

/// Deduplication ids in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashMap<Key, Original>,
    forget: VecDeque<(u64, Key)>,
}

impl Recent {
    /// The message that was sent with this id less than five minutes ago.
    pub(super) fn find(&mut self, now: u64, id: &str, group: Option<&Arc<str>>) -> Option<&Original> {
        while self.forget.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, key)) = self.forget.pop_front() {
                self.known.remove(&key);
            }
        }
        self.known.get(&(Arc::from(id), group.cloned()))
    }

    /// Remembers an id that `find` did not know.
    pub(super) fn remember(&mut self, now: u64, id: &str, group: Option<&Arc<str>>, original: Original) {
        let key: Key = (Arc::from(id), group.cloned());
        self.known.insert(key.clone(), original);
        self.forget.push_back((now + INTERVAL_MS, key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_for_five_minutes() {
        let mut recent = Recent::default();
        let original = Original { message_id: "m".into(), sequence: 1 };
        recent.remember(1_000, "id", None, original.clone());
        assert_eq!(recent.find(1_000 + INTERVAL_MS - 1, "id", None), Some(&original));
        assert_eq!(recent.find(1_000 + INTERVAL_MS - 1, "other", None), None);
        assert_eq!(recent.find(1_000 + INTERVAL_MS, "id", None), None);
        assert!(recent.known.is_empty() && recent.forget.is_empty());
    }

    #[test]
    fn by_group_the_same_id_is_distinct() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut recent = Recent::default();
        recent.remember(0, "id", Some(&a), Original { message_id: "m".into(), sequence: 1 });
        assert!(recent.find(1, "id", Some(&a)).is_some());
        assert!(recent.find(1, "id", Some(&b)).is_none());
    }
}
