//! What hosts do: queue, cancel, adopt, take events, acknowledge, free batches, ask for checks, close.

use super::lambda::{Mood, Run};
use super::ledger::Task;
use super::world::World;
use crate::executor::event::HandedOut;
use crate::executor::task::{AdoptSpec, AttemptId, Refusal, TaskState};
use crate::executor::wire::Prepared;
use std::sync::Arc;

impl World {
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

    /// Its newest task, which may be an old one after a crash, has a final event that was not handed out.
    fn key_is_taken(&self, site: usize, key: &str) -> bool {
        let waits = |task: &Task| task.site == site && !task.gone && !task.acknowledged && *task.key == *key;
        self.tasks.iter().any(|task| waits(task) && !task.final_handed_out)
    }

    pub(super) fn new_task(&self, site: usize, key: &Arc<str>, attempt: Option<AttemptId>) -> Task {
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
            released_at: None,
            recovered: false,
            running_seq: None,
            ended: None,
            final_handed_out: false,
            acknowledged: false,
            accepted_lsn: 0,
            running_lsn: 0,
            resubmitted_lsn: 0,
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
    pub(super) fn submit(&mut self, mut task: Task) {
        let (site, tag) = (task.site, self.tasks.len() as u64);
        let own_timeout_ms = self.dice.one_of(&[0, 0, 0, 20_000]);
        let host = &self.sites[site];
        let route = &host.settings.routes[task.route];
        task.result_timeout_ms = if own_timeout_ms > 0 { own_timeout_ms } else { route.result_timeout_ms };
        let key_is_taken = self.key_is_taken(site, &task.key);
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
            Err(Refusal::Duplicate { .. }) => {
                let same = |other: &Task| other.site == site && !other.gone && other.attempt == task.attempt;
                assert!(key_is_taken || self.tasks.iter().any(same), "`{}` is no duplicate", task.key);
            }
            Err(Refusal::Closed) => assert!(refuses),
            Err(Refusal::QueueFull { limit }) => {
                let counts = self.sites[site].machine.counts();
                assert!(counts.queued.max(counts.waiting_events) >= limit as u64, "{counts:?} is not full");
            }
            Err(other) => panic!("{other}"),
        }
        self.drive(site);
    }

    pub(super) fn host_cancels(&mut self, site: usize) {
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
    pub(super) fn host_adopts(&mut self, site: usize) {
        let key = self.a_key(site);
        // A task that was given up without a message, such as a LOST one.
        let is_given_up =
            |task: &Task| !task.tries.is_empty() && task.ended.is_some_and(|ended| ended.source.is_none());
        let newest = self.newest(site, &key).filter(|index| is_given_up(&self.tasks[*index]));
        let earlier = newest.and_then(|index| self.tasks[index].attempt);
        let begun = earlier.filter(|_| self.dice.percent(30)).unwrap_or(self.dice.attempt());
        let known = Some(begun).filter(|_| self.dice.percent(60));
        let request_id = format!("earlier{}", self.tasks.len()).into();
        if self.adopt(site, &key, known) {
            let ends_at = self.now + self.dice.one_of(&[1, 2_000, 20_000]);
            let end = self.lambda.end(&mut self.dice);
            self.lambda.runs.push(Run { members: vec![(key, begun)], request_id, ends_at, end });
        }
    }

    pub(super) fn adopt(&mut self, site: usize, key: &Arc<str>, attempt: Option<AttemptId>) -> bool {
        let is_taken = self.key_is_taken(site, key);
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
                let same = self.tasks.iter().any(|task| {
                    task.site == site && !task.gone && !task.has_ended() && attempt.is_some() && task.attempt == attempt
                });
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
    pub(super) fn host_frees(&mut self, site: usize) {
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

    pub(super) fn host_checks(&mut self, site: usize) {
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

    pub(super) fn close(&mut self, site: usize) {
        let host = &mut self.sites[site].host;
        (host.refuses, host.is_closed) = (true, true);
        let queued = self.sites[site].machine.counts().queued;
        assert!(self.sites[site].machine.shut_down() >= queued, "tasks that were dropped");
        self.drive(site);
        self.drop_polls(site);
    }
}
