//! How many Invokes of a route may be under way at once: its level, found by trial.
//!
//! With `n` calls under way that take `t` each, a route carries `n / t` calls a second. Only that is compared: a higher
//! level is kept if it carries more, a lower one if it carries as much. A latency that rises for a reason of its own is
//! the same at both levels, so it changes nothing; one that rises because calls wait for each other lowers the level.
//!
//! - The level doubles from [`FIRST`] until that no longer pays.
//! - Afterwards, after pauses, a fifth less is tried, and then a quarter more: each between two measurements of the level
//!   in force, so that a latency that rises or falls meanwhile by itself does not decide.
//! - A throttle halves it. It returns at once to nine tenths of where it was throttled, and goes beyond after pauses.
//! - It is measured, and so changes, only while all of it is in use and tasks wait.
//!
//! TCP Vegas also compares what more in flight carries. Its baseline, the lowest latency ever seen, and that of the
//! gradient of Netflix's concurrency-limits, a slow average, are wrong for long when the latency changes by itself.

/// The first level.
const FIRST: usize = 32;
/// Lower levels are not tried: so few calls cost nothing.
const FEWEST: usize = 4;
/// So many answers are measured at least: to see a doubling, and to see a quarter more or less, each in a latency that
/// varies by half.
const FEWEST_ANSWERS: usize = 32;
const FEWEST_ANSWERS_OF_A_STEP: usize = 128;
/// An answer counts as no slower than so many times the latency before: some of many take seconds.
const SLOWEST: u64 = 4;
/// Pauses between trials, in ms: doubled while nothing changes.
const FIRST_PAUSE_MS: u64 = 1_000;
const LONGEST_PAUSE_MS: u64 = 8_000;

/// A level that is being measured against the one in force.
#[derive(Clone, Copy, Debug)]
struct Trial {
    from: usize,
    to: usize,
    /// Average latency at `from`.
    before_us: u64,
    /// Average latency at `to`, once measured. Then `from` is measured again.
    tried_us: Option<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// Twice as many, until that does not pay for the first time.
    Double,
    Up,
    Down,
}

/// Answers to calls that were begun at this level.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    /// Those that do not count: while the level has just changed, and connections are opened for it.
    skipped: usize,
    answers: usize,
    sum_ms: u64,
}

/// The level of one route.
#[derive(Debug)]
pub(super) struct Level {
    most: usize,
    limit: usize,
    /// Number of changes of the level. Each call keeps that of its beginning.
    epoch: u64,
    /// Throttles of calls that were begun before do not count: they are about a higher level.
    lowered_in: u64,
    sample: Sample,
    /// Average latency when it was last measured, at whatever level.
    usual_us: Option<u64>,
    trial: Option<Trial>,
    next: Step,
    next_at_ms: u64,
    pause_ms: u64,
    /// The level at which Lambda throttled, until a higher one has paid.
    throttled_at: Option<usize>,
}

impl Level {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            limit: most.min(FIRST),
            epoch: 0,
            lowered_in: 0,
            sample: Sample::default(),
            usual_us: None,
            trial: None,
            next: Step::Double,
            next_at_ms: 0,
            pause_ms: FIRST_PAUSE_MS,
            throttled_at: None,
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Stored with each call, and passed to [`Self::accepted`] and [`Self::throttled`].
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A call was accepted after so many ms. `in_use`: all of the level is under way, this call included, and tasks wait.
    pub(super) fn accepted(&mut self, began_in: u64, took_ms: u64, in_use: bool, now_ms: u64) {
        if !in_use {
            self.sample = Sample::default();
            return;
        }
        if began_in != self.epoch {
            return;
        }
        if self.sample.skipped < self.limit && !self.returns() {
            self.sample.skipped += 1;
            return;
        }
        self.sample.answers += 1;
        self.sample.sum_ms += took_ms.min(self.slowest_ms());
        if self.sample.answers >= self.wanted_answers() {
            let average_us = (self.sample.sum_ms * 1_000 / self.sample.answers as u64).max(1);
            (self.sample.answers, self.sample.sum_ms) = (0, 0);
            self.usual_us = Some(average_us);
            self.measured(average_us, now_ms);
        }
    }

    /// A call was throttled.
    pub(super) fn throttled(&mut self, began_in: u64, now_ms: u64) {
        if began_in < self.lowered_in {
            return;
        }
        self.throttled_at = Some(self.limit);
        self.set((self.limit / 2).max(1));
        self.lowered_in = self.epoch;
        (self.trial, self.next, self.next_at_ms) = (None, Step::Up, now_ms);
    }

    fn slowest_ms(&self) -> u64 {
        self.usual_us.map_or(u64::MAX, |us| SLOWEST * us.div_ceil(1_000).max(10))
    }

    fn wanted_answers(&self) -> usize {
        match self.next {
            _ if self.returns() => self.limit,
            Step::Double => self.limit.max(FEWEST_ANSWERS),
            // One more or less is much of so few.
            Step::Up | Step::Down if self.limit <= FEWEST => FEWEST_ANSWERS,
            Step::Up | Step::Down => (2 * self.limit).max(FEWEST_ANSWERS_OF_A_STEP),
        }
    }

    /// After a throttle, the highest level that needs no proof.
    fn safe(&self) -> usize {
        self.throttled_at.map_or(0, |at| at * 9 / 10)
    }

    /// It returns after a throttle.
    fn returns(&self) -> bool {
        self.limit < self.safe()
    }

    fn set(&mut self, limit: usize) {
        let limit = limit.clamp(1, self.most);
        if limit != self.limit {
            self.limit = limit;
            self.epoch += 1;
        }
        self.sample = Sample::default();
    }

    /// The average latency of the level in use.
    fn measured(&mut self, latency_us: u64, now_ms: u64) {
        if self.returns() {
            self.set((self.limit + quarter(self.limit)).min(self.safe()));
            if !self.returns() {
                self.wait(Step::Up, now_ms);
            }
            return;
        }
        match self.trial.take() {
            None if now_ms >= self.next_at_ms => self.begin(latency_us, now_ms),
            None => {}
            Some(trial) if self.next == Step::Double => self.judge(trial, trial.before_us, latency_us, now_ms),
            Some(trial) => match trial.tried_us {
                None => {
                    self.set(trial.from);
                    self.trial = Some(Trial { tried_us: Some(latency_us), ..trial });
                }
                Some(tried_us) => self.judge(trial, (trial.before_us + latency_us) / 2, tried_us, now_ms),
            },
        }
    }

    /// Tries the next level.
    fn begin(&mut self, before_us: u64, now_ms: u64) {
        let from = self.limit;
        if self.next == Step::Down && from <= FEWEST {
            self.next = Step::Up;
        }
        self.set(match self.next {
            Step::Double => 2 * from,
            Step::Up => from + quarter(from),
            Step::Down => from - (from / 5).max(1),
        });
        if self.limit == from {
            self.wait(Step::Down, now_ms);
        } else {
            self.trial = Some(Trial { from, to: self.limit, before_us, tried_us: None });
        }
    }

    fn judge(&mut self, trial: Trial, from_us: u64, to_us: u64, now_ms: u64) {
        let (from, to) = (trial.from as u64, trial.to as u64);
        // What the level carries: so many calls of the latency before, in thousandths.
        let carries = to * 1_000 * from_us / to_us;
        let pays = match self.next {
            // At least half of what it would if the latency were the same.
            Step::Double | Step::Up => 2 * carries >= (from + to) * 1_000,
            Step::Down => carries >= from * 950,
        };
        match self.next {
            _ if pays => self.keep(trial.to, to_us, now_ms),
            Step::Double => {
                // As much of the double as was of use.
                self.set(usize::try_from(carries / 1_000).unwrap_or(trial.to).clamp(trial.from, trial.to));
                (self.next, self.next_at_ms) = (Step::Down, now_ms);
            }
            Step::Up => self.wait(Step::Down, now_ms),
            Step::Down => (self.next, self.next_at_ms) = (Step::Up, now_ms),
        }
    }

    /// The level that was tried comes into force, and the next one in the same direction is tried at once.
    fn keep(&mut self, limit: usize, latency_us: u64, now_ms: u64) {
        self.set(limit);
        if self.throttled_at.is_some_and(|at| limit > at) {
            self.throttled_at = None;
        }
        (self.pause_ms, self.next_at_ms) = (FIRST_PAUSE_MS, now_ms);
        match self.next {
            Step::Double => self.begin(latency_us, now_ms),
            // Fewer than at first: after throttles.
            Step::Up if limit < FIRST && self.throttled_at.is_none() => self.next = Step::Double,
            Step::Up | Step::Down => {}
        }
    }

    /// The next trial comes after a pause.
    fn wait(&mut self, next: Step, now_ms: u64) {
        (self.next, self.next_at_ms) = (next, now_ms + self.pause_ms);
        self.pause_ms = (2 * self.pause_ms).min(LONGEST_PAUSE_MS);
    }
}

fn quarter(of: usize) -> usize {
    (of / 4).max(1)
}
