//! What can happen next in a history. A step is a kind and a number, so that any subset of a history is a history too:
//! that is how failures are shrunk.

use super::dice::Dice;
use super::lambda::{Mood, Run};
use super::ledger::Task;
use super::sqs::SqsMood;
use super::world::World;
use crate::executor::DrainMode;
use crate::executor::event::HandedOut;
use crate::executor::task::{AdoptSpec, AttemptId, Refusal, TaskState};
use crate::executor::wire::Prepared;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use std::sync::Arc;

/// Kinds of steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Queue,
    Cancel,
    Adopt,
    Advance,
    Take,
    Acknowledge,
    Free,
    OtherMessage,
    ComesBack,
    LambdaMood,
    SqsMood,
    HostChecks,
    Credentials,
    WallClock,
    SlowDisk,
    Crash,
    Drain,
    Close,
}

/// How often each comes.
const WEIGHTS: [(Kind, u64); 18] = [
    (Kind::Queue, 22),
    (Kind::Cancel, 3),
    (Kind::Adopt, 3),
    (Kind::Advance, 34),
    (Kind::Take, 10),
    (Kind::Acknowledge, 8),
    (Kind::Free, 3),
    (Kind::OtherMessage, 2),
    (Kind::ComesBack, 2),
    (Kind::LambdaMood, 7),
    (Kind::SqsMood, 3),
    (Kind::HostChecks, 1),
    (Kind::Credentials, 1),
    (Kind::WallClock, 1),
    (Kind::SlowDisk, 1),
    (Kind::Crash, 3),
    (Kind::Drain, 1),
    (Kind::Close, 1),
];

/// One step; `seed` decides its details.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    seed: u64,
}

/// What the world begins with, and what happens in it.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) world: u64,
    pub(super) steps: Vec<Step>,
}

/// All histories. Shrinking leaves out steps; it does not touch one, since what a number means depends on those before.
pub(super) fn histories() -> impl Strategy<Value = History> {
    let total: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let step = (0..total, any::<u64>()).prop_map(|(at, seed)| Step { kind: kind_at(at), seed }).no_shrink();
    (any::<u64>().no_shrink(), vec(step, 1..60)).prop_map(|(world, steps)| History { world, steps })
}

fn kind_at(mut at: u64) -> Kind {
    for (kind, weight) in WEIGHTS {
        if at < weight {
            return kind;
        }
        at -= weight;
    }
    unreachable!("beyond the sum of the weights")
}

impl World {
    pub(super) fn step(&mut self, step: Step) {
        self.dice = Dice(step.seed);
        let site = self.dice.below(self.sites.len() as u64) as usize;
        let at = self.sites[site].now(self.now);
        self.sites[site].machine.set_now(at);
        let is_closed = self.sites[site].host.is_closed;
        match step.kind {
            Kind::Queue => {
                for _ in 0..self.dice.one_of(&[1, 1, 1, 6]) {
                    self.host_queues(site);
                }
            }
            Kind::Cancel if !is_closed => self.host_cancels(site),
            Kind::Adopt => self.host_adopts(site),
            Kind::Advance => {
                let most = self.dice.one_of(&[20, 500, 500, 3_000, 20_000, 120_000]);
                let ms = 1 + self.dice.below(most);
                self.advance(ms);
            }
            Kind::Take => {
                let max = self.dice.one_of(&[1, 2, 5, 1_000]);
                self.host_takes(site, max);
            }
            Kind::Acknowledge => {
                let share = self.dice.one_of(&[30, 100]);
                self.host_acknowledges(site, share);
            }
            Kind::Free => self.host_frees(site),
            Kind::OtherMessage => self.other_message(),
            Kind::ComesBack => self.sqs.bring_back(self.now, &mut self.dice),
            Kind::LambdaMood => {
                use Mood::{Away, Losing, Missing, Mixed, NoCredentials, Throttling, Well};
                let route = self.dice.below(self.lambda.moods.len() as u64) as usize;
                let mood = self.dice.one_of(&[Well, Well, Mixed, Mixed, Throttling, Missing, Away, Losing, NoCredentials]);
                self.lambda.moods[route] = mood;
            }
            Kind::SqsMood => {
                use SqsMood::{Away, Mixed, NoCredentials, Well};
                self.sqs.mood = self.dice.one_of(&[Well, Well, Mixed, Mixed, Away, NoCredentials]);
            }
            Kind::HostChecks => self.host_checks(site),
            Kind::Credentials => self.sites[site].machine.credentials_changed(),
            Kind::WallClock => {
                let by_ms = self.dice.one_of(&[-7_200_000, -300_000, 300_000, 7_200_000]);
                self.sites[site].jump_wall_clock(by_ms);
            }
            Kind::SlowDisk => {
                let until = self.now + self.dice.below(30_000);
                self.sites[site].store.stall(until);
            }
            Kind::Crash => self.crash(site),
            Kind::Drain if !is_closed => {
                let mode = self.dice.one_of(&[DrainMode::Finish, DrainMode::CancelQueued]);
                let host = &mut self.sites[site].host;
                host.refuses = true;
                host.cancels_queued |= mode == DrainMode::CancelQueued;
                self.sites[site].machine.drain(mode);
            }
            Kind::Close if !is_closed => self.close(site),
            Kind::Cancel | Kind::Drain | Kind::Close => {}
        }
        self.drive(site);
    }

    fn a_key(&mut self, site: usize) -> Arc<str> {
        let number = match self.dice.below(4) {
            0 => self.tasks.len() as u64 + 10,
            _ => self.dice.below(5),
        };
        format!("{}{number}", self.sites[site].prefix).into()
    }

    /// The newest task of a key that this executor has.
    fn newest(&self, site: usize, key: &str) -> Option<usize> {
        self.tasks.iter().rposition(|task| task.site == site && !task.gone && *task.key == *key)
    }

    fn new_task(&self, site: usize, key: &Arc<str>, attempt: Option<AttemptId>) -> Task {
        Task {
            site,
            key: Arc::clone(key),
            attempt,
            adopted: false,
            known_before: false,
            route: 0,
            poisonous: false,
            queued_at: self.now,
            max_wait_ms: 0,
            result_timeout_ms: 0,
            tries: Vec::new(),
            awaited_since: None,
            cancelled: false,
            recovered: false,
            running_seq: None,
            ended: None,
            final_handed_out: false,
            acknowledged: false,
            accepted_lsn: 0,
            running_lsn: 0,
            ended_lsn: 0,
            acknowledged_lsn: 0,
            intents: Vec::new(),
            gone: false,
        }
    }

    pub(super) fn host_queues(&mut self, site: usize) {
        let key = self.a_key(site);
        let attempt = self.dice.attempt();
        let mut task = self.new_task(site, &key, Some(attempt));
        task.known_before = self.dice.percent(20);
        task.route = self.dice.below(self.lambda.moods.len() as u64) as usize;
        task.poisonous = self.dice.percent(4);
        task.max_wait_ms = self.dice.one_of(&[0, 0, 0, 0, 500, 20_000]);
        self.submit(task);
    }

    /// The host queues this task.
    fn submit(&mut self, mut task: Task) {
        let (site, tag) = (task.site, self.tasks.len() as u64);
        let own_timeout_ms = self.dice.one_of(&[0, 0, 0, 20_000]);
        let host = &self.sites[site];
        let route = &host.settings.routes[task.route];
        task.result_timeout_ms = if own_timeout_ms > 0 { own_timeout_ms } else { route.result_timeout_ms };
        let key_is_taken = self.newest(site, &task.key).is_some_and(|index| !self.tasks[index].final_handed_out);
        let prepared = Prepared {
            key: Arc::clone(&task.key),
            tag,
            route: task.route,
            attempt: task.attempt.expect("a task that is queued has an attempt"),
            attempt_is_hosts: task.known_before,
            payload: tag.to_string().into_bytes().into(),
            qualifier: None,
            max_wait_ms: task.max_wait_ms,
            result_timeout_ms: own_timeout_ms,
        };
        let refuses = host.host.refuses;
        match self.sites[site].machine.queue(prepared) {
            Ok(_) => {
                assert!(!refuses && !key_is_taken, "`{}` is accepted and must be refused", task.key);
                self.tasks.push(task);
            }
            Err(Refusal::Duplicate { .. }) => assert!(key_is_taken, "`{}` is no duplicate", task.key),
            Err(Refusal::Closed) => assert!(refuses),
            Err(Refusal::QueueFull { limit }) => {
                let counts = self.sites[site].machine.counts();
                assert!(counts.queued.max(counts.waiting_events) >= limit as u64, "{counts:?} is not full");
            }
            Err(other) => panic!("{other}"),
        }
        self.drive(site);
    }

    fn host_cancels(&mut self, site: usize) {
        let key = self.a_key(site);
        let newest = self.newest(site, &key).filter(|index| !self.tasks[*index].has_ended());
        assert_eq!(self.sites[site].machine.cancel(&key), newest.is_some(), "cancel of `{key}`");
        if let Some(index) = newest {
            self.tasks[index].cancelled = true;
            assert_eq!(self.sites[site].machine.state(&key), Some(TaskState::Cancelled));
        }
    }

    /// Adopts a key. What an earlier process began for it ends some day, under an id that the host knows or does not. The
    /// id may also be that of a task which ended here.
    fn host_adopts(&mut self, site: usize) {
        let key = self.a_key(site);
        let earlier = self.newest(site, &key).filter(|index| !self.tasks[*index].tries.is_empty());
        let earlier = earlier.and_then(|index| self.tasks[index].attempt);
        let begun = earlier.filter(|_| self.dice.percent(30)).unwrap_or(self.dice.attempt());
        let known = Some(begun).filter(|_| self.dice.percent(60));
        let request_id = format!("earlier{}", self.tasks.len()).into();
        if self.adopt(site, &key, known) {
            let ends_at = self.now + self.dice.one_of(&[1, 2_000, 20_000]);
            let end = self.lambda.end(&mut self.dice);
            self.lambda.runs.push(Run { key, attempt: begun, request_id, ends_at, end });
        }
    }

    fn adopt(&mut self, site: usize, key: &Arc<str>, attempt: Option<AttemptId>) -> bool {
        let newest = self.newest(site, key);
        let is_taken = newest.is_some_and(|index| !self.tasks[index].final_handed_out);
        let own_timeout_ms = self.dice.one_of(&[0, 0, 15_000]);
        let spec = AdoptSpec {
            key: Arc::clone(key),
            tag: self.tasks.len() as u64,
            queue: String::new(),
            result_timeout_ms: own_timeout_ms,
            attempt,
        };
        let refuses = self.sites[site].host.refuses;
        match self.sites[site].machine.adopt(spec) {
            Ok(_) => assert!(!refuses && !is_taken, "`{key}` is adopted and must be refused"),
            Err(Refusal::Duplicate { .. }) => {
                let same = self.tasks.iter().any(|task| task.site == site && !task.gone && !task.has_ended()
                    && attempt.is_some() && task.attempt == attempt);
                assert!(is_taken || same, "`{key}` is no duplicate");
                return false;
            }
            Err(Refusal::Closed) => {
                assert!(refuses);
                return false;
            }
            Err(other) => panic!("{other}"),
        }
        let mut task = self.new_task(site, key, attempt);
        (task.adopted, task.known_before, task.awaited_since) = (true, true, Some(self.now));
        let route_ms = self.sites[site].settings.routes[0].result_timeout_ms;
        task.result_timeout_ms = if own_timeout_ms > 0 { own_timeout_ms } else { route_ms };
        self.tasks.push(task);
        self.drive(site);
        true
    }

    pub(super) fn host_takes(&mut self, site: usize, max: usize) {
        let events = self.sites[site].machine.take_events(max);
        self.check_handed_out(site, &events);
    }

    /// The host acknowledges a share of the events that it has, and numbers that mean nothing.
    pub(super) fn host_acknowledges(&mut self, site: usize, share: u64) {
        let mut seqs: Vec<u64> = self.sites[site].host.unacknowledged.keys().copied().collect();
        seqs.retain(|_| self.dice.percent(share));
        for seq in &seqs {
            let host = &mut self.sites[site].host;
            host.freed.retain(|freed| freed != seq);
            let Some(event) = host.unacknowledged.remove(seq).filter(|event| event.state.is_final()) else { continue };
            let task = &mut self.tasks[event.tag as usize];
            task.acknowledged = true;
            if let Some(running) = task.running_seq {
                host.unacknowledged.remove(&running);
                host.freed.retain(|freed| *freed != running);
            }
        }
        seqs.extend(seqs.first().copied());
        seqs.extend([0, u64::MAX]);
        self.sites[site].machine.acknowledge(&seqs);
        let counts = self.sites[site].machine.counts();
        let host = &self.sites[site].host;
        assert_eq!(counts.unacknowledged as usize, host.unacknowledged.len() - host.freed.len(), "unacknowledged");
    }

    /// The host frees a batch: some of it is acknowledged, the rest must come again.
    fn host_frees(&mut self, site: usize) {
        let host = &mut self.sites[site].host;
        let mut events = Vec::new();
        for (seq, event) in &host.unacknowledged {
            if !host.freed.contains(seq) && self.dice.percent(60) {
                events.push(HandedOut { seq: *seq, event: Arc::clone(event) });
            }
        }
        host.freed.extend(events.iter().map(|event| event.seq));
        if let Some(event) = events.first().cloned() {
            events.push(HandedOut { seq: host.handed_out + 7, event: event.event });
        }
        self.sites[site].machine.hand_out_again(events);
    }

    fn host_checks(&mut self, site: usize) {
        let route = self.dice.below(self.lambda.moods.len() as u64) as usize;
        let answer = match self.lambda.moods[route] {
            Mood::Well | Mood::Mixed | Mood::Throttling => Ok(Vec::new()),
            _ => Err(super::failure(crate::executor::ports::Fault::Route, crate::executor::ports::Sent::No)),
        };
        let queues = self.sqs.failure(&mut self.dice).map_or(Ok(Vec::new()), Err);
        let machine = &mut self.sites[site].machine;
        machine.function_checked_for_host(route, &answer);
        machine.queues_checked_for_host(&queues);
    }

    fn close(&mut self, site: usize) {
        let host = &mut self.sites[site].host;
        (host.refuses, host.is_closed) = (true, true);
        let queued = self.sites[site].machine.counts().queued;
        assert!(self.sites[site].machine.shut_down() >= queued, "tasks that were dropped");
        self.drive(site);
        self.drop_polls(site);
    }

    /// The process dies, at this moment, and another one takes its place.
    pub(super) fn crash(&mut self, site: usize) {
        self.abandon_calls(site);
        let Self { sites, dice, tasks, .. } = self;
        sites[site].store.crash(dice);
        let (durable, keeps) = (sites[site].store.durable, sites[site].keeps_records);
        let survives = |lsn: usize| lsn > 0 && lsn <= durable;
        let mut orphans = Vec::new();
        for (index, task) in tasks.iter_mut().enumerate().filter(|(_, task)| task.site == site && !task.gone) {
            if !keeps {
                (task.gone, task.recovered) = (!task.acknowledged, true);
                orphans.extend((!task.acknowledged && !task.cancelled).then_some(index));
                continue;
            }
            task.gone = !survives(task.accepted_lsn);
            assert!(!task.gone || task.tries.is_empty(), "`{}` was sent before it was durable", task.key);
            task.acknowledged &= survives(task.acknowledged_lsn);
            task.recovered = true;
            if task.acknowledged || task.gone {
                continue;
            }
            task.acknowledged_lsn = 0;
            task.ended = task.ended.filter(|_| survives(task.ended_lsn));
            task.ended_lsn = if survives(task.ended_lsn) { task.ended_lsn } else { 0 };
            task.running_lsn = if survives(task.running_lsn) { task.running_lsn } else { 0 };
            task.cancelled &= task.ended.is_some();
            task.intents.retain(|lsn| survives(*lsn));
            (task.final_handed_out, task.running_seq) = (false, None);
            task.awaited_since = Some(self.now);
        }
        sites[site].restart(self.now, dice);
        self.check_recovered(site);
        self.drive(site);
        orphans.into_iter().for_each(|index| self.continue_without_records(site, index));
    }

    /// What was only queued is queued again, what Lambda accepted is RUNNING, and what ended is reported again.
    fn check_recovered(&self, site: usize) {
        let machine = &self.sites[site].machine;
        for task in self.tasks.iter().filter(|task| task.site == site && task.recovered && !task.gone) {
            let again = |other: &&Task| other.site == site && !other.gone && other.attempt == task.attempt;
            if task.acknowledged || task.attempt.is_none() || self.tasks.iter().filter(again).count() > 1 {
                continue;
            }
            let id = task.attempt.and_then(|attempt| machine.tasks.of_attempt(attempt));
            let state = id.and_then(|id| machine.tasks.get(id)).map(|task| task.state);
            let expected = match task.ended {
                Some(ended) => ended.state,
                None if task.adopted || task.running_lsn > 0 => TaskState::Running,
                None if task.intents.is_empty() => TaskState::Queued,
                None => continue,
            };
            assert_eq!(state, Some(expected), "`{}` after the recovery: {task:?}", task.key);
        }
    }

    /// A host that keeps its own books: what it saw RUNNING it adopts, everything else it queues again under the same id.
    fn continue_without_records(&mut self, site: usize, index: usize) {
        let before = self.tasks[index].clone();
        if before.adopted || before.running_seq.is_some() {
            self.adopt(site, &before.key, before.attempt);
            return;
        }
        let mut task = self.new_task(site, &before.key, before.attempt);
        (task.known_before, task.route, task.poisonous) = (true, before.route, before.poisonous);
        self.submit(task);
    }
}
