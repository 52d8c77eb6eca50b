//! Ids of the messages deleted lately: one that SQS delivers again although it was deleted is recognised by it, even if
//! it names no attempt.

use crate::executor::machine::sharded::Sharded;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many are remembered: some 13 s at 5,000 results a second.
const MOST: usize = 65_536;

/// The messages deleted last.
#[derive(Debug, Default)]
pub(super) struct Consumed {
    ids: Sharded<Arc<str>, ()>,
    oldest_first: VecDeque<Arc<str>>,
}

impl Consumed {
    pub(super) fn insert(&mut self, id: Arc<str>) {
        if self.ids.insert(Arc::clone(&id), ()).is_some() {
            return;
        }
        self.oldest_first.push_back(id);
        if self.oldest_first.len() > MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.get(id).is_some()
    }
}
