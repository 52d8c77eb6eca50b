//! Things to do that wait until a record is durable.

use super::records::{Lsn, Records};
use std::collections::VecDeque;

/// A line of them. Positions only rise, so the first is the first to be ready.
#[derive(Debug)]
pub(super) struct Pending<T> {
    waiting: VecDeque<(Lsn, T)>,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<T> Pending<T> {
    /// To be done after this position is durable.
    pub(super) fn push(&mut self, after: Lsn, item: T) {
        debug_assert!(self.waiting.back().is_none_or(|(last, _)| *last <= after), "positions only rise");
        self.waiting.push_back((after, item));
    }

    /// The next one that may be done now.
    pub(super) fn pop(&mut self, records: &Records) -> Option<T> {
        if records.is_durable(self.waiting.front()?.0) { self.waiting.pop_front().map(|(_, item)| item) } else { None }
    }

    /// The next one, which is not done.
    pub(super) fn pop_any(&mut self) -> Option<T> {
        self.waiting.pop_front().map(|(_, item)| item)
    }

    /// True if [`Self::pop`] has one.
    pub(super) fn is_ready(&self, records: &Records) -> bool {
        self.waiting.front().is_some_and(|(after, _)| records.is_durable(*after))
    }
}
