//! One message that is in flight in SQS because of us.

use crate::executor::machine::slab::Id;
use crate::executor::message::Received;
use crate::executor::ports::QueueId;
use std::sync::Arc;

/// Number of a delivery.
pub(crate) type DeliveryId = Id<Delivery>;

/// Messages are received with this visibility, in s. Short, so that what a process took and could not handle before it
/// died, or what an aborted receive took, is soon seen by the next.
pub(in crate::executor::machine) const FIRST_VISIBILITY_S: u32 = 15;
/// Each extension hides a message for this long from then on, in s. A crash hides results no longer than this.
pub(in crate::executor::machine) const LONGEST_VISIBILITY_S: u32 = 20;

/// What becomes of the message.
#[derive(Debug)]
enum Stage {
    /// Its event waits for the host. `extend_at`: when it is hidden again; `None` while that is under way, or if it is
    /// not possible any more.
    Held { extend_at: Option<u64> },
    /// It is to be deleted.
    Deleting {
        /// Refusals of this message alone.
        tries: u32,
        /// It waits in the line of deletes or its call is under way.
        is_listed: bool,
    },
}

/// A message.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(super) queue: QueueId,
    pub(super) message_id: Arc<str>,
    /// The newest.
    pub(super) receipt: Box<str>,
    pub(super) bytes: usize,
    /// Events that need it: several where the message has the results of several tasks.
    references: usize,
    stage: Stage,
}

/// What a message that was received again was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) must_be_deleted: bool,
}

impl Delivery {
    pub(super) fn held(queue: QueueId, message: &Received, references: usize, now_ms: u64) -> Self {
        let stage = Stage::Held { extend_at: Some(first_extension(now_ms)) };
        Self { references, stage, ..Self::deleting(queue, message) }
    }

    pub(super) fn deleting(queue: QueueId, message: &Received) -> Self {
        Self {
            queue,
            message_id: (*message.message_id).into(),
            receipt: message.receipt.clone(),
            bytes: message.bytes,
            references: 0,
            stage: Stage::Deleting { tries: 0, is_listed: false },
        }
    }

    pub(super) fn is_held(&self) -> bool {
        matches!(self.stage, Stage::Held { .. })
    }

    pub(super) fn extend_at(&self) -> Option<u64> {
        match self.stage {
            Stage::Held { extend_at } => extend_at,
            Stage::Deleting { .. } => None,
        }
    }

    pub(super) fn set_extend_at(&mut self, at: Option<u64>) {
        if let Stage::Held { extend_at } = &mut self.stage {
            *extend_at = at;
        }
    }

    /// SQS delivered it again, with a new receipt and the first visibility.
    pub(super) fn renew(&mut self, queue: QueueId, message: &Received, now_ms: u64) -> Before {
        self.queue = queue;
        self.receipt = message.receipt.clone();
        match &mut self.stage {
            Stage::Held { extend_at } => {
                *extend_at = Some(first_extension(now_ms));
                Before { must_be_deleted: false }
            }
            Stage::Deleting { is_listed, .. } => Before { must_be_deleted: !*is_listed },
        }
    }

    /// One event less needs it. True if it was the last: it is to be deleted.
    pub(super) fn unreference(&mut self) -> bool {
        self.references = self.references.saturating_sub(1);
        if self.references > 0 || !self.is_held() {
            return false;
        }
        self.stage = Stage::Deleting { tries: 0, is_listed: false };
        true
    }

    /// It waits in the line of deletes. False if it does already.
    pub(super) fn list(&mut self) -> bool {
        match &mut self.stage {
            Stage::Deleting { is_listed, .. } => !std::mem::replace(is_listed, true),
            Stage::Held { .. } => false,
        }
    }

    /// Its delete was refused. Returns how often.
    pub(super) fn count_try(&mut self) -> u32 {
        match &mut self.stage {
            Stage::Deleting { tries, .. } => {
                *tries += 1;
                *tries
            }
            Stage::Held { .. } => 0,
        }
    }
}

fn first_extension(now_ms: u64) -> u64 {
    now_ms + u64::from(FIRST_VISIBILITY_S) * 500
}
