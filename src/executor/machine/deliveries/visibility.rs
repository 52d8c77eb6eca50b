//! Hiding our messages while their event waits, releasing those of others, and everything when the executor closes.

use super::batches::MOST_CALLS;
use super::deletes::TRIES_AT_THE_END;
use super::delivery::LONGEST_VISIBILITY_S;
use super::{Call, Deliveries, DeliveryId};
use crate::executor::ports::{CallError, EntryOutcome, QueueId};

/// Extensions that are due within this time of each other go in one call, in ms.
const EXTENSION_SLACK_MS: u64 = 2_000;
/// Extensions that are made ready under one lock.
const EXTENSIONS_AT_ONCE: usize = 1_000;
/// Releases of others' messages that wait. The visibility of more than that ends by itself before they are sent.
const MOST_RELEASES: usize = 1_000;

/// A message in a call of ChangeMessageVisibilityBatch.
#[derive(Clone, Debug)]
pub(crate) struct ChangeEntry {
    pub(crate) receipt: String,
    /// Hidden for so long from now on; 0 releases it.
    pub(crate) seconds: u32,
    /// Ours, which this extends.
    delivery: Option<DeliveryId>,
    tries: u32,
    /// Of the line that goes first.
    is_own: bool,
}

impl ChangeEntry {
    pub(super) fn release(receipt: Box<str>, seconds: u32) -> Self {
        Self { receipt: receipt.into(), seconds, delivery: None, tries: 0, is_own: true }
    }

    /// It hides a message that is held for longer: for the checks of the histories.
    #[cfg(test)]
    pub(in crate::executor::machine) fn is_extension(&self) -> bool {
        self.delivery.is_some()
    }
}

impl Deliveries {
    /// Releases a message that is not ours: others see it after `seconds`.
    pub(in crate::executor::machine) fn release(
        &mut self,
        queue: QueueId,
        receipt: Box<str>,
        seconds: u32,
        now_ms: u64,
    ) {
        let entry = ChangeEntry { is_own: self.is_closed, ..ChangeEntry::release(receipt, seconds) };
        let line = &mut self.lines[queue];
        if self.is_closed {
            line.own.push(entry, 0);
        } else if line.others.len() < MOST_RELEASES {
            line.others.push(entry, now_ms);
        }
    }

    /// Hides each message that is held for longer, when half its time is over.
    pub(super) fn extend_in_time(&mut self, now_ms: u64) {
        if self.extensions.first().is_none_or(|(at, _)| *at > now_ms) {
            return;
        }
        for _ in 0..EXTENSIONS_AT_ONCE {
            let Some(&(at, id)) = self.extensions.first() else { return };
            if at > now_ms + EXTENSION_SLACK_MS {
                return;
            }
            self.extensions.pop_first();
            let Some(delivery) = self.all.get_mut(id) else { continue };
            delivery.set_extend_at(None);
            let entry = ChangeEntry {
                receipt: delivery.receipt.as_ref().into(),
                seconds: LONGEST_VISIBILITY_S,
                delivery: Some(id),
                tries: 0,
                is_own: true,
            };
            self.lines[delivery.queue].own.push(entry, now_ms);
        }
    }

    pub(super) fn change_calls(&mut self, queue: QueueId, now_ms: u64, calls: &mut Vec<Call>) {
        let closed = self.is_closed;
        while let Some(mut entries) = self.lines[queue].own.take(now_ms, closed) {
            // An extension that had to wait may have been overtaken by the acknowledgement or by a newer receipt.
            entries.retain(|entry| match entry.delivery {
                Some(id) => self.all.get(id).is_some_and(|d| d.is_held() && *d.receipt == *entry.receipt),
                None => true,
            });
            if entries.is_empty() {
                self.lines[queue].own.not_called();
                continue;
            }
            self.counts.visibility_calls += 1;
            calls.push(Call::ChangeVisibility { queue, entries });
        }
        while let Some(entries) = self.lines[queue].others.take(now_ms, closed) {
            self.counts.visibility_calls += 1;
            calls.push(Call::ChangeVisibility { queue, entries });
        }
        debug_assert!(calls.len() <= 4 * MOST_CALLS * self.lines.len());
    }

    /// The answer to [`Call::ChangeVisibility`].
    pub(in crate::executor::machine) fn visibility_changed(
        &mut self,
        queue: QueueId,
        entries: Vec<ChangeEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
        now_ms: u64,
    ) {
        let is_own = entries.first().is_some_and(|entry| entry.is_own);
        let line = &mut self.lines[queue];
        let batches = if is_own { &mut line.own } else { &mut line.others };
        let failures = batches.answered(answer.is_ok(), now_ms, &mut self.jitter);
        let outcomes = answer.unwrap_or_else(|error| {
            if failures.is_power_of_two() {
                tracing::warn!(
                    queue = self.names[queue],
                    failures,
                    "the visibility of messages cannot be changed; results that wait for an acknowledgement may be \
                     delivered again: {error}"
                );
            }
            vec![EntryOutcome::Retry { code: error.code }; entries.len()]
        });
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            if self.is_closed {
                self.release_again(queue, entry, &outcome);
            } else if let Some(id) = entry.delivery {
                self.extended(id, &entry.receipt, &outcome, now_ms);
            }
            // What is not released becomes visible by itself.
        }
    }

    fn extended(&mut self, id: DeliveryId, receipt: &str, outcome: &EntryOutcome, now_ms: u64) {
        let Some(delivery) = self.all.get_mut(id).filter(|delivery| delivery.is_held()) else { return };
        if *delivery.receipt != *receipt {
            return; // It was delivered again meanwhile: what was done to the old receipt says nothing of the new one.
        }
        let next = match outcome {
            EntryOutcome::Done => now_ms + u64::from(LONGEST_VISIBILITY_S) * 500,
            EntryOutcome::Retry { .. } => now_ms + EXTENSION_SLACK_MS,
            // SQS's 12 h are over: it may be delivered again, and is recognised then.
            EntryOutcome::Gone { .. } => return,
        };
        delivery.set_extend_at(Some(next));
        self.extensions.insert((next, id));
    }

    /// At the end: an extension that was under way may have come after the release, and hidden the message again.
    fn release_again(&mut self, queue: QueueId, mut entry: ChangeEntry, outcome: &EntryOutcome) {
        entry.tries += 1;
        // Held messages were forgotten at the close: one that is still known is being deleted.
        let was_extended = entry.delivery.take().is_some_and(|id| self.all.get(id).is_none());
        let failed = matches!(outcome, EntryOutcome::Retry { .. }) && entry.tries < TRIES_AT_THE_END;
        if was_extended || failed {
            (entry.seconds, entry.is_own) = (0, true);
            self.lines[queue].own.push(entry, 0);
        }
    }
}
