//! Messages in SQS that we have received: those whose event the host has not acknowledged are kept hidden from others,
//! the others are deleted or given back.

use super::backoff::doubling_ms;
use super::table::HeldId;
use super::{Action, Core, Phase};
use crate::executor::ports::{CallError, EntryOutcome, Message, QueueId};
use std::collections::{HashSet, VecDeque};

/// Messages are received with this visibility.
pub(super) const FIRST_VISIBILITY_S: u32 = 60;
/// Extensions double up to this.
const MOST_VISIBILITY_S: u32 = 600;
/// Extensions that are due within this time of each other go in one call.
const EXTENSION_SLACK_MS: u64 = 5_000;
/// SQS's limit of a batch call.
const BATCH: usize = 10;
/// Deletes wait so long for company.
const DELETE_LINGER_MS: u64 = 50;
/// At the end there is no time to wait between tries: so many in all, at once, for a connection that just broke.
const TRIES_AT_THE_END: u32 = 3;
/// After so many failures the message is left to come back, when it is deleted as a duplicate.
const DELETE_TRIES: u32 = 6;
const MOST_DELETE_BACK_OFF_MS: u64 = 10_000;
const REMEMBERED_MESSAGES: usize = 16_384;
/// Batch deletes of one queue under way at once.
const DELETE_CALLS: usize = 8;

/// A message whose event has not been acknowledged.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) queue: QueueId,
    pub(super) message_id: Box<str>,
    pub(super) receipt: Box<str>,
    /// Extensions so far.
    extensions: u32,
    /// When it is extended (mono ms); `None` while an extension is under way or none is possible.
    extend_at: Option<u64>,
}

impl Held {
    /// Visibility asked for last, in s: 60 when received, then 60, 120, 240, … by extension.
    fn visibility_s(&self) -> u32 {
        FIRST_VISIBILITY_S.saturating_mul(1 << self.extensions.saturating_sub(1).min(8)).min(MOST_VISIBILITY_S)
    }
}

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

/// A message to be deleted.
#[derive(Clone, Debug)]
pub(crate) struct DeleteEntry {
    pub(crate) receipt: String,
    tries: u32,
}

/// A message whose visibility is to change.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseEntry {
    pub(crate) receipt: String,
    /// 0 gives it back.
    pub(crate) seconds: u32,
    /// The held message that this extends.
    held: Option<HeldId>,
    tries: u32,
}

/// Deletes of one queue that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct PendingDeletes {
    entries: Vec<DeleteEntry>,
    flush_at: Option<u64>,
    calls: usize,
}

impl PendingDeletes {
    pub(super) fn next_flush(&self) -> Option<u64> {
        if self.calls < DELETE_CALLS { self.flush_at } else { None }
    }

    pub(super) fn are_done(&self) -> bool {
        self.entries.is_empty() && self.calls == 0
    }
}

impl Core {
    /// Keeps a message for as long as its event is not acknowledged.
    pub(super) fn hold(&mut self, queue: QueueId, message: &Message) -> HeldId {
        let id = self.next_held;
        self.next_held += 1;
        let extend_at = self.now.mono_ms + u64::from(FIRST_VISIBILITY_S) * 500;
        self.held_by_message.insert(message.message_id.as_str().into(), id);
        self.held.insert(
            id,
            Held {
                queue,
                message_id: message.message_id.as_str().into(),
                receipt: message.receipt.as_str().into(),
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

    /// Its event is acknowledged.
    pub(super) fn delete_held(&mut self, id: HeldId) {
        if let Some(held) = self.let_go(id) {
            self.delete(held.queue, held.receipt.into());
            self.consumed.insert(held.message_id);
        }
    }

    fn let_go(&mut self, id: HeldId) -> Option<Held> {
        let held = self.held.remove(&id)?;
        self.held_by_message.remove(&held.message_id);
        if let Some(at) = held.extend_at {
            self.extensions.remove(&(at, id));
        }
        Some(held)
    }

    /// Asks for a message to be deleted, soon.
    pub(super) fn delete(&mut self, queue: QueueId, receipt: String) {
        self.put_delete(queue, DeleteEntry { receipt, tries: 0 }, DELETE_LINGER_MS);
    }

    fn put_delete(&mut self, queue: QueueId, entry: DeleteEntry, within_ms: u64) {
        let at = self.now.mono_ms + within_ms;
        let pending = &mut self.pollers[queue].deletes;
        pending.entries.push(entry);
        pending.flush_at = Some(pending.flush_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Sends full batches at once and the rest when it has waited long enough; all of it when ending.
    pub(super) fn flush_deletes(&mut self) {
        let (now, ending) = (self.now.mono_ms, self.phase == Phase::Closed);
        for (queue, poller) in self.pollers.iter_mut().enumerate() {
            let pending = &mut poller.deletes;
            while pending.calls < DELETE_CALLS
                && !pending.entries.is_empty()
                && (ending || pending.entries.len() >= BATCH || pending.flush_at.is_some_and(|at| at <= now))
            {
                let entries: Vec<_> = pending.entries.drain(..BATCH.min(pending.entries.len())).collect();
                pending.calls += 1;
                if pending.entries.is_empty() {
                    pending.flush_at = None;
                }
                self.counters.delete_calls += 1;
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
        self.pollers[queue].deletes.calls -= 1;
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
            Err(error) => {
                let text = error.to_string();
                for entry in entries {
                    self.retry_delete(queue, entry, &text);
                }
            }
        }
        self.tick();
    }

    fn retry_delete(&mut self, queue: QueueId, mut entry: DeleteEntry, why: &str) {
        entry.tries += 1;
        let most = if self.phase == Phase::Closed { TRIES_AT_THE_END } else { DELETE_TRIES };
        if entry.tries >= most {
            self.counters.deletes_given_up += 1;
            let name = &self.settings.queues[queue].name;
            tracing::warn!(queue = name, "a message could not be deleted; it is deleted when it comes back: {why}");
            return;
        }
        let wait = doubling_ms(200, entry.tries, MOST_DELETE_BACK_OFF_MS);
        self.put_delete(queue, entry, wait);
    }

    /// Hides each message that is held for longer, when half its time is over.
    pub(super) fn extend_visibility(&mut self) {
        let now = self.now.mono_ms;
        if self.phase == Phase::Closed || self.extensions.first().is_none_or(|(at, _)| *at > now) {
            return;
        }
        let mut due: Vec<Vec<ReleaseEntry>> = self.pollers.iter().map(|_| Vec::new()).collect();
        while let Some(&(at, id)) = self.extensions.first()
            && at <= now + EXTENSION_SLACK_MS
        {
            self.extensions.pop_first();
            let Some(held) = self.held.get_mut(&id) else { continue };
            held.extend_at = None;
            held.extensions += 1;
            let seconds = held.visibility_s();
            due[held.queue].push(ReleaseEntry { receipt: held.receipt.to_string(), seconds, held: Some(id), tries: 0 });
        }
        for (queue, entries) in due.into_iter().enumerate() {
            self.change_visibility(queue, entries);
        }
    }

    /// Asks for changes of visibility, now.
    pub(super) fn change_visibility(&mut self, queue: QueueId, entries: Vec<ReleaseEntry>) {
        for batch in entries.chunks(BATCH) {
            self.visibility_in_flight += 1;
            self.counters.visibility_calls += 1;
            self.actions.push(Action::ChangeVisibility { queue, entries: batch.to_vec() });
        }
    }

    /// Gives a message that is not ours back, to be seen again after `seconds`.
    pub(super) fn release(receipt: String, seconds: u32) -> ReleaseEntry {
        ReleaseEntry { receipt, seconds, held: None, tries: 0 }
    }

    /// The answer to [`Action::ChangeVisibility`].
    pub(crate) fn visibility_changed(
        &mut self,
        queue: QueueId,
        entries: Vec<ReleaseEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
    ) {
        self.visibility_in_flight -= 1;
        let now = self.now.mono_ms;
        let outcomes = answer.unwrap_or_else(|error| {
            tracing::debug!("visibility could not be changed: {error}");
            vec![EntryOutcome::Retry { code: error.code }; entries.len()]
        });
        if self.phase == Phase::Closed {
            let again = entries.into_iter().zip(outcomes).filter_map(|(mut entry, outcome)| {
                if entry.held.is_some() {
                    // An extension that was under way at the end may have come after the release, and hidden it again.
                    return Some(Self::release(entry.receipt, 0));
                }
                entry.tries += 1;
                entry.seconds = 0;
                (matches!(outcome, EntryOutcome::Retry { .. }) && entry.tries < TRIES_AT_THE_END).then_some(entry)
            });
            self.change_visibility(queue, again.collect());
            return;
        }
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            // What is not released in time becomes visible by itself.
            let Some(id) = entry.held else { continue };
            let Some(held) = self.held.get_mut(&id) else { continue };
            if *held.receipt != *entry.receipt {
                continue; // It came back meanwhile: what was done to the old receipt tells nothing of the new one.
            }
            let next = match outcome {
                EntryOutcome::Done => now + u64::from(held.visibility_s()) * 500,
                EntryOutcome::Retry { .. } => now + EXTENSION_SLACK_MS,
                // SQS's 12 h are over: it may come back, and is known then.
                EntryOutcome::Gone { .. } => continue,
            };
            held.extend_at = Some(next);
            self.extensions.insert((next, id));
        }
        self.tick();
    }

    /// At the end: whoever comes next sees these at once.
    pub(super) fn release_everything_held(&mut self) {
        let mut by_queue: Vec<Vec<ReleaseEntry>> = self.pollers.iter().map(|_| Vec::new()).collect();
        for held in std::mem::take(&mut self.held).into_values() {
            by_queue[held.queue].push(Self::release(held.receipt.into(), 0));
        }
        self.held_by_message.clear();
        self.extensions.clear();
        for (queue, entries) in by_queue.into_iter().enumerate() {
            self.change_visibility(queue, entries);
        }
    }
}
