//! The order of visible messages.

use super::fifo::Groups;
use super::message::Message;
use std::collections::BTreeMap;

/// The visible messages of a queue, in the order in which they are received.
#[derive(Debug)]
pub(super) enum Lineup {
    /// By place. A message that becomes visible takes the last place, so that one that is released repeatedly does not
    /// block those behind it.
    Standard {
        /// Message numbers by place.
        places: BTreeMap<u64, u64>,
        /// The next free place.
        next: u64,
    },
    /// By group.
    Fifo(Groups),
}

impl Lineup {
    pub(super) fn new(fifo: bool) -> Self {
        if fifo { Self::Fifo(Groups::default()) } else { Self::Standard { places: BTreeMap::new(), next: 0 } }
    }

    /// Appends a message. Returns its place (for `remove`), and true if it can be received.
    pub(super) fn insert(&mut self, number: u64, message: &Message) -> (u64, bool) {
        match self {
            Self::Standard { places, next } => {
                let place = *next;
                *next += 1;
                places.insert(place, number);
                (place, true)
            }
            Self::Fifo(groups) => (0, message.group.as_ref().is_some_and(|group| groups.insert(number, group))),
        }
    }

    /// Removes a message from any place.
    pub(super) fn remove(&mut self, number: u64, place: u64, message: &Message) {
        match self {
            Self::Standard { places, .. } => {
                places.remove(&place);
            }
            Self::Fifo(groups) => {
                if let Some(group) = &message.group {
                    groups.remove(number, group);
                }
            }
        }
    }

    /// Takes the next message for the current receive call.
    pub(super) fn take(&mut self) -> Option<u64> {
        match self {
            Self::Standard { places, .. } => places.pop_first().map(|(_, number)| number),
            Self::Fifo(groups) => groups.take(),
        }
    }

    /// Ends the receive call.
    pub(super) fn end_of_call(&mut self) {
        if let Self::Fifo(groups) = self {
            groups.end_of_call();
        }
    }

    /// Marks a taken message as in flight.
    pub(super) fn hold(&mut self, message: &Message) {
        if let (Self::Fifo(groups), Some(group)) = (self, &message.group) {
            groups.hold(group);
        }
    }

    /// Ends the flight of a message. True if that makes other messages receivable.
    pub(super) fn release(&mut self, message: &Message) -> bool {
        match (self, &message.group) {
            (Self::Fifo(groups), Some(group)) => groups.release(group),
            _ => false,
        }
    }

    /// True if a receive would find a message.
    pub(super) fn anything_ready(&self) -> bool {
        match self {
            Self::Standard { places, .. } => !places.is_empty(),
            Self::Fifo(groups) => groups.anything_ready(),
        }
    }
}
