//! How many Invokes are under way by default, against services of all kinds: as many as are of use, found without
//! configuration of the service's limits.

use super::super::backoff::Jitter;
use super::*;
use crate::executor::machine::{InvokeCall, Machine};
use crate::executor::wire;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// A service that works on so many calls at once.
struct Service {
    slots: usize,
    /// How long it works on a call.
    latency_us: u64,
    /// Each call takes between half and one and a half of that.
    varies: bool,
    /// All calls take between half and one and a half of that, more and less in turn, within so many ms.
    wave_ms: u64,
    /// Calls beyond the slots are throttled at once. Otherwise they wait for each other.
    throttles: bool,
    chance: Jitter,
    /// When each slot is free.
    free_at_us: BinaryHeap<Reverse<u64>>,
}

const THROTTLE_US: u64 = 5_000;

impl Service {
    fn new(slots: usize, latency_us: u64) -> Self {
        let free_at_us = (0..slots).map(|_| Reverse(0)).collect();
        Self { slots, latency_us, varies: false, wave_ms: 0, throttles: false, chance: Jitter::new(5), free_at_us }
    }

    /// Calls a second that it can answer.
    fn capacity(&self) -> f64 {
        self.slots as f64 * 1e6 / self.latency_us as f64
    }

    fn resize(&mut self, slots: usize, now_us: u64) {
        self.slots = slots;
        self.free_at_us = (0..slots).map(|_| Reverse(now_us)).collect();
    }

    /// When it answers a call, and whether it accepts it.
    fn call(&mut self, now_us: u64) -> (u64, bool) {
        let Some(&Reverse(free_at)) = self.free_at_us.peek() else { return (now_us + THROTTLE_US, false) };
        if self.throttles && free_at > now_us {
            return (now_us + THROTTLE_US, false);
        }
        self.free_at_us.pop();
        let mut takes = self.latency_us;
        if self.varies {
            takes = takes / 2 + self.chance.up_to(takes);
        }
        if self.wave_ms > 0 {
            let at = (now_us / 1_000 % self.wave_ms) as f64 / self.wave_ms as f64 * std::f64::consts::TAU;
            takes = (takes as f64 * (1.0 + at.sin() / 2.0)) as u64;
        }
        let end = free_at.max(now_us) + takes;
        self.free_at_us.push(Reverse(end));
        (end, true)
    }
}

/// An executor with default settings, and tasks that wait.
struct Run {
    machine: Machine,
    settings: Arc<Settings>,
    service: Service,
    now_us: u64,
    /// Keep tasks waiting.
    is_fed: bool,
    fed: u64,
    begun: u64,
    calls: BTreeMap<(u64, u64), (u64, InvokeCall, bool)>,
    accepted: u64,
    throttled: u64,
    /// Calls under way at each ms since the last look.
    in_flight: Vec<usize>,
    levels: Vec<usize>,
}

/// What happened meanwhile.
struct Seen {
    accepted_a_second: f64,
    throttled: u64,
    /// Calls under way.
    average: usize,
    highest: usize,
    /// The limit that the statistics show.
    levels: (usize, usize),
}

impl Run {
    fn new(service: Service, most: usize) -> Self {
        let mut settings = Settings { running_events: false, ..Settings::default() };
        settings.routes[0].max_concurrent_invokes = most;
        let settings = Arc::new(settings);
        let now = Now { mono_ms: 1_000, unix_ms: START_UNIX_MS };
        Self {
            machine: Machine::new(Arc::clone(&settings), now, false),
            settings,
            service,
            now_us: 1_000_000,
            is_fed: true,
            fed: 0,
            begun: 0,
            calls: BTreeMap::new(),
            accepted: 0,
            throttled: 0,
            in_flight: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// By default: up to 1,024.
    fn automatic(service: Service) -> Self {
        Self::new(service, 1_024)
    }

    fn queue(&mut self) {
        self.fed += 1;
        let id = AttemptId::from_random((u128::from(self.fed) | 1 << 100).to_be_bytes());
        let prepared = wire::prepare(Stage::spec(&self.fed.to_string()), id, &self.settings).unwrap();
        self.machine.queue(prepared).unwrap();
    }

    fn set_now(&mut self) {
        let mono_ms = self.now_us / 1_000;
        self.machine.set_now(Now { mono_ms, unix_ms: START_UNIX_MS + mono_ms as i64 });
    }

    /// As the driver does.
    fn start_calls(&mut self) {
        self.set_now();
        self.machine.tick();
        while let Some(call) = self.machine.next_call() {
            let (due, accepts) = self.service.call(self.now_us);
            self.begun += 1;
            self.calls.insert((due, self.begun), (self.now_us / 1_000, call, accepts));
        }
        self.machine.take_actions();
    }

    fn answer_one(&mut self) {
        let Some(((_, _), (began_ms, call, accepts))) = self.calls.pop_first() else { return };
        let answer = if accepts { Ok(Accepted::default()) } else { Err(error(THROTTLED)) };
        self.accepted += u64::from(accepts);
        self.throttled += u64::from(!accepts);
        self.set_now();
        self.machine.invoked(call.id, self.now_us / 1_000 - began_ms, answer);
        self.start_calls();
    }

    /// Goes on for so long.
    fn run(&mut self, ms: u64) -> Seen {
        let end_us = self.now_us + ms * 1_000;
        (self.accepted, self.throttled) = (0, 0);
        (self.in_flight, self.levels) = (Vec::new(), Vec::new());
        loop {
            while self.is_fed && self.machine.counts().queued < 2_000 {
                self.queue();
            }
            self.start_calls();
            let answer_us = self.calls.first_key_value().map(|((due, _), _)| *due);
            let timer_us = self.machine.next_timer().map(|at| at * 1_000);
            let next_us =
                [answer_us, timer_us].into_iter().flatten().min().unwrap_or(end_us).clamp(self.now_us, end_us);
            let passed = (next_us / 1_000 - self.now_us / 1_000) as usize;
            self.in_flight.extend(std::iter::repeat_n(self.calls.len(), passed));
            self.levels.extend(std::iter::repeat_n(self.machine.submission.routes()[0].concurrency_limit(), passed));
            self.now_us = next_us;
            if next_us >= end_us {
                break;
            }
            while self.calls.first_key_value().is_some_and(|((due, _), _)| *due <= self.now_us) {
                self.answer_one();
            }
        }
        let calls = &self.in_flight;
        Seen {
            accepted_a_second: self.accepted as f64 * 1_000.0 / ms as f64,
            throttled: self.throttled,
            average: calls.iter().sum::<usize>() / calls.len(),
            highest: calls.iter().copied().max().unwrap(),
            levels: (self.levels.iter().copied().min().unwrap(), self.levels.iter().copied().max().unwrap()),
        }
    }

    /// Goes on for so long, and expects this part of the service's capacity to be in use.
    fn expect(&mut self, ms: u64, part: f64) -> Seen {
        let seen = self.run(ms);
        let capacity = self.service.capacity();
        assert!(seen.accepted_a_second >= part * capacity, "{} of {capacity} a second", seen.accepted_a_second);
        seen
    }
}

#[test]
fn the_default_reaches_15_000_calls_a_second_within_half_a_second() {
    let mut run = Run::automatic(Service::new(100_000, 20_000));
    run.run(500);
    assert!(run.run(1_000).accepted_a_second >= 15_000.0);
}

#[test]
fn at_40_ms_it_goes_beyond_the_1_600_calls_a_second_of_64() {
    let mut run = Run::automatic(Service::new(100_000, 40_000));
    run.run(1_000);
    assert!(run.run(500).accepted_a_second >= 15_000.0);
}

#[test]
fn the_limit_of_a_service_is_found_and_not_exceeded_for_long() {
    for (slots, latency_us, within_ms) in [(30, 20_000, 2_000), (40, 2_000, 500), (300, 40_000, 1_500)] {
        let mut run = Run::automatic(Service::new(slots, latency_us));
        let start = run.run(within_ms);
        assert!(start.highest <= 5 * slots / 2, "{slots} slots: {} calls at first", start.highest);
        let seen = run.expect(6 * within_ms, 0.9);
        assert!(seen.average <= slots * 5 / 4, "{slots} slots: {} calls", seen.average);
        assert!(seen.highest <= slots * 3 / 2, "{slots} slots: {} calls", seen.highest);
    }
}

#[test]
fn without_latency_no_more_calls_are_made_than_are_of_use() {
    // One call after the other, 10,000 a second.
    let mut run = Run::automatic(Service::new(1, 100));
    run.run(500);
    let seen = run.expect(4_000, 0.99);
    assert!(seen.average <= 6, "{} calls", seen.average);
}

#[test]
fn latency_that_varies_by_half_costs_little() {
    let mut service = Service::new(200, 40_000);
    service.varies = true;
    let mut run = Run::automatic(service);
    run.run(1_000);
    let seen = run.expect(10_000, 0.85);
    assert!(seen.average <= 250, "{} calls", seen.average);
}

#[test]
fn latency_that_rises_and_falls_by_itself_costs_little() {
    for wave_ms in [700, 1_500, 5_000] {
        let mut service = Service::new(200, 40_000);
        (service.varies, service.wave_ms) = (true, wave_ms);
        let mut run = Run::automatic(service);
        run.run(3_000);
        let seen = run.run(15_000);
        assert!(seen.average >= 140, "wave of {wave_ms} ms: {} calls on average", seen.average);
    }
}

#[test]
fn latency_that_stays_high_for_a_reason_of_its_own_does_not_lower_the_level() {
    let mut run = Run::automatic(Service::new(200, 40_000));
    run.run(2_000);
    run.service.latency_us = 120_000;
    run.run(2_000);
    run.expect(8_000, 0.9);
}

#[test]
fn a_service_that_becomes_smaller_gets_fewer_calls_within_seconds() {
    let mut run = Run::automatic(Service::new(400, 40_000));
    run.run(3_000);
    run.service.resize(50, run.now_us);
    run.run(30_000);
    let seen = run.expect(8_000, 0.9);
    assert!(seen.average <= 70, "{} calls", seen.average);
}

#[test]
fn a_service_that_becomes_larger_gets_more_calls_within_seconds() {
    let mut run = Run::automatic(Service::new(50, 40_000));
    run.run(12_000);
    run.service.resize(300, run.now_us);
    run.run(16_000);
    run.expect(3_000, 0.85);
}

/// As [`Service::new`], and throttles.
fn throttling(slots: usize, latency_us: u64) -> Service {
    Service { throttles: true, ..Service::new(slots, latency_us) }
}

#[test]
fn throttles_lower_the_level_by_half_and_it_returns() {
    let mut run = Run::automatic(throttling(300, 40_000));
    let start = run.run(3_000);
    assert!(start.highest <= 600, "{} calls", start.highest);
    let seen = run.expect(12_000, 0.8);
    assert!(seen.highest <= 300 * 5 / 4, "{} calls", seen.highest);
    assert!((100..=200).contains(&seen.levels.0), "a throttle leaves {}", seen.levels.0);
    let of_all = seen.throttled as f64 / (seen.accepted_a_second * 12.0);
    assert!(of_all < 0.01, "{of_all} of the calls are throttled");
}

#[test]
fn after_a_time_in_which_everything_is_throttled_the_level_returns_within_seconds() {
    let mut run = Run::automatic(throttling(200, 40_000));
    run.run(3_000);
    run.service.resize(0, run.now_us);
    let away = run.run(10_000);
    assert!(away.throttled < 1_000, "{} calls of no use", away.throttled);
    run.service.resize(200, run.now_us);
    run.run(15_000);
    run.expect(6_000, 0.7);
}

#[test]
fn the_level_does_not_grow_while_no_task_waits() {
    let mut run = Run::automatic(Service::new(10_000, 40_000));
    run.is_fed = false;
    let mut highest = 0;
    for _ in 0..3_000 {
        run.queue();
        highest = run.run(10).levels.1.max(highest);
    }
    assert!(highest <= 32, "a level of {highest} for 4 calls at a time");
}

#[test]
fn the_level_does_not_swing() {
    let mut run = Run::automatic(Service { varies: true, ..Service::new(200, 40_000) });
    run.run(5_000);
    let (lowest, highest) = run.run(25_000).levels;
    assert!(lowest >= 120 && highest <= 320, "from {lowest} to {highest} with 200 slots");
}

#[test]
fn a_number_is_a_hard_maximum() {
    for most in [1, 3, 64, 200] {
        let mut run = Run::new(Service::new(100_000, 20_000), most);
        run.run(1_000);
        let seen = run.run(4_000);
        assert_eq!(seen.highest, most);
        assert!(seen.accepted_a_second >= 0.95 * most as f64 * 50.0, "{most}: {} a second", seen.accepted_a_second);
    }
}
