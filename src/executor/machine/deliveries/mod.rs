//! Messages that are ours for now: kept hidden in SQS while their event waits for the host, deleted when the host has
//! acknowledged it, released when the executor closes.
//!
//! | file | what it decides |
//! |---|---|
//! | `delivery.rs` | one message: its newest receipt, how many events need it |
//! | `deletes.rs` | when it is deleted, and again where that failed |
//! | `visibility.rs` | how long it stays hidden; what is released |
//! | `batches.rs` | batch calls: how many at once, and how a failure slows down those that follow |
//! | `consumed.rs` | messages deleted lately |

mod batches;
mod consumed;
mod deletes;
mod delivery;
mod visibility;

pub(super) use batches::BATCH;
pub(crate) use deletes::DeleteEntry;
pub(crate) use delivery::DeliveryId;
pub(super) use delivery::{FIRST_VISIBILITY_S, LONGEST_VISIBILITY_S};
pub(crate) use visibility::ChangeEntry;

use super::backoff::Jitter;
use super::sharded::Sharded;
use super::slab::Slab;
use crate::executor::message::Received;
use crate::executor::ports::QueueId;
use crate::executor::settings::QueueSettings;
use batches::Batches;
use consumed::Consumed;
use delivery::Delivery;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What SQS is asked to do.
#[derive(Debug)]
pub(super) enum Call {
    Delete { queue: QueueId, entries: Vec<DeleteEntry> },
    ChangeVisibility { queue: QueueId, entries: Vec<ChangeEntry> },
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) delete_calls: u64,
    pub(super) visibility_calls: u64,
    pub(super) deleted: u64,
    pub(super) deletes_gone: u64,
    pub(super) deletes_given_up: u64,
    pub(super) came_back: u64,
}

/// Calls of one queue that wait.
#[derive(Debug, Default)]
struct Line {
    deletes: Batches<DeliveryId>,
    /// Extensions of our messages, and at the end their release: before those of others.
    own: Batches<ChangeEntry>,
    /// Messages of others, to be seen again at once or later.
    others: Batches<ChangeEntry>,
}

/// The messages.
#[derive(Debug)]
pub(super) struct Deliveries {
    names: Vec<String>,
    lines: Vec<Line>,
    all: Slab<Delivery>,
    by_message: Sharded<Arc<str>, DeliveryId>,
    /// Bodies of messages whose event waits, in bytes.
    held_bytes: usize,
    held: usize,
    /// Events that need these messages.
    references: usize,
    /// Ends of the time after which they are extended, by mono time.
    extensions: BTreeSet<(u64, DeliveryId)>,
    consumed: Consumed,
    is_closed: bool,
    jitter: Jitter,
    pub(super) counts: Counts,
}

impl Deliveries {
    pub(super) fn new(queues: &[QueueSettings], seed: u64) -> Self {
        Self {
            names: queues.iter().map(|queue| queue.name.clone()).collect(),
            lines: queues.iter().map(|_| Line::default()).collect(),
            all: Slab::default(),
            by_message: Sharded::default(),
            held_bytes: 0,
            held: 0,
            references: 0,
            extensions: BTreeSet::new(),
            consumed: Consumed::default(),
            is_closed: false,
            jitter: Jitter::new(seed),
            counts: Counts::default(),
        }
    }

    /// Messages whose event has not been acknowledged.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Messages that are in flight in SQS because of us: held, or about to be deleted.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.all.len()
    }

    /// The same, where a message that is held for several results counts as so many.
    pub(super) fn results_in_flight(&self) -> usize {
        self.all.len() - self.held + self.references
    }

    /// Length of their bodies.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// True for a message that was deleted lately.
    pub(super) fn is_consumed(&self, message_id: &str) -> bool {
        self.consumed.contains(message_id)
    }

    /// A message of which so many events will wait for the host.
    pub(super) fn hold(&mut self, queue: QueueId, message: &Received, references: usize, now_ms: u64) -> DeliveryId {
        let delivery = Delivery::held(queue, message, references, now_ms);
        let extend_at = delivery.extend_at();
        self.held += 1;
        self.references += references;
        self.held_bytes += message.bytes;
        let message_id = Arc::clone(&delivery.message_id);
        let id = self.all.insert(delivery);
        self.by_message.insert(message_id, id);
        self.extensions.extend(extend_at.map(|at| (at, id)));
        id
    }

    /// A message that no event needs: it is deleted. Not if it was received again while its record was not durable: then an
    /// event may need it, or it is being deleted.
    pub(super) fn discard(&mut self, queue: QueueId, message: &Received, now_ms: u64) {
        if self.by_message.get(&*message.message_id).is_some() {
            return;
        }
        let delivery = Delivery::deleting(queue, message);
        let message_id = Arc::clone(&delivery.message_id);
        let id = self.all.insert(delivery);
        self.by_message.insert(message_id, id);
        self.delete_soon(queue, id, now_ms);
    }

    /// A message that was received before: only its newest receipt counts. It may have moved to the dead letter queue.
    /// False if it is not known.
    pub(super) fn received_again(&mut self, queue: QueueId, message: &Received, now_ms: u64) -> bool {
        let Some(&id) = self.by_message.get(&*message.message_id) else { return false };
        let Some(delivery) = self.all.get_mut(id) else { return false };
        self.counts.came_back += 1;
        if let Some(at) = delivery.extend_at() {
            self.extensions.remove(&(at, id));
        }
        let before = delivery.renew(queue, message, now_ms);
        self.extensions.extend(delivery.extend_at().map(|at| (at, id)));
        if before.must_be_deleted {
            self.delete_soon(queue, id, now_ms);
        }
        true
    }

    /// An event that needed the message is acknowledged.
    pub(super) fn acknowledged(&mut self, id: DeliveryId, now_ms: u64) {
        let Some(delivery) = self.all.get_mut(id) else { return };
        let (queue, extend_at, bytes) = (delivery.queue, delivery.extend_at(), delivery.bytes);
        self.references -= usize::from(delivery.is_held());
        if !delivery.unreference() {
            return;
        }
        if let Some(at) = extend_at {
            self.extensions.remove(&(at, id));
        }
        self.held -= 1;
        self.held_bytes -= bytes;
        self.delete_soon(queue, id, now_ms);
    }

    /// The calls to make now.
    pub(super) fn calls(&mut self, now_ms: u64) -> Vec<Call> {
        self.extend_in_time(now_ms);
        let mut calls = Vec::new();
        for queue in 0..self.lines.len() {
            self.change_calls(queue, now_ms, &mut calls);
            self.delete_calls(queue, now_ms, &mut calls);
        }
        calls
    }

    /// When [`Self::calls`] may have some by themselves.
    pub(super) fn next_timer(&self) -> Option<u64> {
        let lines = self.lines.iter().flat_map(|line| {
            [line.deletes.next_call(), line.own.next_call(), line.others.next_call()].into_iter().flatten()
        });
        let extension = self.extensions.first().map(|(at, _)| *at);
        lines.chain(extension).min()
    }

    /// Releases every message whose event has not been acknowledged, at once; deletes that wait are sent.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.extensions.clear();
        for line in &mut self.lines {
            line.own.clear();
            // Their visibility ends by itself, soon.
            line.others.clear();
        }
        let held: Vec<DeliveryId> = self.all.iter().filter(|(_, d)| d.is_held()).map(|(id, _)| id).collect();
        for id in held {
            if let Some(delivery) = self.forget(id) {
                self.lines[delivery.queue].own.push(ChangeEntry::release(delivery.receipt, 0), 0);
            }
        }
        (self.held, self.references, self.held_bytes) = (0, 0, 0);
    }

    /// True when nothing waits and no call is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.lines.iter().all(|line| line.deletes.are_done() && line.own.are_done() && line.others.are_done())
    }

    fn forget(&mut self, id: DeliveryId) -> Option<Delivery> {
        let delivery = self.all.remove(id)?;
        self.by_message.remove(&delivery.message_id);
        Some(delivery)
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [(&'static str, usize); 3] {
        [("deliveries", self.all.len()), ("by_message", self.by_message.len()), ("extensions", self.extensions.len())]
    }
}
