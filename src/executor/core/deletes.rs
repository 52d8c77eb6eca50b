//! Messages that are done with: deleted in batches, and tried again until they are gone.

use super::{FailureClass, class};
use super::backoff::doubling_ms;
use super::batches::Batches;
use super::table::HeldId;
use super::{Action, Core, Phase};
use crate::executor::ports::{CallError, EntryOutcome, QueueId};
use std::collections::{HashSet, VecDeque};

/// Deletes wait so long for company.
const LINGER_MS: u64 = 50;
/// After SQS has refused one entry so often its message is left to come back, when it is deleted as a duplicate.
const TRIES: u32 = 6;
/// At the end there is no time to wait between tries: so many in all, at once, for a connection that just broke.
pub(super) const TRIES_AT_THE_END: u32 = 3;
const FIRST_BACK_OFF_MS: u64 = 200;
const MOST_BACK_OFF_MS: u64 = 10_000;
const REMEMBERED_MESSAGES: usize = 16_384;

/// A message to be deleted.
#[derive(Clone, Debug)]
pub(crate) struct DeleteEntry {
    pub(crate) receipt: String,
    tries: u32,
}

/// Deletes of one queue that wait to be sent.
pub(super) type PendingDeletes = Batches<DeleteEntry>;

/// Ids of the messages consumed last: one that comes back although it was deleted is known by it, even when it names
/// no attempt.
#[derive(Debug, Default)]
pub(super) struct Consumed {
    ids: HashSet<Box<str>>,
    oldest_first: VecDeque<Box<str>>,
}

impl Consumed {
    pub(super) fn insert(&mut self, id: Box<str>) {
        if !self.ids.insert(id.clone()) {
            return;
        }
        self.oldest_first.push_back(id);
        if self.oldest_first.len() > REMEMBERED_MESSAGES
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

impl Core {
    /// Its event is acknowledged.
    pub(super) fn delete_held(&mut self, id: HeldId) {
        if let Some(held) = self.let_go(id) {
            self.delete(held.queue, held.receipt.into());
            self.consumed.insert(held.message_id);
        }
    }

    /// Asks for a message to be deleted, soon.
    pub(super) fn delete(&mut self, queue: QueueId, receipt: String) {
        let send_at = self.now.mono_ms + LINGER_MS;
        self.pollers[queue].deletes.push(DeleteEntry { receipt, tries: 0 }, send_at);
    }

    /// Sends full batches at once and the rest when it has waited long enough; all of it when ending.
    pub(super) fn flush_deletes(&mut self) {
        let (now, ending) = (self.now.mono_ms, self.phase == Phase::Closed);
        for (queue, poller) in self.pollers.iter_mut().enumerate() {
            while let Some(entries) = poller.deletes.take(now, ending) {
                self.counters.delete_calls += 1;
                self.counters.billed.queue_call(self.settings.queues[queue].fifo);
                self.actions.push(Action::Delete { queue, entries });
            }
        }
    }

    /// The answer to [`Action::Delete`].
    pub(crate) fn deleted(
        &mut self,
        queue: QueueId,
        entries: Vec<DeleteEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
    ) {
        let well = !answer.as_ref().is_err_and(|error| class(error) != FailureClass::Permanent);
        let failures = self.pollers[queue].deletes.answered(well, self.now.mono_ms, &mut self.jitter);
        match answer {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for entry in entries {
                    match outcomes.next() {
                        Some(EntryOutcome::Done) => self.counters.deleted += 1,
                        Some(EntryOutcome::Gone { code }) => {
                            self.counters.deletes_gone += 1;
                            tracing::debug!("a message could not be deleted and will come back if it is there: {code}");
                        }
                        Some(EntryOutcome::Retry { code }) => self.retry_delete(queue, entry, &code),
                        None => self.retry_delete(queue, entry, "no answer for this entry"),
                    }
                }
            }
            Err(error) if well || self.phase == Phase::Closed => {
                let text = error.to_string();
                for entry in entries {
                    self.retry_delete(queue, entry, &text);
                }
            }
            Err(error) => {
                // No entry is to blame: they wait until SQS answers again.
                self.pollers[queue].deletes.put_back(entries);
                if failures.is_power_of_two() {
                    let name = &self.settings.queues[queue].name;
                    tracing::warn!(queue = name, failures, "done messages cannot be deleted yet and wait: {error}");
                }
            }
        }
        self.tick();
    }

    fn retry_delete(&mut self, queue: QueueId, mut entry: DeleteEntry, why: &str) {
        entry.tries += 1;
        if entry.tries >= if self.phase == Phase::Closed { TRIES_AT_THE_END } else { TRIES } {
            self.counters.deletes_given_up += 1;
            let name = &self.settings.queues[queue].name;
            tracing::warn!(queue = name, "a message could not be deleted; it is deleted when it comes back: {why}");
            return;
        }
        let at = self.now.mono_ms + doubling_ms(FIRST_BACK_OFF_MS, entry.tries, MOST_BACK_OFF_MS);
        self.pollers[queue].deletes.push_later(entry, at);
    }
}
