//! Everything outside of the machines, and the machines: virtual time, the calls under way, and their answers.

use super::dice::Dice;
use super::lambda::{Lambda, Mood, Verdict};
use super::ledger::{Task, Try};
use super::site::{Site, settings};
use super::sqs::{Reported, Sqs, SqsMood};
use crate::executor::machine::{Action, InvokeCall, Probe, Record};
use crate::executor::ports::{Accepted, CallError, Fault, QueueId, ReceiveRequest, Sent};
use crate::executor::task::TaskState;

/// SQS's longest poll.
const LONG_POLL_MS: u64 = 20_000;

/// What a process has asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Invoke(InvokeCall),
    Do(Action),
}

/// A call that is not answered.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) site: usize,
    pub(super) asked: Asked,
    pub(super) began: u64,
    /// Not answered before.
    ready: u64,
}

/// The world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: u64,
    pub(super) dice: Dice,
    pub(super) sites: Vec<Site>,
    pub(super) lambda: Lambda,
    pub(super) sqs: Sqs,
    pub(super) calls: Vec<Call>,
    pub(super) tasks: Vec<Task>,
    /// Receives that were aborted: SQS takes messages for them all the same.
    pub(super) aborted_polls: Vec<(u64, QueueId, u32)>,
    /// Messages that name no attempt and that an executor asked to delete, or that ended a task: site, key, number.
    pub(super) taken_by_key: Vec<(usize, std::sync::Arc<str>, usize)>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let settings = settings(&mut dice);
        let (routes, last_queue) = (settings.routes.len(), settings.queues.len() - 1);
        let mut sites = vec![Site::new(settings.clone(), "k", 0, &mut dice)];
        if dice.percent(35) {
            let prefix = dice.one_of(&["k", "j"]);
            sites.push(Site::new(settings, prefix, 0, &mut dice));
        }
        let lambda = Lambda::new(routes, &mut dice);
        let sqs = Sqs::new(last_queue, &mut dice);
        let (calls, tasks, aborted_polls) = (Vec::new(), Vec::new(), Vec::new());
        let mut world =
            Self { now: 0, dice, sites, lambda, sqs, calls, tasks, aborted_polls, taken_by_key: Vec::new() };
        (0..world.sites.len()).for_each(|site| world.drive(site));
        world
    }

    /// What the driver does after each input: asks for calls until there are none, and stores records.
    pub(super) fn drive(&mut self, site: usize) {
        let at = self.sites[site].now(self.now);
        for round in 0.. {
            assert!(round < 1_000, "more and more to do at one moment");
            let machine = &mut self.sites[site].machine;
            machine.set_now(at);
            machine.tick();
            self.note_ends(site);
            while let Some(call) = self.sites[site].machine.next_call() {
                self.check_invoke(site, &call);
                self.begin(site, Asked::Invoke(call));
            }
            for action in self.sites[site].machine.take_actions() {
                self.check_action(site, &action);
                self.begin(site, Asked::Do(action));
            }
            self.store(site);
            self.note_ends(site);
            if !self.sites[site].machine.has_work() {
                break;
            }
        }
        self.check_books(site);
        let machine = &mut self.sites[site].machine;
        machine.tick();
        assert!(
            !machine.has_work() && machine.next_call().is_none(),
            "a second look at the same moment finds more to do"
        );
        if let Some(timer) = machine.next_timer() {
            assert!(timer > at.mono_ms, "next_timer {timer} is not after now {}: a busy loop", at.mono_ms);
        }
    }

    /// Each route's numbers of tasks are those of its tasks.
    fn check_books(&self, site: usize) {
        let machine = &self.sites[site].machine;
        for (number, route) in machine.submission.routes().iter().enumerate() {
            let count = |states: &[TaskState]| {
                let of_route = |task: &&crate::executor::machine::tasks::Task| {
                    task.route() == number && states.contains(&task.state)
                };
                machine.tasks.iter().map(|(_, task)| task).filter(of_route).count()
            };
            let counted = (count(&[TaskState::Queued]), count(&[TaskState::Submitting, TaskState::Running]));
            assert_eq!((route.queued, route.active), counted, "queued and active tasks of route {number}");
        }
    }

    fn begin(&mut self, site: usize, asked: Asked) {
        let latency = match &asked {
            Asked::Invoke(_) => self.dice.one_of(&[1, 20, 20, 300, 2_000]),
            Asked::Do(_) => self.dice.one_of(&[1, 20, 20, 300]),
        };
        self.calls.push(Call { site, asked, began: self.now, ready: self.now + latency });
    }

    /// Hands records to the storage, and reports to the machine what is durable.
    fn store(&mut self, site: usize) {
        if !self.sites[site].keeps_records {
            return;
        }
        let before = self.sites[site].store.records.len();
        let records = self.sites[site].machine.take_records();
        for (index, record) in records.iter().enumerate() {
            self.note_record(site, before + index + 1, record);
        }
        let site = &mut self.sites[site];
        site.store.append(records, self.now);
        site.machine.set_durable(site.store.durable as u64);
    }

    fn note_record(&mut self, site: usize, lsn: usize, record: &Record) {
        let name = match record {
            Record::Accepted(task) => return self.tasks[task.tag as usize].accepted_lsn = lsn,
            Record::Adopted { tag, .. } => return self.tasks[*tag as usize].accepted_lsn = lsn,
            Record::Ended { event, .. } => return self.tasks[event.tag as usize].ended_lsn = lsn,
            Record::Running { task, .. } => task,
            Record::Submitting(task)
            | Record::NotAccepted(task)
            | Record::Resubmitted(task)
            | Record::Acknowledged(task) => task,
        };
        let of_name =
            |task: &&mut Task| task.site == site && !task.gone && task.key == name.key && task.attempt == name.attempt;
        let mut tasks = self.tasks.iter_mut().rev().filter(of_name);
        match record {
            Record::Running { .. } => tasks.next().expect("accepted").running_lsn = lsn,
            Record::Resubmitted(_) => tasks.next().expect("accepted").resubmitted_lsn = lsn,
            Record::Submitting(_) => tasks.next().expect("accepted").intents.push(lsn),
            Record::Acknowledged(_) => {
                let acknowledged = tasks.find(|task| task.acknowledged && task.acknowledged_lsn == 0);
                acknowledged.expect("acknowledged by the host").acknowledged_lsn = lsn;
            }
            _ => {}
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let next = self.next_happening().map_or(end, |at| at.clamp(self.now, end));
            self.now = next;
            let mut rounds = 0;
            while self.happen() {
                rounds += 1;
                assert!(rounds < 10_000, "time stands still at {next}");
            }
            if next >= end {
                return;
            }
        }
    }

    /// When something happens by itself.
    pub(super) fn next_happening(&self) -> Option<u64> {
        let runs = self.lambda.runs.iter().map(|run| run.ends_at);
        let polls = self.aborted_polls.iter().map(|(at, ..)| *at);
        let writes = self.sites.iter().filter_map(|site| site.store.next_write());
        let timers = self.sites.iter().filter_map(|site| Some(site.virtual_ms(site.machine.next_timer()?)));
        let calls = self.calls.iter().map(|call| self.due(call));
        runs.chain(polls).chain(writes).chain(timers).chain(calls).min()
    }

    /// When a call is answered. A long poll waits for a message.
    fn due(&self, call: &Call) -> u64 {
        let Asked::Do(Action::Receive(request)) = &call.asked else { return call.ready };
        let gives_up = call.began + LONG_POLL_MS;
        if !matches!(self.sqs.mood, SqsMood::Well | SqsMood::Mixed) {
            return call.ready;
        }
        self.sqs.first_visible(request.queue).map_or(gives_up, |at| at.clamp(call.ready, gives_up))
    }

    /// One thing that is due now; false if there is none.
    fn happen(&mut self) -> bool {
        let now = self.now;
        if let Some(index) = self.lambda.runs.iter().position(|run| run.ends_at <= now) {
            let run = self.lambda.runs.swap_remove(index);
            self.end_run(&run);
            return true;
        }
        if let Some(index) = self.aborted_polls.iter().position(|(at, ..)| *at <= now) {
            let (_, queue, visibility_s) = self.aborted_polls.swap_remove(index);
            self.sqs.take(queue, now, visibility_s, &mut self.dice);
            return true;
        }
        for site in 0..self.sites.len() {
            let Site { store, machine, .. } = &mut self.sites[site];
            if store.next_write().is_some_and(|at| at <= now) {
                store.write(now);
                let durable = store.durable as u64;
                machine.set_durable(durable);
                self.drive(site);
                return true;
            }
            let timer = machine.next_timer();
            if timer.is_some_and(|at| self.sites[site].virtual_ms(at) <= now) {
                self.drive(site);
                return true;
            }
        }
        if let Some(index) = (0..self.calls.len()).find(|index| self.due(&self.calls[*index]) <= now) {
            self.answer(index);
            return true;
        }
        false
    }

    /// Answers a call as the moods of the moment have it.
    fn answer(&mut self, index: usize) {
        let Call { site, asked, began, .. } = self.calls.remove(index);
        let took = self.now - began;
        let at = self.sites[site].now(self.now);
        self.sites[site].machine.set_now(at);
        match asked {
            Asked::Invoke(call) => {
                let answer = self.invoke(&call);
                self.sites[site].machine.invoked(call.id, took, answer);
            }
            Asked::Do(Action::Receive(request)) => return self.receive(site, request, took),
            Asked::Do(Action::Delete { queue, entries }) => {
                let receipts: Vec<_> = entries.iter().map(|entry| entry.receipt.clone()).collect();
                let answer = self.sqs.batch(&receipts, &mut self.dice, |message, _| message.deleted = true);
                self.sites[site].machine.deleted(queue, entries, answer);
            }
            Asked::Do(Action::ChangeVisibility { queue, entries }) => {
                let receipts: Vec<_> = entries.iter().map(|entry| entry.receipt.clone()).collect();
                let until: Vec<_> = entries.iter().map(|entry| self.now + u64::from(entry.seconds) * 1_000).collect();
                let answer = self.sqs.batch(&receipts, &mut self.dice, |message, at| message.hide_until(until[at]));
                self.sites[site].machine.visibility_changed(queue, entries, answer);
            }
            Asked::Do(Action::Probe { route, probe }) => {
                let answer = self.probe(site, route, probe);
                let answer = answer.map(|()| if probe == Probe::Check { vec!["odd".into()] } else { Vec::new() });
                self.sites[site].machine.probed(route, probe, took, answer);
            }
            Asked::Do(Action::CheckQueues) => {
                let answer = self.sqs.failure(&mut self.dice).map_or(Ok(Vec::new()), Err);
                self.sites[site].machine.queues_checked(answer);
            }
        }
        self.drive(site);
    }

    fn invoke(&mut self, call: &InvokeCall) -> Result<Accepted, CallError> {
        let members = super::tags_of(call);
        let (site, route) = (self.tasks[members[0]].site, call.request.route);
        let is_poisonous = members.iter().any(|index| self.tasks[*index].poisonous);
        let verdict = self.lambda.verdict(route, is_poisonous, &mut self.dice);
        let request_id = self.accept_if(&members, verdict);
        for index in members {
            let task = &mut self.tasks[index];
            if let Some(flying) = task.tries.iter_mut().rfind(|one| one.call == Some(call.id)) {
                (flying.answered, flying.verdict) = (Some(self.now), Some(verdict));
            }
            if verdict == Verdict::Accepted || verdict == Verdict::Failed(Fault::Service, Sent::Maybe) {
                task.awaited_since = Some(self.now);
            }
        }
        if matches!(verdict, Verdict::Accepted | Verdict::Failed(Fault::Event | Fault::Account, _)) {
            self.sites[site].successes[route].push(self.now);
        }
        match verdict {
            Verdict::Accepted => Ok(Accepted { request_id: request_id.unwrap_or_default() }),
            Verdict::Failed(fault, sent) => {
                let mut failure = super::failure(fault, sent);
                if fault == Fault::Account && self.dice.percent(30) {
                    let pause_ms = self.dice.below(20_000);
                    failure.retry_after_ms = Some(pause_ms);
                    let pause = &mut self.sites[site].pauses[route];
                    *pause = (self.now + pause_ms).max(*pause);
                }
                Err(failure)
            }
        }
    }

    /// Lambda has the event if its answer says so, and half the time if the answer was lost.
    fn accept_if(&mut self, members: &[usize], verdict: Verdict) -> Option<String> {
        let accepts = match verdict {
            Verdict::Accepted => true,
            Verdict::Failed(_, sent) => sent == Sent::Maybe && self.dice.percent(50),
        };
        let of_member = |index: &usize| {
            let task = &self.tasks[*index];
            (std::sync::Arc::clone(&task.key), task.attempt.expect("what is invoked has an attempt"))
        };
        let members: Vec<_> = members.iter().map(of_member).collect();
        accepts.then(|| self.lambda.accept(&members, self.now, &mut self.dice).as_ref().into())
    }

    fn probe(&mut self, site: usize, route: usize, probe: Probe) -> Result<(), CallError> {
        let failed = |fault, sent| Err(super::failure(fault, sent));
        match (self.lambda.moods[route], self.dice.below(100)) {
            (Mood::Missing, _) => failed(Fault::Route, Sent::No),
            (Mood::Away, _) => failed(Fault::Service, Sent::No),
            (Mood::Losing, 0..50) => failed(Fault::Service, Sent::Maybe),
            (Mood::NoCredentials, _) => failed(Fault::Identity, Sent::No),
            (Mood::Throttling | Mood::Mixed, 0..30) => failed(Fault::Account, Sent::No),
            _ => {
                // A dry run shows that calls are answered, and not that events are accepted.
                if probe == Probe::Check {
                    self.sites[site].successes[route].push(self.now);
                }
                Ok(())
            }
        }
    }

    fn receive(&mut self, site: usize, request: ReceiveRequest, took: u64) {
        let failure = self.sqs.failure(&mut self.dice);
        let numbers = match &failure {
            Some(failure) if failure.sent == Sent::No => Vec::new(),
            _ => self.sqs.take(request.queue, self.now, request.visibility_s, &mut self.dice),
        };
        let messages = numbers.iter().map(|number| self.sqs.received(*number)).collect();
        let answered = failure.is_none();
        if answered {
            (0..numbers.len()).for_each(|place| self.note_received(site, &numbers[..=place]));
        }
        self.sites[site].machine.received(request, took, failure.map_or(Ok(messages), Err));
        self.drive(site);
        if answered {
            self.check_received(site, &numbers);
        }
    }

    /// What an executor learns of the last of these messages of one receive, if it is about several tasks.
    fn note_received(&mut self, site: usize, numbers: &[usize]) {
        let Some((&number, before)) = numbers.split_last() else { return };
        let Some((of, true)) = self.sqs.messages[number].reports() else { return };
        let of = of.to_vec();
        // A message before it may have ended a task of it; one that names no attempt, any of its key.
        let before: Vec<(bool, Reported)> = before
            .iter()
            .filter_map(|number| self.sqs.messages[*number].reports())
            .flat_map(|(of, named)| of.iter().map(move |reported| (named, reported.clone())))
            .collect();
        let was_before = |of: &Reported| {
            before.iter().any(|(named, reported)| match named {
                true => reported.attempt == of.attempt,
                false => reported.key == of.key,
            })
        };
        let mut is_mixed = false;
        for reported in &of {
            let resubmits = |task: &Task| self.sites[site].settings.routes[task.route].batch_resubmit;
            let its_own = |task: &&mut Task| task.site == site && !task.gone && task.attempt == Some(reported.attempt);
            // The newest decides: a host may adopt an id that it gave up before.
            let mut is_safe = false;
            for task in self.tasks.iter_mut().filter(its_own) {
                let sent_again = reported.not_run || reported.dead_batch && resubmits(task);
                if sent_again && !task.has_ended() {
                    task.released_at.get_or_insert(self.now);
                }
                let source = task.ended.map(|ended| ended.source);
                // After a crash it is not known which message ended it.
                let stays =
                    source.is_none() && !was_before(reported) || source == Some(Some(number)) && !task.recovered;
                // What an earlier process acknowledged, this one may not know.
                is_safe = if task.acknowledged { !task.recovered } else { stays };
            }
            is_mixed |= !is_safe;
        }
        self.sqs.messages[number].was_mixed |= is_mixed && of.len() > 1;
    }

    /// The process dies, or ends without waiting: the outcome of its calls is not known.
    pub(super) fn abandon_calls(&mut self, site: usize) {
        let calls = std::mem::take(&mut self.calls);
        let (dead, others) = calls.into_iter().partition(|call| call.site == site);
        self.calls = others;
        for call in dead {
            match call.asked {
                Asked::Invoke(call) if self.dice.percent(50) => {
                    let members = super::tags_of(&call);
                    self.accept_if(&members, Verdict::Accepted);
                }
                Asked::Do(Action::Receive(request)) => self.abort_poll(request),
                Asked::Do(Action::Delete { entries, .. }) if self.dice.percent(50) => {
                    let receipts: Vec<_> = entries.iter().map(|entry| entry.receipt.clone()).collect();
                    let _ = self.sqs.batch(&receipts, &mut self.dice, |message, _| message.deleted = true);
                }
                Asked::Invoke(_) | Asked::Do(_) => {}
            }
        }
    }

    /// The driver drops its long polls when the executor closes.
    pub(super) fn drop_polls(&mut self, site: usize) {
        let mut index = 0;
        while let Some(call) = self.calls.get(index) {
            let Asked::Do(Action::Receive(request)) = call.asked else {
                index += 1;
                continue;
            };
            if call.site != site {
                index += 1;
                continue;
            }
            self.calls.remove(index);
            self.abort_poll(request);
            self.sites[site].machine.poll_dropped(request.queue);
        }
    }

    fn abort_poll(&mut self, request: ReceiveRequest) {
        if self.dice.percent(50) {
            let at = self.now + self.dice.below(LONG_POLL_MS);
            self.aborted_polls.push((at, request.queue, request.visibility_s));
        }
    }

    /// A new try of the task is under way.
    pub(super) fn note_try(&mut self, index: usize, call: &InvokeCall) {
        self.tasks[index].tries.push(Try {
            call: Some(call.id),
            began: self.now,
            answered: None,
            verdict: None,
            was_taken: false,
            with_others: call.batch.is_some(),
        });
    }
}
