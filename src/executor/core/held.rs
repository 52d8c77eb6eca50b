//! Messages whose event the host has not acknowledged: kept hidden from others by the receipt that counts.

use super::Core;
use super::table::HeldId;
use crate::executor::ports::{Message, QueueId};

/// Messages are received with this visibility.
pub(super) const FIRST_VISIBILITY_S: u32 = 60;
/// Extensions double up to this.
const MOST_VISIBILITY_S: u32 = 600;

/// A message whose event has not been acknowledged.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) queue: QueueId,
    pub(super) message_id: Box<str>,
    pub(super) receipt: Box<str>,
    /// Length of its body, much of which waits in its event.
    bytes: usize,
    /// Extensions so far.
    extensions: u32,
    /// When it is extended (mono ms); `None` while an extension is under way or none is possible.
    pub(super) extend_at: Option<u64>,
}

impl Held {
    /// Counts one more extension, which is now under way; returns its visibility.
    pub(super) fn extended(&mut self) -> u32 {
        self.extend_at = None;
        self.extensions += 1;
        self.visibility_s()
    }

    /// Visibility asked for last, in s: 60 when received, then 60, 120, 240, … by extension.
    pub(super) fn visibility_s(&self) -> u32 {
        FIRST_VISIBILITY_S.saturating_mul(1 << self.extensions.saturating_sub(1).min(8)).min(MOST_VISIBILITY_S)
    }
}

impl Core {
    /// Keeps a message for as long as its event is not acknowledged.
    pub(super) fn hold(&mut self, queue: QueueId, message: &Message) -> HeldId {
        let id = self.next_held;
        self.next_held += 1;
        let extend_at = self.now.mono_ms + u64::from(FIRST_VISIBILITY_S) * 500;
        self.held_bytes += message.body.len();
        self.held_by_message.insert(message.message_id.as_str().into(), id);
        self.held.insert(
            id,
            Held {
                queue,
                message_id: message.message_id.as_str().into(),
                receipt: message.receipt.as_str().into(),
                bytes: message.body.len(),
                extensions: 0,
                extend_at: Some(extend_at),
            },
        );
        self.extensions.insert((extend_at, id));
        id
    }

    /// The message of a waiting event came back, perhaps from the dead letter queue: only its newest receipt is worth
    /// anything. False if it is not held.
    pub(super) fn renew_held(&mut self, queue: QueueId, message: &Message) -> bool {
        let now = self.now.mono_ms;
        let Some(&id) = self.held_by_message.get(message.message_id.as_str()) else { return false };
        let Some(held) = self.held.get_mut(&id) else { return false };
        held.queue = queue;
        held.receipt = message.receipt.as_str().into();
        held.extensions = 0;
        if let Some(at) = held.extend_at.replace(now + u64::from(FIRST_VISIBILITY_S) * 500) {
            self.extensions.remove(&(at, id));
        }
        self.extensions.extend(held.extend_at.map(|at| (at, id)));
        true
    }

    /// Forgets it; the message is the caller's to delete or to give back.
    pub(super) fn let_go(&mut self, id: HeldId) -> Option<Held> {
        let held = self.held.remove(&id)?;
        self.held_bytes -= held.bytes;
        self.held_by_message.remove(&held.message_id);
        if let Some(at) = held.extend_at {
            self.extensions.remove(&(at, id));
        }
        Some(held)
    }
}
