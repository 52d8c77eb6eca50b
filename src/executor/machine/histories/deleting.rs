//! What is promised of messages: when they may be deleted, and for how long they may be hidden.

use super::ledger::Task;
use super::sqs::{About, Reported};
use super::world::World;
use crate::executor::machine::{ChangeEntry, DeleteEntry};
use crate::executor::ports::QueueId;
use crate::executor::settings::QueueKind;
use std::sync::Arc;

impl World {
    /// A message is deleted only if what it says is safe: the host has acknowledged it, or its task has ended already. A
    /// message of another executor is never deleted.
    pub(super) fn check_delete(&mut self, site: usize, entry: &DeleteEntry) {
        let (number, _) = self.sqs.of_receipt(&entry.receipt);
        let message = &self.sqs.messages[number];
        let (of, named) = match &message.about {
            About::Other { key } => {
                // Adopted without an id: every message of the key is its own.
                let mut any_of_key = self.tasks.iter().filter(|task| task.site == site && task.attempt.is_none());
                return assert!(any_of_key.any(|task| task.key == *key), "m{number} of another executor is deleted");
            }
            About::SuccessRecord => return,
            About::Malformed => {
                // One that SQS moved from the results queue is the same message still.
                let kind = self.sites[site].settings.queues[message.sent_to].kind;
                return assert_eq!(kind, QueueKind::Results, "m{number} may be a dead letter of another function");
            }
            About::Report { of, named } => (of.clone(), *named),
        };
        for reported in &of {
            self.check_delete_of(site, number, reported, named);
        }
        if let ([reported], false) = (of.as_slice(), named) {
            self.note_taken_by_key(site, &reported.key, number);
        }
    }

    /// What a message says of this submission is safe without it.
    fn check_delete_of(&self, site: usize, number: usize, reported: &Reported, named: bool) {
        let Reported { key, attempt, .. } = reported;
        let ours = self.tasks.iter().filter(|task| task.site == site);
        let ours = ours.filter(|task| match task.attempt {
            Some(of) if named => of == *attempt,
            _ => task.key == *key,
        });
        let host = &self.sites[site];
        let durable = |lsn: usize| !host.keeps_records || lsn > 0 && lsn <= host.store.durable;
        let (mut is_safe, mut must_wait) = (false, false);
        for task in ours {
            let is_source = task.ended.is_some_and(|ended| ended.source == Some(number));
            let acknowledged = task.acknowledged && durable(task.acknowledged_lsn);
            is_safe |= acknowledged || task.has_ended() && durable(task.ended_lsn);
            // It was sent again, or this is about a try before the last: the message is not needed.
            is_safe |= (reported.not_run || reported.dead_batch) && task.released_at.is_some();
            // After a crash its record is enough: that has the whole event.
            must_wait |= is_source && !acknowledged && !task.gone && (!task.recovered || !host.keeps_records);
        }
        assert!(is_safe && !must_wait, "m{number} is deleted, and what it says of `{key}` is not safe");
    }

    /// Without an id no executor takes more messages of a key than Lambda may have accepted events of it.
    pub(super) fn note_taken_by_key(&mut self, site: usize, key: &Arc<str>, number: usize) {
        if self.taken_by_key.contains(&(site, Arc::clone(key), number)) {
            return;
        }
        self.taken_by_key.push((site, Arc::clone(key), number));
        let taken = self.taken_by_key.iter().filter(|(of, other, _)| *of == site && other == key).count();
        let mut accepted = 0;
        for task in self.tasks.iter_mut().filter(|task| task.site == site && task.key == *key) {
            // Whatever becomes of a call that is under way: it may have been the one.
            task.tries.iter_mut().for_each(|one| one.was_taken |= one.verdict.is_none());
            accepted += task.tries.iter().filter(|one| one.may_run() || one.was_taken).count();
            accepted += usize::from(task.adopted || task.recovered);
        }
        assert!(taken <= accepted, "{taken} messages of `{key}` are taken, at most {accepted} can be ours");
    }

    /// A message whose event waits is hidden, from others too; any other is hidden no longer than the configuration says.
    pub(super) fn check_visibility(&self, site: usize, queue: QueueId, entry: &ChangeEntry) {
        let (number, newest) = self.sqs.of_receipt(&entry.receipt);
        let host = &self.sites[site];
        let waiting: Vec<&Task> = self
            .tasks
            .iter()
            .filter(|task| {
                let is_source = task.ended.is_some_and(|ended| ended.source == Some(number));
                task.site == site && is_source && !task.gone && !task.acknowledged
            })
            .collect();
        let waits = waiting.iter().any(|task| !task.recovered);
        if host.host.is_closed {
            assert_eq!(entry.seconds, 0, "m{number} is not released at the end");
        } else if self.sqs.messages[number].was_mixed {
            let most = host.settings.max_unmatched_delay_s.max(20);
            assert!(entry.seconds <= most, "m{number} is hidden for {} s", entry.seconds);
        } else if waits && newest && self.sqs.messages[number].queue == queue {
            assert!((1..=20).contains(&entry.seconds), "m{number} waits for the host, hidden for {} s", entry.seconds);
        } else if waiting.is_empty() {
            if let Some(([reported], true)) = self.sqs.messages[number].reports() {
                let is_safe = |lsn: usize| lsn > 0 && lsn <= host.store.durable;
                let is_its_own =
                    |task: &&Task| task.site == site && task.attempt == Some(reported.attempt) && !task.gone;
                let of_it: Vec<_> = self.tasks.iter().filter(is_its_own).collect();
                let is_done = !of_it.is_empty() && of_it.iter().all(|task| is_safe(task.acknowledged_lsn));
                // The machine may not have been informed yet that the record is durable: then it still extends.
                assert!(
                    !is_done || entry.is_extension(),
                    "m{number} is released, and its task was acknowledged {entry:?} {:?} {of_it:#?}",
                    self.sqs.messages[number]
                );
            }
            let most = host.settings.max_unmatched_delay_s.max(20);
            assert!(entry.seconds <= most, "m{number} is hidden for {} s", entry.seconds);
        }
    }
}
