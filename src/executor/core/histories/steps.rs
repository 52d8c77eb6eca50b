//! What can happen next in a history. A step is two numbers, so that any subset of a history is a history too: that is
//! how failures are shrunk.

use super::dice::Dice;
use super::model::{HandedOut, ModelTask, source_of};
use super::world::{About, LambdaMood, Run, SqsMood, World};
use crate::executor::DrainMode;
use crate::executor::core::{Action, ReleaseEntry};
use crate::executor::ports::{Message, QueueId};
use crate::executor::task::{AdoptSpec, AttemptId, Command, Refusal, TaskSpec, TaskState};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

/// Kinds of steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Queue,
    Cancel,
    Adopt,
    Advance,
    Answer,
    AnswerAll,
    EndRun,
    LoseRun,
    Stranger,
    Malformed,
    ComesBack,
    TakeEvents,
    Acknowledge,
    Mood,
    Drain,
    ShutDown,
}

/// How often each comes.
const WEIGHTS: [(Kind, u64); 16] = [
    (Kind::Queue, 18),
    (Kind::Cancel, 3),
    (Kind::Adopt, 3),
    (Kind::Advance, 14),
    (Kind::Answer, 22),
    (Kind::AnswerAll, 6),
    (Kind::EndRun, 16),
    (Kind::LoseRun, 1),
    (Kind::Stranger, 2),
    (Kind::Malformed, 1),
    (Kind::ComesBack, 2),
    (Kind::TakeEvents, 10),
    (Kind::Acknowledge, 7),
    (Kind::Mood, 5),
    (Kind::Drain, 1),
    (Kind::ShutDown, 1),
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
    (any::<u64>().no_shrink(), vec(step, 1..70)).prop_map(|(world, steps)| History { world, steps })
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
        self.core.set_now(self.now);
        if self.model.shut_down && !matches!(step.kind, Kind::Answer | Kind::AnswerAll | Kind::Advance | Kind::Mood) {
            return;
        }
        match step.kind {
            Kind::Queue => self.host_queues(),
            Kind::Cancel => self.host_cancels(),
            Kind::Adopt => self.host_adopts(),
            Kind::Advance => {
                let most = self.dice.one_of(&[10, 1_000, 10_000, 100_000, 700_000]);
                let ms = 1 + self.dice.below(most);
                self.advance(ms);
            }
            Kind::Answer => {
                if let Some(index) = self.dice.index(self.calls.len()) {
                    self.answer(index);
                }
            }
            Kind::AnswerAll => {
                for _ in 0..self.calls.len() {
                    self.answer(0);
                }
            }
            Kind::EndRun => {
                if let Some(index) = self.dice.index(self.runs.len()) {
                    let run = self.runs.swap_remove(index);
                    self.end_run(&run);
                }
            }
            Kind::LoseRun => {
                if let Some(index) = self.dice.index(self.runs.len()) {
                    self.runs.swap_remove(index);
                }
            }
            Kind::Stranger => self.stranger_sends(),
            Kind::Malformed => {
                let queue = self.dice.below(self.settings.queues.len() as u64) as usize;
                let body = self.dice.one_of(&["", "{}", "[1]", r#"{"task_key":"k0"}"#, r#"{"return_code":0}"#]);
                self.send(queue, About::Malformed, |_| Message { body: body.into(), ..Message::default() });
            }
            Kind::ComesBack => {
                let now = self.now.mono_ms;
                if let Some(index) = self.dice.index(self.messages.len()) {
                    let stored = &mut self.messages[index];
                    stored.visible_at = stored.visible_at.min(now);
                    stored.change_failed = true;
                    // SQS may also show a message again that was deleted.
                    stored.deleted &= !self.dice.percent(30);
                }
            }
            Kind::TakeEvents => {
                let max = self.dice.one_of(&[0, 1, 2, 5]);
                self.host_takes(max);
            }
            Kind::Acknowledge => {
                let share = self.dice.one_of(&[30, 100]);
                self.host_acknowledges(share);
            }
            Kind::Mood => {
                use LambdaMood::{Away, Flaky, Mixed, NoCredentials, Throttling, Well};
                self.lambda = self.dice.one_of(&[Well, Mixed, Mixed, Throttling, Away, Flaky, NoCredentials]);
                self.sqs = self.dice.one_of(&[SqsMood::Well, SqsMood::Mixed, SqsMood::Away, SqsMood::NoCredentials]);
            }
            Kind::Drain => {
                let mode = self.dice.one_of(&[DrainMode::Finish, DrainMode::Running]);
                self.model.accepts = false;
                self.model.hands_back |= mode == DrainMode::Running;
                self.core.drain(mode);
            }
            Kind::ShutDown => self.shut_down(),
        }
        self.collect();
        self.drive();
    }

    fn a_key(&mut self) -> String {
        match self.dice.below(4) {
            0 => format!("f{}", self.model.tasks.len()),
            _ => format!("k{}", self.dice.below(5)),
        }
    }

    fn host_queues(&mut self) {
        let key = self.a_key();
        let taken = self.model.key_is_taken(&key);
        let bytes = (u128::from(self.dice.next()) << 64) | u128::from(self.dice.next());
        let attempt = AttemptId::from_random(bytes.to_be_bytes());
        let max_wait_ms = self.dice.one_of(&[0, 0, 0, 500, 20_000]);
        let queue = self.dice.one_of(&["", "default", "route1"]);
        let spec = TaskSpec {
            key: key.as_str().into(),
            tag: self.model.tasks.len() as u64,
            command: Command::Argv(vec!["true".into()]),
            executor_config: None,
            queue: queue.into(),
            timeout_ms: 0,
            max_wait_ms,
        };
        let answer = self.core.queue(spec, attempt);
        match &answer {
            Ok(()) => assert!(self.model.accepts && !taken, "queue accepted `{key}`, which it must refuse"),
            Err(Refusal::Duplicate { .. }) => assert!(taken, "`{key}` is no duplicate"),
            Err(Refusal::Closed) => assert!(!self.model.accepts),
            Err(Refusal::UnknownQueue { .. }) => assert_eq!((self.settings.routes.len(), queue), (2, "nowhere")),
            Err(Refusal::QueueFull { limit }) => {
                let waiting = self.core.queued.max(self.core.waiting_final as u64);
                assert!(waiting >= *limit as u64, "{waiting} tasks wait, not {limit}");
            }
            Err(other @ (Refusal::PayloadTooLarge { .. } | Refusal::BadOverride { .. })) => panic!("{other}"),
        }
        if answer.is_ok() {
            self.note_accepted(key, Some(attempt), false, max_wait_ms);
        }
    }

    fn note_accepted(&mut self, key: String, attempt: Option<AttemptId>, adopted: bool, max_wait_ms: u64) {
        let Some((id, _)) = self.core.table.newest(&key) else { panic!("`{key}` was accepted and is not known") };
        self.model.accepted(ModelTask {
            id,
            key,
            attempt,
            adopted,
            queued_at: self.now.mono_ms,
            max_wait_ms,
            first_invoked_at: None,
            running_since: adopted.then_some(self.now.mono_ms),
            attempts: 0,
            accepted: adopted,
            failed_at: None,
            refused_for_good: false,
            cancelled: false,
            running_told: false,
            ended: None,
            final_event: None,
        });
    }

    fn host_cancels(&mut self) {
        let key = self.a_key();
        let newest = self.model.newest.get(&key).copied();
        let unfinished = newest.is_some_and(|index| self.model.tasks[index].ended.is_none());
        assert_eq!(self.core.cancel(&key), unfinished, "cancel of `{key}`");
        if let (Some(index), true) = (newest, unfinished) {
            self.model.tasks[index].cancelled = true;
        }
    }

    /// Adopts a key; what an earlier process had begun for it ends some day, under an id that we know or do not. The id
    /// may also be that of a task of ours which has ended.
    fn host_adopts(&mut self) {
        let key = self.a_key();
        let taken = self.model.key_is_taken(&key);
        let tag = self.model.tasks.len();
        let fresh = (u128::from(self.dice.next()) << 64) | u128::from(self.dice.next());
        let earlier = self.model.newest.get(&key).and_then(|index| self.model.tasks[*index].attempt);
        let begun = earlier.filter(|_| self.dice.percent(50)).unwrap_or(AttemptId::from_random(fresh.to_be_bytes()));
        let known = Some(begun).filter(|_| self.dice.percent(50));
        let (key_text, queue) = (key.as_str().into(), String::new());
        let spec = AdoptSpec { key: key_text, tag: tag as u64, queue, timeout_ms: 0, attempt: known };
        match self.core.adopt(spec) {
            Ok(()) => assert!(self.model.accepts && !taken),
            Err(Refusal::Duplicate { .. }) => return assert!(taken),
            Err(Refusal::Closed) => return assert!(!self.model.accepts),
            Err(other) => panic!("{other}"),
        }
        let attempt = self.dice.percent(50).then(|| begun.to_string());
        let named = attempt.as_ref().map_or_else(String::new, |id| format!(r#","attempt_id":"{id}""#));
        let payload = format!(r#"{{"task_key":"{key}","command":["true"],"executor_config":{{}}{named}}}"#);
        let request_id = format!("earlier{tag}");
        self.runs.push(Run { task: tag, payload: payload.into_bytes().into(), attempt, request_id });
        self.note_accepted(key, known, true, 0);
    }

    /// A run ends with a result, or Lambda gives up on it.
    pub(super) fn end_run(&mut self, run: &Run) {
        let key = self.model.tasks[run.task].key.clone();
        let (dead, form) = (self.dice.percent(25), self.dice.below(3));
        let last = self.settings.queues.len() - 1;
        if dead && form < 2 {
            let payload = String::from_utf8_lossy(&run.payload).into_owned();
            let about = About::Ours { task: run.task, named: run.attempt.is_some() };
            self.send(last, about, |number| match form {
                0 => Message {
                    body: payload,
                    dead_request_id: Some(run.request_id.clone()),
                    dead_error_code: Some("200".into()),
                    dead_error_message: Some(format!("<m{number}>")),
                    ..Message::default()
                },
                _ => Message {
                    body: format!(
                        r#"{{"requestContext":{{"requestId":"{}","condition":"<m{number}>"}},"requestPayload":{payload}}}"#,
                        run.request_id
                    ),
                    ..Message::default()
                },
            });
            return;
        }
        // Ours echoes the id, Airflow's function does not; a result moved by a redrive policy is in the last queue.
        let echo = run.attempt.as_ref().filter(|_| self.dice.percent(70));
        let about = About::Ours { task: run.task, named: echo.is_some() };
        let queue = if dead { last } else { self.dice.below(last as u64) as usize };
        let code = self.dice.one_of(&[0, 0, 1, -9]);
        let named = echo.map_or_else(String::new, |id| format!(r#","attempt_id":"{id}""#));
        self.send(queue, about, |number| Message {
            body: format!(r#"{{"task_key":"{key}","return_code":{code},"output_tail":"<m{number}>"{named}}}"#),
            ..Message::default()
        });
    }

    fn stranger_sends(&mut self) {
        let queue = self.dice.below(self.settings.queues.len() as u64) as usize;
        let key = self.a_key();
        // Without an id only a key that is never ours is a stranger's for certain.
        let (key, id) = match self.dice.below(3) {
            0 => ("stranger".into(), String::new()),
            1 => (key, r#","attempt_id":"not ours""#.into()),
            _ => (key, format!(r#","attempt_id":"{}""#, AttemptId::from_random([7; 16]))),
        };
        self.send(queue, About::Stranger, |number| Message {
            body: format!(r#"{{"task_key":"{key}","return_code":0,"output_tail":"<m{number}>"{id}}}"#),
            ..Message::default()
        });
    }

    pub(super) fn host_takes(&mut self, max: usize) {
        for event in self.core.take_events(max) {
            assert_eq!(event.seq, self.model.next_seq, "seq has a gap");
            self.model.next_seq += 1;
            let source = source_of(&event);
            self.check_event(&event, source);
            let task = &mut self.model.tasks[event.tag as usize];
            if event.state == TaskState::Running {
                assert!(!task.running_told, "RUNNING twice");
                task.running_told = true;
            } else {
                self.model.unacked.insert(event.seq, HandedOut { source });
                task.final_event = Some(event);
            }
        }
    }

    pub(super) fn host_acknowledges(&mut self, share: u64) {
        let mut seqs: Vec<u64> = self.model.unacked.keys().copied().collect();
        seqs.retain(|_| self.dice.percent(share));
        for seq in &seqs {
            if let Some(source) = self.model.unacked.remove(seq).and_then(|handed_out| handed_out.source) {
                self.model.acked_sources.push(source);
            }
        }
        if let Some(first) = seqs.first().copied() {
            seqs.push(first);
        }
        seqs.extend([0, u64::MAX]);
        self.core.acknowledge(&seqs);
    }

    fn shut_down(&mut self) {
        let held: Vec<String> = self.core.held.values().map(|held| held.receipt.to_string()).collect();
        (self.model.accepts, self.model.shut_down) = (false, true);
        self.core.shut_down();
        self.collect();
        // The driver drops long polls at the end.
        let dropped: Vec<QueueId> = self
            .calls
            .iter()
            .filter_map(|call| match &call.action {
                Action::Receive(request) => Some(request.queue),
                _ => None,
            })
            .collect();
        self.calls.retain(|call| !matches!(call.action, Action::Receive(_)));
        dropped.into_iter().for_each(|queue| self.core.poll_dropped(queue));
        for receipt in held {
            let given_back = self.calls.iter().any(|call| match &call.action {
                Action::ChangeVisibility { entries, .. } => {
                    entries.iter().any(|entry| entry.receipt == receipt && entry.seconds == 0)
                }
                _ => false,
            });
            let waits = |entry: &ReleaseEntry| entry.receipt == receipt && entry.seconds == 0;
            let given_back = given_back || self.core.pollers.iter().any(|p| p.changes.waiting().any(waits));
            assert!(given_back, "{receipt} was held and is not given back at the end");
        }
    }
}
