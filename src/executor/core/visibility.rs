//! Changes of visibility: what is held is hidden for longer, what is not ours is given back.

use super::{FailureClass, class};
use super::batches::Batches;
use super::deletes::TRIES_AT_THE_END;
use super::table::HeldId;
use super::{Action, Core, Phase};
use crate::executor::ports::{CallError, EntryOutcome, QueueId};

/// Extensions that are due within this time of each other go in one call.
const EXTENSION_SLACK_MS: u64 = 5_000;

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

/// Changes of one queue that wait to be sent.
pub(super) type PendingChanges = Batches<ReleaseEntry>;

impl Core {
    /// Gives a message that is not ours back, to be seen again after `seconds`.
    pub(super) fn release(receipt: String, seconds: u32) -> ReleaseEntry {
        ReleaseEntry { receipt, seconds, held: None, tries: 0 }
    }

    /// Hides each message that is held for longer, when half its time is over.
    pub(super) fn extend_visibility(&mut self) {
        let now = self.now.mono_ms;
        if self.phase == Phase::Closed || self.extensions.first().is_none_or(|(at, _)| *at > now) {
            return;
        }
        while let Some(&(at, id)) = self.extensions.first()
            && at <= now + EXTENSION_SLACK_MS
        {
            self.extensions.pop_first();
            let Some(held) = self.held.get_mut(&id) else { continue };
            let (queue, receipt, seconds) = (held.queue, held.receipt.to_string(), held.extended());
            let entry = ReleaseEntry { receipt, seconds, held: Some(id), tries: 0 };
            self.pollers[queue].changes.push(entry, now);
        }
    }

    /// Sends as many changes as may be under way at once.
    pub(super) fn flush_changes(&mut self) {
        let (now, ending) = (self.now.mono_ms, self.phase == Phase::Closed);
        for (queue, poller) in self.pollers.iter_mut().enumerate() {
            while let Some(mut entries) = poller.changes.take(now, ending) {
                // An extension that had to wait may have been overtaken by the acknowledgement or by a newer receipt.
                entries.retain(|entry| match entry.held {
                    Some(id) => self.held.get(&id).is_some_and(|held| *held.receipt == *entry.receipt),
                    None => true,
                });
                if entries.is_empty() {
                    poller.changes.untake();
                    continue;
                }
                self.counters.visibility_calls += 1;
                self.counters.billed.queue_call(self.settings.queues[queue].fifo);
                self.actions.push(Action::ChangeVisibility { queue, entries });
            }
        }
    }

    /// The answer to [`Action::ChangeVisibility`].
    pub(crate) fn visibility_changed(
        &mut self,
        queue: QueueId,
        entries: Vec<ReleaseEntry>,
        answer: Result<Vec<EntryOutcome>, CallError>,
    ) {
        let well = !answer.as_ref().is_err_and(|error| class(error) != FailureClass::Permanent);
        self.pollers[queue].changes.answered(well, self.now.mono_ms, &mut self.jitter);
        let outcomes = answer.unwrap_or_else(|error| {
            tracing::debug!("visibility could not be changed: {error}");
            vec![EntryOutcome::Retry { code: error.code }; entries.len()]
        });
        if self.phase == Phase::Closed {
            self.release_again(queue, entries, outcomes);
        } else {
            for (entry, outcome) in entries.into_iter().zip(outcomes) {
                // What is not released in time becomes visible by itself.
                if let Some(id) = entry.held {
                    self.extended(id, &entry.receipt, &outcome);
                }
            }
        }
        self.tick();
    }

    fn extended(&mut self, id: HeldId, receipt: &str, outcome: &EntryOutcome) {
        let now = self.now.mono_ms;
        let Some(held) = self.held.get_mut(&id) else { return };
        if *held.receipt != *receipt {
            return; // It came back meanwhile: what was done to the old receipt tells nothing of the new one.
        }
        let next = match outcome {
            EntryOutcome::Done => now + u64::from(held.visibility_s()) * 500,
            EntryOutcome::Retry { .. } => now + EXTENSION_SLACK_MS,
            // SQS's 12 h are over: it may come back, and is known then.
            EntryOutcome::Gone { .. } => return,
        };
        held.extend_at = Some(next);
        self.extensions.insert((next, id));
    }

    /// At the end: whoever comes next sees these at once.
    pub(super) fn release_everything_held(&mut self) {
        for poller in &mut self.pollers {
            poller.changes.retain(|entry| {
                entry.seconds = 0;
                entry.held.is_none()
            });
        }
        for held in std::mem::take(&mut self.held).into_values() {
            self.pollers[held.queue].changes.push(Self::release(held.receipt.into(), 0), 0);
        }
        self.held_bytes = 0;
        self.held_by_message.clear();
        self.extensions.clear();
        self.flush_changes();
    }

    fn release_again(&mut self, queue: QueueId, entries: Vec<ReleaseEntry>, outcomes: Vec<EntryOutcome>) {
        for (mut entry, outcome) in entries.into_iter().zip(outcomes) {
            entry.tries += 1;
            // An extension that was under way at the end may have come after the release, and hidden it again.
            let extended = entry.held.take().is_some();
            let failed = matches!(outcome, EntryOutcome::Retry { .. }) && entry.tries < TRIES_AT_THE_END;
            if extended || failed {
                entry.seconds = 0;
                self.pollers[queue].changes.push(entry, 0);
            }
        }
        self.flush_changes();
    }
}
