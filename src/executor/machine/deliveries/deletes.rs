//! Deleting messages: in batches, and again until they are gone. A message that SQS delivers again meanwhile replaces its
//! receipt and adds no second entry.

use super::batches::BATCH;
use super::{Call, Deliveries, DeliveryId};
use crate::executor::machine::backoff::doubling_ms;
use crate::executor::ports::{CallError, EntryOutcome, Fault, QueueId};
use std::sync::Arc;

/// A delete waits this long for others, in ms.
const LINGER_MS: u64 = 50;
/// After so many refusals of one entry its message is left to be delivered again, when it is deleted as a duplicate.
const TRIES: u32 = 6;
/// Attempts during shutdown, without back-off.
pub(super) const TRIES_AT_THE_END: u32 = 3;
const FIRST_BACK_OFF_MS: u64 = 200;
const LONGEST_BACK_OFF_MS: u64 = 10_000;

/// A message in a call of DeleteMessageBatch.
#[derive(Clone, Debug)]
pub(crate) struct DeleteEntry {
    pub(crate) receipt: String,
    delivery: DeliveryId,
}

impl Deliveries {
    pub(super) fn delete_soon(&mut self, queue: QueueId, id: DeliveryId, now_ms: u64) {
        if self.all.get_mut(id).is_some_and(|delivery| delivery.list()) {
            self.lines[queue].deletes.push(id, now_ms + LINGER_MS);
        }
    }

    pub(super) fn delete_calls(&mut self, queue: QueueId, now_ms: u64, calls: &mut Vec<Call>) {
        let closed = self.is_closed;
        while let Some(ids) = self.lines[queue].deletes.take(now_ms, closed) {
            let mut entries = Vec::with_capacity(BATCH);
            for id in ids {
                if let Some(delivery) = self.all.get(id) {
                    entries.push(DeleteEntry { receipt: delivery.receipt.as_ref().into(), delivery: id });
                }
            }
            if entries.is_empty() {
                self.lines[queue].deletes.not_called();
                continue;
            }
            self.counts.delete_calls += 1;
            calls.push(Call::Delete { queue, entries });
        }
    }

    /// The answer to [`Call::Delete`].
    pub(in crate::executor::machine) fn deleted(
        &mut self,
        queue: QueueId,
        entries: Vec<DeleteEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
        now_ms: u64,
    ) {
        // A refusal that every call would get is counted against each entry: waiting for it to pass would keep receiving
        // paused for ever.
        let ok = !answer.as_ref().is_err_and(|error| !matches!(error.fault, Fault::Route | Fault::Event));
        let failures = self.lines[queue].deletes.answered(ok, now_ms, &mut self.jitter);
        match answer {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for entry in entries {
                    match outcomes.next() {
                        Some(EntryOutcome::Done) => self.delete_done(queue, &entry, now_ms),
                        Some(EntryOutcome::Gone { code }) => {
                            self.counts.deletes_gone += 1;
                            tracing::debug!(
                                "a message could not be deleted; SQS delivers it again if it is there: {code}"
                            );
                            self.forget_deleted(entry.delivery);
                        }
                        Some(EntryOutcome::Retry { code }) => self.retry_delete(queue, &entry, &code, now_ms),
                        None => self.retry_delete(queue, &entry, "no answer for this entry", now_ms),
                    }
                }
            }
            Err(error) if ok || self.is_closed => {
                let text = error.to_string();
                for entry in entries {
                    self.retry_delete(queue, &entry, &text, now_ms);
                }
            }
            Err(error) => {
                // No entry is at fault: they wait until SQS answers again.
                self.lines[queue].deletes.put_back(entries.into_iter().map(|entry| entry.delivery).collect());
                if failures.is_power_of_two() {
                    let name = &self.names[queue];
                    tracing::warn!(queue = name, failures, "messages cannot be deleted yet and wait: {error}");
                }
            }
        }
    }

    fn delete_done(&mut self, queue: QueueId, entry: &DeleteEntry, now_ms: u64) {
        let newest = self.all.get(entry.delivery).is_none_or(|delivery| *delivery.receipt == *entry.receipt);
        if newest {
            self.counts.deleted += 1;
            self.forget_deleted(entry.delivery);
        } else {
            // Delivered again meanwhile: an older receipt may not have deleted it.
            self.lines[queue].deletes.push(entry.delivery, now_ms + LINGER_MS);
        }
    }

    fn forget_deleted(&mut self, id: DeliveryId) {
        if let Some(delivery) = self.forget(id) {
            self.consumed.insert(Arc::clone(&delivery.message_id));
        }
    }

    fn retry_delete(&mut self, queue: QueueId, entry: &DeleteEntry, why: &str, now_ms: u64) {
        let Some(delivery) = self.all.get_mut(entry.delivery) else { return };
        let tries = delivery.count_try();
        if tries < if self.is_closed { TRIES_AT_THE_END } else { TRIES } {
            let at = now_ms + doubling_ms(FIRST_BACK_OFF_MS, tries, LONGEST_BACK_OFF_MS);
            self.lines[queue].deletes.push_later(entry.delivery, at);
            return;
        }
        self.forget_deleted(entry.delivery);
        self.counts.deletes_given_up += 1;
        let given_up = self.counts.deletes_given_up;
        if given_up.is_power_of_two() {
            let name = &self.names[queue];
            tracing::warn!(
                queue = name,
                given_up,
                "messages could not be deleted; each is tried again when SQS delivers it again: {why}"
            );
        }
    }
}
