//! One behaviour a test, in virtual time. The random histories beside this say that nothing ever breaks; these say
//! what exactly happens.

mod adopting;
mod credentials;
mod ending;
mod health;
mod invoking;
mod messages;
mod receiving;
mod routes;

use super::{Action, Core};
use crate::executor::event::Event;
use crate::executor::ports::{Accepted, CallError, EntryOutcome, FailureClass, Message, Now, QueueId};
use crate::executor::settings::Settings;
use crate::executor::task::{AdoptSpec, AttemptId, Command, Reason, Refusal, TaskSpec, TaskState};

const RESULTS: QueueId = 0;
const DEAD: QueueId = 1;
const START_UNIX_MS: i64 = 1_800_000_000_000;

/// A state machine with time in the test's hands.
pub(super) struct Stage {
    pub(super) core: Core,
    now: Now,
    actions: Vec<Action>,
    attempts: u8,
    messages: u64,
}

impl Stage {
    pub(super) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let now = Now { mono_ms: 1_000, unix_ms: START_UNIX_MS };
        let mut stage = Self { core: Core::new(settings, now), now, actions: Vec::new(), attempts: 0, messages: 0 };
        stage.tick();
        stage
    }

    fn tick(&mut self) {
        self.core.set_now(self.now);
        self.core.tick();
        self.actions.extend(self.core.take_actions());
    }

    fn after(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.unix_ms += ms as i64;
        self.tick();
    }

    fn spec(key: &str) -> TaskSpec {
        TaskSpec {
            key: key.into(),
            tag: 7,
            command: Command::Argv(vec!["true".into()]),
            executor_config: None,
            queue: String::new(),
            timeout_ms: 0,
            max_wait_ms: 0,
        }
    }

    fn try_queue(&mut self, spec: TaskSpec) -> Result<AttemptId, Refusal> {
        self.attempts += 1;
        let attempt = AttemptId::from_random([self.attempts; 16]);
        let answer = self.core.queue(spec, attempt);
        self.tick();
        answer.map(|()| attempt)
    }

    pub(super) fn queue(&mut self, key: &str) -> AttemptId {
        self.try_queue(Self::spec(key)).unwrap()
    }

    fn adopt(&mut self, key: &str) {
        self.try_adopt(key, None).unwrap();
    }

    fn try_adopt(&mut self, key: &str, attempt: Option<AttemptId>) -> Result<(), Refusal> {
        let spec = AdoptSpec { key: key.into(), tag: 7, queue: String::new(), timeout_ms: 0, attempt };
        let answer = self.core.adopt(spec);
        self.tick();
        answer
    }

    /// A task that Lambda has accepted under request id `request-<key>`.
    pub(super) fn running(&mut self, key: &str) -> AttemptId {
        let attempt = self.queue(key);
        self.answer_invoke(Ok(Accepted { request_id: format!("request-{key}") }));
        attempt
    }

    fn invokes(&self) -> usize {
        self.actions.iter().filter(|action| matches!(action, Action::Invoke { .. })).count()
    }

    fn answer_invoke(&mut self, answer: Result<Accepted, CallError>) {
        let at = self.actions.iter().position(|action| matches!(action, Action::Invoke { .. })).expect("an Invoke");
        let Action::Invoke { task, epoch, request } = self.actions.remove(at) else { unreachable!() };
        self.core.invoked(task, request.route, epoch, 10, answer);
        self.tick();
    }

    pub(super) fn refuse_invoke(&mut self, class: FailureClass) {
        self.answer_invoke(Err(error(class)));
    }

    fn polls(&self, queue: QueueId) -> usize {
        self.actions.iter().filter(|action| matches!(action, Action::Receive(r) if r.queue == queue)).count()
    }

    pub(super) fn answer_poll(&mut self, queue: QueueId, answer: Result<Vec<Message>, CallError>) {
        let is_poll = |action: &Action| matches!(action, Action::Receive(r) if r.queue == queue);
        let at = self.actions.iter().position(is_poll).expect("a poll");
        let Action::Receive(request) = self.actions.remove(at) else { unreachable!() };
        self.core.received(request, 20_000, answer);
        self.tick();
    }

    /// As the driver does at the end.
    fn drop_polls(&mut self) {
        let actions = std::mem::take(&mut self.actions);
        for action in actions {
            match action {
                Action::Receive(request) => self.core.poll_dropped(request.queue),
                other => self.actions.push(other),
            }
        }
    }

    pub(super) fn deliver(&mut self, queue: QueueId, message: Message) {
        self.answer_poll(queue, Ok(vec![message]));
    }

    /// A message as received for the first time.
    fn message(&mut self, body: String) -> Message {
        self.messages += 1;
        Message {
            message_id: format!("id-{}", self.messages),
            receipt: format!("receipt-{}", self.messages),
            body,
            receive_count: 1,
            sent_at_ms: self.now.unix_ms,
            first_received_at_ms: self.now.unix_ms,
            ..Message::default()
        }
    }

    pub(super) fn result(&mut self, key: &str, attempt: AttemptId) -> Message {
        self.message(format!(r#"{{"task_key":"{key}","return_code":0,"attempt_id":"{attempt}"}}"#))
    }

    /// As Airflow's handler sends it.
    fn result_without_id(&mut self, key: &str) -> Message {
        self.message(format!(r#"{{"task_key":"{key}","return_code":0}}"#))
    }

    fn take(&mut self) -> Vec<Event> {
        self.core.take_events(0)
    }

    fn states(&mut self) -> Vec<TaskState> {
        self.take().iter().map(|event| event.state).collect()
    }

    fn acknowledge_all(&mut self) {
        self.core.acknowledge(&(1..100).collect::<Vec<_>>());
        self.tick();
    }

    /// Receipts asked to be deleted, taken off the list of actions, each call answered with `outcome`.
    fn deletes(&mut self, outcome: &EntryOutcome) -> Vec<String> {
        let mut receipts = Vec::new();
        while let Some(at) = self.actions.iter().position(|action| matches!(action, Action::Delete { .. })) {
            let Action::Delete { queue, entries } = self.actions.remove(at) else { unreachable!() };
            receipts.extend(entries.iter().map(|entry| entry.receipt.clone()));
            let outcomes = vec![outcome.clone(); entries.len()];
            self.core.deleted(queue, entries, Ok(outcomes));
            self.actions.extend(self.core.take_actions());
        }
        receipts
    }

    /// Changes of visibility asked for, taken off the list of actions, each call answered.
    fn hidden(&mut self) -> Vec<(String, u32)> {
        let mut changes = Vec::new();
        while let Some(at) = self.actions.iter().position(|action| matches!(action, Action::ChangeVisibility { .. })) {
            let Action::ChangeVisibility { queue, entries } = self.actions.remove(at) else { unreachable!() };
            changes.extend(entries.iter().map(|entry| (entry.receipt.clone(), entry.seconds)));
            let outcomes = vec![EntryOutcome::Done; entries.len()];
            self.core.visibility_changed(queue, entries, Ok(outcomes));
            self.actions.extend(self.core.take_actions());
        }
        changes
    }
}

fn error(class: FailureClass) -> CallError {
    CallError { class, code: "Injected".into(), message: "on purpose".into(), retry_after_ms: None }
}

const AWAY: FailureClass = FailureClass::Transient { no_service: true };
const HICCUP: FailureClass = FailureClass::Transient { no_service: false };
