//! The order of a FIFO queue: messages wait in their group, oldest first. A group delivers nothing while one of its
//! messages is in flight.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

#[derive(Debug, Default)]
struct Group {
    /// Numbers of the group's messages, ascending in time.
    waiting: BTreeSet<u64>,
    in_flight: usize,
    /// The group's key in `ready`, if it is there.
    ready_at: Option<u64>,
}

/// The groups of one queue.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<Arc<str>, Group>,
    /// Groups that can deliver, by the number of their oldest message.
    ready: BTreeMap<u64, Arc<str>>,
    /// The group of the current receive call: one call may take many messages of a group.
    current: Option<Arc<str>>,
}

impl Groups {
    /// Adds a message to its group. True if it can be received.
    pub(super) fn insert(&mut self, message: u64, name: &Arc<str>) -> bool {
        let group = self.groups.entry(Arc::clone(name)).or_default();
        group.waiting.insert(message);
        Self::settle(group, name, &mut self.ready);
        group.ready_at.is_some()
    }

    /// Removes a waiting message.
    pub(super) fn remove(&mut self, message: u64, name: &Arc<str>) {
        if let Some(group) = self.groups.get_mut(name) {
            group.waiting.remove(&message);
            Self::settle(group, name, &mut self.ready);
            self.forget_if_empty(name);
        }
    }

    /// Takes the next message for the current receive call. The caller must then mark it as waiting or in flight.
    pub(super) fn take(&mut self) -> Option<u64> {
        if let Some(message) = self.current.as_ref().and_then(|name| self.groups.get_mut(name)?.waiting.pop_first()) {
            return Some(message);
        }
        self.end_of_call();
        let (_, name) = self.ready.pop_first()?;
        let group = self.groups.get_mut(&name)?;
        group.ready_at = None;
        let message = group.waiting.pop_first();
        self.current = Some(name);
        message
    }

    /// Ends the receive call: its group is ready again, unless one of its messages is now in flight.
    pub(super) fn end_of_call(&mut self) {
        if let Some(name) = self.current.take()
            && let Some(group) = self.groups.get_mut(&name)
        {
            Self::settle(group, &name, &mut self.ready);
            self.forget_if_empty(&name);
        }
    }

    /// Marks a taken message as in flight.
    pub(super) fn hold(&mut self, name: &Arc<str>) {
        self.groups.entry(Arc::clone(name)).or_default().in_flight += 1;
    }

    /// Ends the flight of a message. True if its group can deliver.
    pub(super) fn release(&mut self, name: &Arc<str>) -> bool {
        let Some(group) = self.groups.get_mut(name) else { return false };
        group.in_flight = group.in_flight.saturating_sub(1);
        Self::settle(group, name, &mut self.ready);
        let ready = group.ready_at.is_some();
        self.forget_if_empty(name);
        ready
    }

    pub(super) fn anything_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Updates `ready` after a change of the group.
    fn settle(group: &mut Group, name: &Arc<str>, ready: &mut BTreeMap<u64, Arc<str>>) {
        let should = if group.in_flight == 0 { group.waiting.first().copied() } else { None };
        if group.ready_at == should {
            return;
        }
        if let Some(old) = group.ready_at {
            ready.remove(&old);
        }
        if let Some(new) = should {
            ready.insert(new, Arc::clone(name));
        }
        group.ready_at = should;
    }

    fn forget_if_empty(&mut self, name: &Arc<str>) {
        if self.groups.get(name).is_some_and(|group| group.waiting.is_empty() && group.in_flight == 0) {
            self.groups.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Arc<str> {
        Arc::from(text)
    }

    #[test]
    fn one_call_takes_a_group_in_order_then_the_next() {
        let (a, b) = (name("a"), name("b"));
        let mut groups = Groups::default();
        for (message, group) in [(1, &a), (2, &b), (3, &a), (4, &b)] {
            assert!(groups.insert(message, group));
        }
        assert_eq!((0..4).map_while(|_| groups.take()).collect::<Vec<_>>(), [1, 3, 2, 4]);
        assert_eq!(groups.take(), None);
    }

    #[test]
    fn a_group_is_locked_while_a_message_is_in_flight() {
        let a = name("a");
        let mut groups = Groups::default();
        groups.insert(1, &a);
        groups.insert(2, &a);
        assert_eq!(groups.take(), Some(1));
        groups.hold(&a);
        groups.end_of_call();
        assert_eq!(groups.take(), None);
        assert!(!groups.insert(3, &a), "it waits for the message in flight");
        groups.insert(1, &a);
        assert!(groups.release(&a));
        assert_eq!(groups.take(), Some(1), "it is first again, since it was never deleted");
    }

    #[test]
    fn an_empty_group_is_forgotten() {
        let a = name("a");
        let mut groups = Groups::default();
        groups.insert(1, &a);
        groups.insert(2, &a);
        groups.remove(1, &a);
        assert_eq!(groups.take(), Some(2));
        groups.hold(&a);
        groups.end_of_call();
        assert!(!groups.release(&a));
        assert!(groups.groups.is_empty() && groups.ready.is_empty());
    }
}
