//! Events: those not handed out yet, those handed out and not acknowledged, and those to be handed out again.

use super::deliveries::DeliveryId;
use super::tasks::TaskId;
use crate::executor::event::{Event, HandedOut};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// An event that has not been handed out.
#[derive(Debug)]
pub(super) enum Waiting {
    /// RUNNING; the event is made when it is handed out, because most of it is in the task.
    Running(TaskId),
    /// The last of a task, with the message that it needs.
    Final { task: TaskId, event: Arc<Event>, delivery: Option<DeliveryId> },
}

/// An event that the host has and has not acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unacknowledged {
    pub(super) task: TaskId,
    pub(super) delivery: Option<DeliveryId>,
    pub(super) is_final: bool,
}

/// The events.
#[derive(Debug)]
pub(super) struct Events {
    waiting: VecDeque<Waiting>,
    /// Handed out before, in batches that were freed unacknowledged.
    again: BTreeMap<u64, Arc<Event>>,
    /// By number, from `first` on; `None` is acknowledged.
    unacknowledged: VecDeque<Option<Unacknowledged>>,
    first: u64,
    /// Unacknowledged events with numbers below `first`: few, and older than most.
    old: BTreeMap<u64, Unacknowledged>,
    open: usize,
}

/// Numbers are kept as a sequence while at least every second event in it is unacknowledged, or there are no more than
/// this.
const MOST_SPARSE: usize = 1_024;

impl Default for Events {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            again: BTreeMap::new(),
            unacknowledged: VecDeque::new(),
            first: 1,
            old: BTreeMap::new(),
            open: 0,
        }
    }
}

impl Events {
    pub(super) fn push(&mut self, event: Waiting) {
        self.waiting.push_back(event);
    }

    /// Events that can be handed out.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.again.len()
    }

    /// Events that the host has and has not acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        self.open - self.again.len()
    }

    /// The next event of those that come again.
    pub(super) fn pop_again(&mut self) -> Option<HandedOut> {
        self.again.pop_first().map(|(seq, event)| HandedOut { seq, event })
    }

    /// The next event that has not been handed out.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    /// It is handed out now. Returns its number.
    pub(super) fn number(&mut self, event: Unacknowledged) -> u64 {
        let seq = self.first + self.unacknowledged.len() as u64;
        self.unacknowledged.push_back(Some(event));
        self.open += 1;
        seq
    }

    /// The host is done with the event. `None` if it was before, or if there is no such number.
    pub(super) fn acknowledge(&mut self, seq: u64) -> Option<Unacknowledged> {
        let event = match self.index(seq) {
            Some(index) => self.unacknowledged.get_mut(index)?.take()?,
            None => self.old.remove(&seq)?,
        };
        self.open -= 1;
        self.again.remove(&seq);
        // An event that stays unacknowledged for long must not keep the numbers of all later ones in memory.
        while let Some(front) = self.unacknowledged.front()
            && (front.is_none() || self.unacknowledged.len() > MOST_SPARSE.max(2 * self.open))
        {
            if let Some(event) = self.unacknowledged.pop_front().flatten() {
                self.old.insert(self.first, event);
            }
            self.first += 1;
        }
        Some(event)
    }

    /// Where the event of that number is in the sequence; `None` if it is older.
    fn index(&self, seq: u64) -> Option<usize> {
        seq.checked_sub(self.first).and_then(|index| usize::try_from(index).ok())
    }

    /// A batch was freed: those of its events that are not acknowledged are handed out again, before all others.
    pub(super) fn hand_out_again(&mut self, events: Vec<HandedOut>) {
        for HandedOut { seq, event } in events {
            let is_open = match self.index(seq) {
                Some(index) => self.unacknowledged.get(index).is_some_and(Option::is_some),
                None => self.old.contains_key(&seq),
            };
            if is_open {
                self.again.insert(seq, event);
            }
        }
    }

    /// For the checks of the histories.
    #[cfg(test)]
    pub(super) fn iter_waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::machine::slab::Slab;
    use crate::executor::machine::tasks::Task;
    use crate::executor::task::TaskState;

    fn unacknowledged() -> Unacknowledged {
        let task = Slab::default().insert(Task::new("k".into(), 0, 0, TaskState::Running));
        Unacknowledged { task, delivery: None, is_final: true }
    }

    #[test]
    fn numbers_start_at_1_rise_without_gaps_and_are_acknowledged_once() {
        let mut events = Events::default();
        assert_eq!((0..3).map(|_| events.number(unacknowledged())).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(events.acknowledge(2).is_some() && events.acknowledge(2).is_none());
        assert!(
            events.acknowledge(0).is_none()
                && events.acknowledge(4).is_none()
                && events.acknowledge(u64::MAX).is_none()
        );
        assert!(events.acknowledge(1).is_some() && events.acknowledge(1).is_none());
        assert_eq!((events.number(unacknowledged()), events.unacknowledged()), (4, 2));
    }

    #[test]
    fn one_event_that_stays_unacknowledged_does_not_keep_the_later_ones() {
        let mut events = Events::default();
        events.number(unacknowledged());
        for seq in 2..=100_000 {
            assert_eq!(events.number(unacknowledged()), seq);
            assert!(events.acknowledge(seq).is_some());
        }
        assert!(events.unacknowledged.len() <= MOST_SPARSE, "{}", events.unacknowledged.len());
        assert_eq!((events.unacknowledged(), events.number(unacknowledged())), (1, 100_001));
        assert!(events.acknowledge(1).is_some() && events.acknowledge(1).is_none());
        assert!(events.acknowledge(100_001).is_some());
        assert_eq!((events.unacknowledged(), events.old.len()), (0, 0));
    }
}
