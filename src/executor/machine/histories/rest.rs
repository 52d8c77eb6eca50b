//! The end of a history: everything works again, and the executors must come to rest with nothing left undone.

use super::lambda::Mood;
use super::sqs::SqsMood;
use super::world::World;
use crate::executor::task::TaskState;

/// Longer than any limit of the settings, one after the other.
const LONG_ENOUGH_MS: u64 = 3 * 3_600_000;

impl World {
    /// Everything works again: each task must come to its end.
    pub(super) fn come_to_rest(&mut self) {
        self.lambda.moods.fill(Mood::Well);
        self.sqs.mood = SqsMood::Well;
        self.check_resumption();
        for site in 0..self.sites.len() {
            if !self.sites[site].host.is_closed {
                continue;
            }
            if self.sites[site].keeps_records {
                self.crash(site);
            } else {
                self.end_closed(site);
            }
        }
        let (began, mut traffic) = (self.now, 0);
        loop {
            assert!(self.now < began + LONG_ENOUGH_MS, "these tasks do not end: {:#?}", self.unfinished());
            for site in (0..self.sites.len()).filter(|site| !self.sites[*site].host.is_closed).collect::<Vec<_>>() {
                self.host_takes(site, 1_000);
                self.host_acknowledges(site, 100);
                self.drive(site);
                // Only others' successes show that an event fails by itself.
                if traffic < 40 && self.unfinished().iter().any(|task| task.poisonous && task.site == site) {
                    traffic += 1;
                    self.host_queues(site);
                }
            }
            if self.is_at_rest() {
                break;
            }
            let next = self.next_happening().unwrap_or_else(|| panic!("nothing happens: {:#?}", self.unfinished()));
            self.advance(next.saturating_sub(self.now).clamp(1, 30_000));
        }
        self.check_rest();
    }

    fn unfinished(&self) -> Vec<&super::ledger::Task> {
        self.tasks.iter().filter(|task| !task.gone && !task.acknowledged).collect()
    }

    fn is_at_rest(&self) -> bool {
        let is_idle = |site: &super::site::Site| {
            let durable = site.store.durable == site.store.records.len();
            site.host.is_closed
                || durable && site.machine.deliveries.in_flight() == 0 && !site.machine.has_waiting_events()
        };
        self.unfinished().is_empty()
            && self.sites.iter().all(is_idle)
            && self.calls.is_empty()
            && self.lambda.runs.is_empty()
    }

    /// Work goes on within a second after an outage ends, or within a tenth of its length; later where Lambda asked for a
    /// longer pause.
    fn check_resumption(&mut self) {
        let mut stopped = Vec::new();
        for (index, site) in self.sites.iter().enumerate() {
            let submission = &site.machine.submission;
            if submission.trouble().is_some() || submission.queue_check().is_some() || site.host.is_closed {
                continue;
            }
            for (number, route) in submission.routes().iter().enumerate() {
                let Some(open) = route.open().filter(|open| !open.is_first_check()) else { continue };
                let poisonous = self.tasks.iter().any(|task| task.poisonous && task.route == number && !task.gone);
                if poisonous || site.store.is_slow() || route.settings.max_invokes_per_second == 1 {
                    continue;
                }
                let length_ms = self.now.saturating_sub(site.virtual_ms(open.since.mono_ms));
                let pause_ms = site.pauses[number].saturating_sub(self.now);
                stopped.push((index, number, (length_ms / 10).clamp(1_000, 30_000).max(pause_ms)));
            }
        }
        let Some(longest) = stopped.iter().map(|(.., ms)| *ms).max() else { return };
        // Calls that are under way take up to 2 s.
        let mut ends: Vec<_> =
            stopped.into_iter().map(|(site, route, ms)| (self.now + ms + 5_000, site, route)).collect();
        ends.sort_unstable();
        for (at, site, route) in ends {
            self.advance(at.saturating_sub(self.now).max(1));
            let submission = &self.sites[site].machine.submission;
            let line = &submission.routes()[route];
            let is_saturated = line.settings.max_running_tasks > 0 && line.active >= line.settings.max_running_tasks;
            let waits = line.line().any(|id| {
                let task = self.sites[site].machine.tasks.get(id);
                task.is_some_and(|task| task.state == TaskState::Queued)
            });
            // A task whose back-off has just ended waits for the probe that it starts.
            let stands = line.open().is_some_and(|open| !open.probing)
                && waits
                && !is_saturated
                && submission.trouble().is_none();
            assert!(!stands, "work does not go on within {longest} ms after the outage");
        }
    }

    /// An executor that was closed: what the host has not acknowledged is there for the next process.
    fn end_closed(&mut self, site: usize) {
        // A poll that was aborted may take messages 20 s later, for 15 s.
        self.advance(40_000);
        assert!(self.sites[site].machine.is_quiet(), "closed, and not quiet");
        assert_eq!(self.sites[site].machine.next_timer(), None, "closed, and it wants to be woken");
        for task in self.tasks.iter_mut().filter(|task| task.site == site && !task.acknowledged && !task.gone) {
            task.gone = true;
            let source = task.ended.and_then(|ended| ended.source);
            let Some(message) = source.map(|number| &self.sqs.messages[number]) else { continue };
            let readers = self.sites.len() > 1 || message.deleted || message.was_mixed;
            assert!(readers || message.visible_at <= self.now, "the result of `{}` stays hidden", task.key);
        }
    }

    /// Nothing is left to do, and nothing was left undone.
    fn check_rest(&mut self) {
        for _ in 0..20 {
            self.advance(40_000);
            if self.next_happening().is_none() {
                break;
            }
        }
        for site in &self.sites {
            let machine = &site.machine;
            assert!(machine.is_quiet(), "at rest, and not quiet");
            assert_eq!(machine.next_timer(), None, "at rest, and it wants to be woken");
            assert_eq!(machine.counts.ended_twice, 0);
            if site.host.is_closed {
                continue;
            }
            assert_eq!(machine.remaining(), 0);
            let keeps = site.settings.keep_finished;
            for (what, size) in machine.tasks.sizes().into_iter().chain(machine.submission.sizes()) {
                let is_kept = matches!(what, "tasks" | "newest_of_key" | "by_attempt" | "invocations" | "by_request");
                let most = if is_kept && keeps > 1 {
                    1_000
                } else if is_kept {
                    3 * keeps
                } else {
                    0
                };
                assert!(size <= most, "{size} {what} are left, at most {most}");
            }
            for (what, size) in machine.deliveries.sizes() {
                assert_eq!(size, 0, "{what} are left");
            }
        }
        assert!(self.calls.is_empty(), "at rest, and calls are under way: {:?}", self.calls);
        for task in &self.tasks {
            let Some(number) = task.ended.and_then(|ended| ended.source).filter(|_| task.acknowledged) else {
                continue;
            };
            let message = &self.sqs.messages[number];
            let given_up = self.sites[task.site].machine.deliveries.counts.deletes_given_up > 0;
            let excused = message.was_mixed
                || message.came_back
                || given_up
                || task.recovered
                || self.sites[task.site].host.is_closed;
            assert!(message.deleted || excused, "m{number} was acknowledged and is not deleted: {message:?}");
        }
    }
}
