//! A machine with its time, its AWS and its host in the test's hands.

use super::*;
use crate::executor::machine::{InvokeCall, Machine};
use crate::executor::message::Received;
use crate::executor::ports::{Fault, ReceiveRequest, Sent};
use crate::executor::task::Command;
use crate::executor::wire;
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) const RESULTS: QueueId = 0;
pub(super) const DEAD: QueueId = 1;
pub(super) const START_UNIX_MS: i64 = 1_800_000_000_000;

/// A kind of failed call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure(Fault, Sent, &'static str);

/// No connection.
pub(super) const REFUSED: Failure = Failure(Fault::Service, Sent::No, "ConnectionFailed");
/// A 5xx.
pub(super) const BROKEN: Failure = Failure(Fault::Service, Sent::Rejected, "ServiceException");
pub(super) const LOST_ANSWER: Failure = Failure(Fault::Service, Sent::Maybe, "TimedOut");
pub(super) const NOT_READY: Failure = Failure(Fault::Route, Sent::Rejected, "ResourceConflictException");
pub(super) const FORBIDDEN: Failure = Failure(Fault::Route, Sent::Rejected, "AccessDeniedException");
pub(super) const THROTTLED: Failure = Failure(Fault::Account, Sent::Rejected, "TooManyRequestsException");
pub(super) const REJECTED: Failure = Failure(Fault::Identity, Sent::Rejected, "ExpiredTokenException");
pub(super) const TOO_LARGE: Failure = Failure(Fault::Event, Sent::Rejected, "RequestEntityTooLargeException");

pub(super) fn error(Failure(fault, sent, code): Failure) -> CallError {
    CallError {
        fault,
        sent,
        code: code.into(),
        message: "on purpose".into(),
        request_id: String::new(),
        retry_after_ms: None,
    }
}

/// What AWS answers in [`Stage::run`]: by default it accepts everything and has no messages.
pub(super) trait World {
    /// How long a call of Invoke or a probe takes.
    const INVOKE_MS: u64 = 10;
    fn invoke(&mut self, _: &InvokeRequest, _: Now) -> Result<Accepted, CallError> {
        Ok(Accepted::default())
    }
    fn probe(&mut self, _: Probe, _: Now) -> Result<(), CallError> {
        Ok(())
    }
    /// How long a receive takes.
    fn receive_ms(&self, _: QueueId) -> u64 {
        20_000
    }
    fn receive(&mut self, _: QueueId, _: Now) -> Result<Vec<Message>, CallError> {
        Ok(Vec::new())
    }
    fn change_visibility(&mut self, _: &[(String, u32)], _: Now) {}
}

/// A world in which everything works.
pub(super) struct Well;
impl World for Well {}

pub(super) struct Stage {
    pub(super) machine: Machine,
    pub(super) settings: Arc<Settings>,
    pub(super) now: Now,
    /// Calls of Invoke under way, oldest first, with the time of their start.
    pub(super) calls: VecDeque<(u64, InvokeCall)>,
    /// Other calls under way.
    pub(super) actions: Vec<(u64, Action)>,
    attempts: u64,
    messages: u64,
    last_seq: u64,
}

impl Stage {
    pub(super) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with(change, |settings, now| Machine::new(settings, now, false))
    }

    /// `make`: from the settings.
    pub(super) fn with(change: impl FnOnce(&mut Settings), make: impl FnOnce(Arc<Settings>, Now) -> Machine) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let settings = Arc::new(settings);
        let now = Now { mono_ms: 1_000, unix_ms: START_UNIX_MS };
        let mut stage = Self {
            machine: make(Arc::clone(&settings), now),
            settings,
            now,
            calls: VecDeque::new(),
            actions: Vec::new(),
            attempts: 0,
            messages: 0,
            last_seq: 0,
        };
        stage.tick();
        stage
    }

    /// As the driver does after every input.
    pub(super) fn tick(&mut self) {
        self.machine.set_now(self.now);
        self.machine.tick();
        let now = self.now.mono_ms;
        while let Some(call) = self.machine.next_call() {
            self.calls.push_back((now, call));
        }
        self.actions.extend(self.machine.take_actions().into_iter().map(|action| (now, action)));
    }

    pub(super) fn after(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.unix_ms += ms as i64;
        self.tick();
    }

    // The host.

    pub(super) fn spec(key: &str) -> TaskSpec {
        TaskSpec {
            key: key.into(),
            tag: 7,
            command: Command::Argv(vec!["true".into()]),
            executor_config: None,
            queue: String::new(),
            timeout_ms: 0,
            max_wait_ms: 0,
            result_timeout_ms: 0,
            attempt: None,
        }
    }

    pub(super) fn try_queue(&mut self, spec: TaskSpec) -> Result<AttemptId, Refusal> {
        self.attempts += 1;
        let mut bytes = [0xaa; 16];
        bytes[8..].copy_from_slice(&(self.attempts << 8).to_be_bytes());
        let prepared = wire::prepare(spec, AttemptId::from_random(bytes), &self.settings)?;
        let attempt = prepared.attempt;
        self.machine.set_now(self.now);
        let answer = self.machine.queue(prepared);
        self.tick();
        answer.map(|_| attempt)
    }

    pub(super) fn queue(&mut self, key: &str) -> AttemptId {
        self.try_queue(Self::spec(key)).unwrap()
    }

    pub(super) fn adopt(&mut self, key: &str) {
        self.try_adopt(key, None).unwrap();
    }

    pub(super) fn try_adopt(&mut self, key: &str, attempt: Option<AttemptId>) -> Result<(), Refusal> {
        let spec = AdoptSpec { key: key.into(), tag: 7, queue: String::new(), result_timeout_ms: 0, attempt };
        self.machine.set_now(self.now);
        let answer = self.machine.adopt(spec);
        self.tick();
        answer.map(|_| ())
    }

    pub(super) fn cancel(&mut self, key: &str) -> bool {
        let cancelled = self.machine.cancel(key);
        self.tick();
        cancelled
    }

    /// A task that Lambda has accepted under request id `request-<key>`.
    pub(super) fn running(&mut self, key: &str) -> AttemptId {
        let attempt = self.queue(key);
        self.answer_invoke(Ok(Accepted { request_id: format!("request-{key}") }));
        attempt
    }

    pub(super) fn state(&self, key: &str) -> Option<TaskState> {
        self.machine.state(key)
    }

    pub(super) fn health(&self) -> &'static str {
        self.machine.health().state
    }

    /// All events that wait.
    pub(super) fn take(&mut self) -> Vec<Event> {
        let events = self.machine.take_events(usize::MAX);
        self.last_seq = events.iter().map(|event| event.seq).max().unwrap_or(0).max(self.last_seq);
        events.into_iter().map(|event| Event::clone(&event.event)).collect()
    }

    pub(super) fn states(&mut self) -> Vec<TaskState> {
        self.take().iter().map(|event| event.state).collect()
    }

    pub(super) fn acknowledge_all(&mut self) {
        self.machine.acknowledge(&(1..=self.last_seq).collect::<Vec<_>>());
        self.tick();
    }

    // Invoke.

    /// Number of calls of Invoke under way.
    pub(super) fn invokes(&self) -> usize {
        self.calls.len()
    }

    /// Answers the oldest call of Invoke.
    pub(super) fn answer_invoke(&mut self, answer: Result<Accepted, CallError>) {
        let (_, call) = self.calls.pop_front().expect("an Invoke");
        self.machine.set_now(self.now);
        self.machine.invoked(call.id, 10, answer);
        self.tick();
    }

    pub(super) fn accept_invoke(&mut self) {
        self.answer_invoke(Ok(Accepted::default()));
    }

    pub(super) fn fail_invoke(&mut self, failure: Failure) {
        self.answer_invoke(Err(error(failure)));
    }

    /// The first other call under way that fits, as an answer is given to it.
    pub(super) fn remove_action(&mut self, fits: impl Fn(&Action) -> bool) -> Option<Action> {
        let at = self.actions.iter().position(|(_, action)| fits(action))?;
        Some(self.actions.remove(at).1)
    }

    // The queues.

    pub(super) fn polls(&self, queue: QueueId) -> usize {
        self.actions.iter().filter(|(_, action)| matches!(action, Action::Receive(r) if r.queue == queue)).count()
    }

    pub(super) fn answer_poll(&mut self, queue: QueueId, answer: Result<Vec<Message>, CallError>) {
        self.answer_poll_with(queue, answer.map(|messages| messages.into_iter().map(wire::read).collect()));
    }

    pub(super) fn answer_poll_with(&mut self, queue: QueueId, answer: Result<Vec<Received>, CallError>) {
        let is_poll = |action: &Action| matches!(action, Action::Receive(r) if r.queue == queue);
        let Some(Action::Receive(request)) = self.remove_action(is_poll) else { panic!("no poll of queue {queue}") };
        self.received(request, 20_000, answer);
    }

    fn received(&mut self, request: ReceiveRequest, took_ms: u64, answer: Result<Vec<Received>, CallError>) {
        self.machine.set_now(self.now);
        self.machine.received(request, took_ms, answer);
        self.tick();
    }

    /// As the driver does at the end.
    pub(super) fn drop_polls(&mut self) {
        while let Some(Action::Receive(request)) = self.remove_action(|action| matches!(action, Action::Receive(_))) {
            self.machine.poll_dropped(request.queue);
        }
    }

    pub(super) fn deliver(&mut self, queue: QueueId, message: Message) {
        self.answer_poll(queue, Ok(vec![message]));
    }

    /// Both queues are read for so long and nothing is in them.
    pub(super) fn listen(&mut self, ms: u64) {
        self.run(ms, &mut Well);
    }

    /// A message as received for the first time.
    pub(super) fn message(&mut self, body: String) -> Message {
        self.messages += 1;
        message(self.messages, body, self.now)
    }

    pub(super) fn result(&mut self, key: &str, attempt: AttemptId) -> Message {
        self.message(result_body(key, attempt))
    }

    /// As Airflow's handler sends it.
    pub(super) fn result_without_id(&mut self, key: &str) -> Message {
        self.message(format!(r#"{{"task_key":"{key}","return_code":0}}"#))
    }

    /// Receipts asked to be deleted, each call answered with `outcome`.
    pub(super) fn deletes(&mut self, outcome: &EntryOutcome) -> Vec<String> {
        let mut receipts = Vec::new();
        while let Some(Action::Delete { queue, entries }) = self.remove_action(|a| matches!(a, Action::Delete { .. })) {
            receipts.extend(entries.iter().map(|entry| entry.receipt.clone()));
            let outcomes = vec![outcome.clone(); entries.len()];
            self.machine.deleted(queue, entries, Ok(outcomes));
            self.tick();
        }
        receipts
    }

    /// Receipts deleted after the time that deletes wait for others.
    pub(super) fn deleted(&mut self) -> Vec<String> {
        self.after(100);
        self.deletes(&EntryOutcome::Done)
    }

    /// Each call of DeleteMessageBatch under way fails as a whole. Returns their number.
    pub(super) fn fail_deletes(&mut self, failure: Failure) -> usize {
        let mut calls = 0;
        while let Some(Action::Delete { queue, entries }) = self.remove_action(|a| matches!(a, Action::Delete { .. })) {
            self.machine.deleted(queue, entries, Err(error(failure)));
            self.tick();
            calls += 1;
        }
        calls
    }

    /// Changes of visibility asked for, each call answered.
    pub(super) fn hidden(&mut self) -> Vec<(String, u32)> {
        let mut changes = Vec::new();
        let is_change = |action: &Action| matches!(action, Action::ChangeVisibility { .. });
        while let Some(Action::ChangeVisibility { queue, entries }) = self.remove_action(is_change) {
            changes.extend(entries.iter().map(|entry| (entry.receipt.clone(), entry.seconds)));
            let outcomes = vec![EntryOutcome::Done; entries.len()];
            self.machine.visibility_changed(queue, entries, Ok(outcomes));
            self.tick();
        }
        changes
    }

    // The world.

    /// For so long, every call is answered as the world says.
    pub(super) fn run<W: World>(&mut self, ms: u64, world: &mut W) {
        let end = self.now.mono_ms + ms;
        let (mut turns, mut moment) = (0, 0);
        loop {
            while self.answer_one(world) {}
            let now = self.now.mono_ms;
            if now >= end {
                return;
            }
            turns = if moment == now { turns + 1 } else { 0 };
            moment = now;
            assert!(turns < 10_000, "a busy loop at {now}");
            let answer = self.next_answer(world);
            let next = [self.machine.next_timer(), answer].into_iter().flatten().min().unwrap_or(end);
            self.after(next.clamp(now, end) - now);
        }
    }

    fn due<W: World>((began, action): &(u64, Action), world: &W) -> u64 {
        match action {
            Action::Receive(request) => began + world.receive_ms(request.queue),
            Action::Probe { .. } => began + W::INVOKE_MS,
            Action::Delete { .. } | Action::ChangeVisibility { .. } | Action::CheckQueues => *began,
        }
    }

    fn next_answer<W: World>(&self, world: &W) -> Option<u64> {
        let action = self.actions.iter().map(|action| Self::due(action, world)).min();
        let call = self.calls.front().map(|(began, _)| began + W::INVOKE_MS);
        [action, call].into_iter().flatten().min()
    }

    /// Answers one call that is due. False if there is none.
    fn answer_one<W: World>(&mut self, world: &mut W) -> bool {
        let now = self.now.mono_ms;
        if self.calls.front().is_some_and(|(began, _)| began + W::INVOKE_MS <= now) {
            let (began, call) = self.calls.pop_front().unwrap();
            let answer = world.invoke(&call.clone().into_request(), self.now);
            self.machine.set_now(self.now);
            self.machine.invoked(call.id, now - began, answer);
            self.tick();
            return true;
        }
        let Some(at) = self.actions.iter().position(|action| Self::due(action, world) <= now) else { return false };
        let (began, action) = self.actions.remove(at);
        let took_ms = now - began;
        self.machine.set_now(self.now);
        match action {
            Action::Receive(request) => {
                let answer = world.receive(request.queue, self.now);
                let read = answer.map(|messages| messages.into_iter().map(wire::read).collect());
                self.machine.received(request, took_ms, read);
            }
            Action::Probe { route, probe } => {
                let answer = world.probe(probe, self.now).map(|()| Vec::new());
                self.machine.probed(route, probe, took_ms, answer);
            }
            Action::CheckQueues => self.machine.queues_checked(Ok(Vec::new())),
            Action::Delete { queue, entries } => {
                let outcomes = vec![EntryOutcome::Done; entries.len()];
                self.machine.deleted(queue, entries, Ok(outcomes));
            }
            Action::ChangeVisibility { queue, entries } => {
                let asked: Vec<_> = entries.iter().map(|entry| (entry.receipt.clone(), entry.seconds)).collect();
                world.change_visibility(&asked, self.now);
                let outcomes = vec![EntryOutcome::Done; entries.len()];
                self.machine.visibility_changed(queue, entries, Ok(outcomes));
            }
        }
        self.tick();
        true
    }
}

/// Message number `n`, sent and received for the first time now.
pub(super) fn message(n: u64, body: String, now: Now) -> Message {
    Message {
        message_id: format!("id-{n}"),
        receipt: format!("receipt-{n}"),
        body,
        receive_count: 1,
        sent_at_ms: now.unix_ms,
        first_received_at_ms: now.unix_ms,
        ..Message::default()
    }
}

pub(super) fn result_body(key: &str, attempt: AttemptId) -> String {
    format!(r#"{{"task_key":"{key}","return_code":0,"attempt_id":"{attempt}"}}"#)
}

/// The event that a call sends.
pub(super) fn event_of(request: &InvokeRequest) -> serde_json::Value {
    serde_json::from_slice(&request.payload).unwrap()
}
