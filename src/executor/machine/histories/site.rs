//! One executor as its process runs it: the machine, its clocks, its storage, and the settings of its host.

use super::dice::Dice;
use super::ledger::Host;
use crate::executor::machine::{Machine, Record};
use crate::executor::ports::Now;
use crate::executor::settings::{QueueKind, QueueSettings, RouteSettings, Settings};
use std::collections::VecDeque;
use std::sync::Arc;

/// Records on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) records: Vec<Record>,
    /// How many survive a crash.
    pub(super) durable: usize,
    /// When so many will be durable.
    writes: VecDeque<(u64, usize)>,
    /// How long a write takes; 0 is at once.
    write_ms: u64,
    stalled_until: u64,
}

impl Store {
    pub(super) fn append(&mut self, records: Vec<Record>, now: u64) {
        if records.is_empty() {
            return;
        }
        self.records.extend(records);
        let earliest = self.writes.back().map_or(0, |(at, _)| *at).max(self.stalled_until);
        self.writes.push_back(((now + self.write_ms).max(earliest), self.records.len()));
        self.write(now);
    }

    /// Finishes the writes that are due.
    pub(super) fn write(&mut self, now: u64) {
        while let Some((at, len)) = self.writes.front().copied()
            && at <= now
        {
            self.writes.pop_front();
            self.durable = len;
        }
    }

    pub(super) fn next_write(&self) -> Option<u64> {
        self.writes.front().map(|(at, _)| *at)
    }

    /// Writes do not finish at once.
    pub(super) fn is_slow(&self) -> bool {
        self.write_ms > 0 || self.stalled_until > 0
    }

    pub(super) fn stall(&mut self, until: u64) {
        self.stalled_until = until;
        for (at, _) in &mut self.writes {
            *at = (*at).max(until);
        }
    }

    /// What was not durable may have been written all the same, up to some position.
    pub(super) fn crash(&mut self, dice: &mut Dice) {
        let unsure = self.records.len() - self.durable;
        self.durable += dice.below(unsure as u64 + 1) as usize;
        self.records.truncate(self.durable);
        self.writes.clear();
    }
}

/// An executor.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) machine: Machine,
    pub(super) settings: Arc<Settings>,
    pub(super) keeps_records: bool,
    pub(super) store: Store,
    pub(super) host: Host,
    /// Its mono time at virtual time 0, which differs in each process.
    mono_ms: u64,
    /// Its Unix time at virtual time 0; jumps.
    unix_ms: i64,
    /// Letter before its keys: executors may use the same.
    pub(super) prefix: &'static str,
    /// When calls succeeded, for each route: others' failures were their own.
    pub(super) successes: Vec<Vec<u64>>,
    /// Until when Lambda asked for a pause, for each route.
    pub(super) pauses: Vec<u64>,
    /// When calls began, for each route.
    pub(super) starts: Vec<VecDeque<u64>>,
    /// When its process started.
    pub(super) started_at: u64,
}

impl Site {
    pub(super) fn new(settings: Settings, prefix: &'static str, now: u64, dice: &mut Dice) -> Self {
        let settings = Arc::new(settings);
        let keeps_records = dice.percent(70);
        let (mono_ms, unix_ms) = (dice.one_of(&[0, 1_000, 900_000_000]), super::START_UNIX_MS);
        let store = Store { write_ms: dice.one_of(&[0, 0, 3, 200]), ..Store::default() };
        let at = Now { mono_ms: mono_ms + now, unix_ms: unix_ms + now as i64 };
        Self {
            machine: Machine::new(Arc::clone(&settings), at, keeps_records),
            keeps_records,
            store,
            host: Host::default(),
            mono_ms,
            unix_ms,
            prefix,
            successes: vec![Vec::new(); settings.routes.len()],
            pauses: vec![0; settings.routes.len()],
            starts: vec![VecDeque::new(); settings.routes.len()],
            started_at: now,
            settings,
        }
    }

    pub(super) fn now(&self, now: u64) -> Now {
        Now { mono_ms: self.mono_ms + now, unix_ms: self.unix_ms + now as i64 }
    }

    /// Virtual time of a mono time of this process.
    pub(super) fn virtual_ms(&self, mono_ms: u64) -> u64 {
        mono_ms.saturating_sub(self.mono_ms)
    }

    pub(super) fn jump_wall_clock(&mut self, by_ms: i64) {
        self.unix_ms += by_ms;
    }

    /// Another process takes the place of the one that died.
    pub(super) fn restart(&mut self, now: u64, dice: &mut Dice) {
        self.mono_ms = dice.one_of(&[0, 5_000, 1_000_000_000]);
        self.started_at = now;
        self.host = Host::default();
        self.starts.iter_mut().for_each(VecDeque::clear);
        let (settings, at) = (Arc::clone(&self.settings), self.now(now));
        self.machine = if self.keeps_records {
            Machine::recover(settings, at, self.store.records.clone())
        } else {
            Machine::new(settings, at, false)
        };
    }

    pub(super) fn last_success(&self, route: usize) -> u64 {
        self.successes[route].last().copied().unwrap_or(0)
    }
}

/// Small limits, so that short histories meet them.
pub(super) fn settings(dice: &mut Dice) -> Settings {
    let routes = if dice.percent(30) { 2 } else { 1 };
    let mut queues = Settings::default().queues;
    if dice.percent(15) {
        queues.insert(1, QueueSettings { name: "more results".into(), kind: QueueKind::Results, fifo: false });
    }
    Settings {
        routes: (0..routes)
            .map(|n| RouteSettings {
                name: if n == 0 { "default".into() } else { format!("route{n}") },
                max_concurrent_invokes: dice.one_of(&[1, 2, 4, 64]),
                max_invokes_per_second: dice.one_of(&[0, 0, 0, 1, 20]),
                max_running_tasks: dice.one_of(&[0, 0, 1, 3]),
                result_timeout_ms: dice.one_of(&[30_000, 120_000, 600_000]),
                batch_size: dice.one_of(&[1, 1, 2, 5]),
                batch_wait_ms: dice.one_of(&[0, 50, 3_000]),
                batch_parallel: 1,
                batch_bytes: dice.one_of(&[150, 1_000_000]),
                batch_resubmit: dice.percent(50),
            })
            .collect(),
        queues,
        route_by_queue: routes > 1,
        max_invoke_attempts: dice.one_of(&[1, 2, 3, 3]),
        max_queued_tasks: dice.one_of(&[3, 100, 100]),
        max_unacked_results: dice.one_of(&[2, 4, 10_000]),
        keep_finished: dice.one_of(&[0, 1, 10_000]),
        max_outage_ms: dice.one_of(&[20_000, 60_000, 600_000]),
        max_unmatched_delay_s: dice.one_of(&[60, 60, 4]),
        running_events: dice.percent(80),
        check_health_on_startup: dice.percent(20),
        seed: dice.next(),
        ..Settings::default()
    }
}
