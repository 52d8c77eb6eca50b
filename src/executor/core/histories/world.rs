//! Lambda and SQS as far as the state machine can tell: what they accept, lose, repeat and refuse, in virtual time.

use super::dice::Dice;
use super::model::Model;
use crate::executor::core::{Action, Core};
use crate::executor::ports::{Accepted, CallError, EntryOutcome, FailureClass, Message, Now, QueueId};
use crate::executor::settings::{QueueKind, QueueSettings, RouteSettings, Settings};
use std::sync::Arc;

/// How Lambda takes Invokes at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LambdaMood {
    Well,
    Mixed,
    Throttling,
    Away,
    Flaky,
    NoCredentials,
}

/// How SQS answers at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SqsMood {
    Well,
    Mixed,
    Away,
    NoCredentials,
}

/// An event that Lambda has accepted and whose outcome is still to come.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Index in [`Model::tasks`].
    pub(super) task: usize,
    pub(super) payload: Arc<[u8]>,
    pub(super) attempt: Option<String>,
    pub(super) request_id: String,
}

/// What a message in SQS really is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum About {
    /// Of one of our tasks. `named`: it carries the attempt id.
    Ours { task: usize, named: bool },
    /// Another executor's.
    Stranger,
    /// Nothing that can be understood.
    Malformed,
}

/// A message in SQS; its number is its index and its id `m<number>`.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) queue: QueueId,
    pub(super) about: About,
    pub(super) message: Message,
    /// Our clock, mono.
    pub(super) sent_mono: u64,
    pub(super) visible_at: u64,
    pub(super) visible_since: u64,
    pub(super) deleted: bool,
    pub(super) delete_asked: bool,
    /// Extensions asked for since it was last received.
    pub(super) extensions: u32,
    /// The last change of its visibility failed or never happened.
    pub(super) change_failed: bool,
}

/// A call that the executor has made and that is not answered.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) action: Action,
    pub(super) began: u64,
}

/// Everything outside of the state machine, and the state machine.
#[derive(Debug)]
pub(super) struct World {
    pub(super) core: Core,
    pub(super) settings: Settings,
    pub(super) now: Now,
    pub(super) dice: Dice,
    pub(super) model: Model,
    pub(super) calls: Vec<Call>,
    pub(super) runs: Vec<Run>,
    pub(super) messages: Vec<Stored>,
    pub(super) lambda: LambdaMood,
    pub(super) sqs: SqsMood,
    /// SQS's clock minus ours.
    pub(super) skew_ms: i64,
    next_request: u64,
}

/// Where virtual time begins, by the clock on the wall.
const START_UNIX_MS: i64 = 1_800_000_000_000;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let settings = settings(&mut dice);
        let now = Now { mono_ms: 1_000, unix_ms: START_UNIX_MS };
        let skew_ms = dice.one_of(&[0, 0, 0, 1_500, -1_500]);
        let core = Core::new(settings.clone(), now);
        let model = Model::new(&settings);
        let mut world = Self {
            core,
            now,
            dice,
            model,
            settings,
            calls: Vec::new(),
            runs: Vec::new(),
            messages: Vec::new(),
            lambda: LambdaMood::Mixed,
            sqs: SqsMood::Mixed,
            skew_ms,
            next_request: 0,
        };
        world.drive();
        world
    }

    /// What the driver does after each input.
    pub(super) fn drive(&mut self) {
        self.core.set_now(self.now);
        self.core.tick();
        self.collect();
        self.core.tick();
        assert!(!self.core.has_actions(), "a second tick at the same moment found more to do");
        if let Some(at) = self.core.next_timer() {
            assert!(at > self.now.mono_ms, "next_timer {at} is not after now {}: a busy loop", self.now.mono_ms);
        }
    }

    /// Takes what the state machine asks for.
    pub(super) fn collect(&mut self) {
        for action in self.core.take_actions() {
            self.check_action(&action);
            self.calls.push(Call { action, began: self.now.mono_ms });
        }
    }

    /// Lets time pass, waking the state machine whenever it asked to be.
    pub(super) fn advance(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        for round in 0.. {
            assert!(round < 10_000, "more than 10,000 timers in {ms} ms");
            let at = self.core.next_timer().filter(|at| *at < end).unwrap_or(end);
            self.now.unix_ms += (at - self.now.mono_ms) as i64;
            self.now.mono_ms = at;
            self.drive();
            self.check();
            if at == end {
                return;
            }
        }
    }

    /// Puts a message into a queue; returns its number.
    pub(super) fn send(&mut self, queue: QueueId, about: About, body: impl FnOnce(usize) -> Message) -> usize {
        let number = self.messages.len();
        let mut message = body(number);
        message.message_id = format!("m{number}");
        message.sent_at_ms = self.now.unix_ms + self.skew_ms;
        self.messages.push(Stored {
            queue,
            about,
            message,
            sent_mono: self.now.mono_ms,
            visible_at: self.now.mono_ms,
            visible_since: self.now.mono_ms,
            deleted: false,
            delete_asked: false,
            extensions: 0,
            change_failed: false,
        });
        number
    }

    /// The message that a receipt `r<number>.<count>` was given for, and whether it is its newest.
    pub(super) fn of_receipt(&mut self, receipt: &str) -> (&mut Stored, bool) {
        let number: usize = receipt[1..].split('.').next().and_then(|n| n.parse().ok()).expect("a receipt of ours");
        let stored = &mut self.messages[number];
        let newest = stored.message.receipt == receipt;
        (stored, newest)
    }

    /// Answers the call at this index as the moods of the moment have it.
    pub(super) fn answer(&mut self, index: usize) {
        let Call { action, began } = self.calls.remove(index);
        let took = self.now.mono_ms - began;
        self.core.set_now(self.now);
        match action {
            Action::Invoke { task, epoch, request } => {
                let answer = self.lambda_answer(task, &request.payload);
                self.model.lambda_answered(&self.core, task, request.route, self.now.mono_ms, &answer);
                self.core.invoked(task, request.route, epoch, took, answer);
                self.check_back_off(task);
            }
            Action::Receive(request) => {
                let answer = self.sqs_error().map_or_else(|| Ok(self.deliver(request.queue)), Err);
                self.model.receive_answered(request.queue, self.now.mono_ms, answer.is_ok());
                self.core.received(request, took, answer);
            }
            Action::Delete { queue, entries } => {
                let receipts: Vec<_> = entries.iter().map(|entry| entry.receipt.clone()).collect();
                let answer = self.sqs_batch(&receipts, |stored, newest, _| stored.deleted |= newest, &[]);
                self.core.deleted(queue, entries, answer);
            }
            Action::ChangeVisibility { queue, entries } => {
                let receipts: Vec<_> = entries.iter().map(|entry| entry.receipt.clone()).collect();
                let seconds: Vec<_> = entries.iter().map(|entry| u64::from(entry.seconds)).collect();
                let now = self.now.mono_ms;
                let change = |stored: &mut Stored, newest: bool, seconds: u64| {
                    stored.change_failed |= !newest;
                    if newest {
                        stored.change_failed = false;
                        stored.visible_since = now;
                        stored.visible_at = now + seconds * 1000;
                    }
                };
                let answer = self.sqs_batch(&receipts, change, &seconds);
                self.core.visibility_changed(queue, entries, answer);
            }
            Action::CheckHealth => {
                let well = self.lambda == LambdaMood::Well || self.dice.percent(40);
                let answer = if well { Ok(Vec::new()) } else { Err(error(FailureClass::Permanent, "NotThere")) };
                self.core.health_checked(answer);
            }
        }
        self.drive();
        self.check();
    }

    fn lambda_answer(&mut self, task: u64, payload: &Arc<[u8]>) -> Result<Accepted, CallError> {
        use FailureClass::{Credentials, Permanent, Throttled, Transient};
        let roll = self.dice.below(100);
        let class = match (self.lambda, roll) {
            (LambdaMood::Well, _) | (LambdaMood::Mixed, 0..75) => None,
            (LambdaMood::Mixed, 75..82) | (LambdaMood::Throttling, 0..85) => Some(Throttled),
            (LambdaMood::Mixed, 82..88) | (LambdaMood::Flaky, 0..60) => Some(Transient { no_service: false }),
            (LambdaMood::Mixed, 88..95) | (LambdaMood::Away, _) => Some(Transient { no_service: true }),
            (LambdaMood::Mixed, 95..97) => Some(Permanent),
            (LambdaMood::Mixed, _) | (LambdaMood::NoCredentials, _) => Some(Credentials),
            (LambdaMood::Throttling | LambdaMood::Flaky, _) => None,
        };
        // An Invoke whose answer is lost was accepted all the same, now and then.
        let accepted_unseen = matches!(class, Some(Transient { no_service: true })) && self.dice.percent(30);
        let request_id = format!("q{}", self.next_request);
        if class.is_none() || accepted_unseen {
            self.next_request += 1;
            self.accept(task, payload, &request_id);
        }
        match class {
            None => Ok(Accepted { request_id }),
            Some(class) => {
                let mut failure = error(class, "Injected");
                if class == Throttled && self.dice.percent(30) {
                    failure.retry_after_ms = Some(self.dice.below(20_000));
                }
                Err(failure)
            }
        }
    }

    fn accept(&mut self, id: u64, payload: &Arc<[u8]>, request_id: &str) {
        let task = self.model.index_of(id);
        self.model.tasks[task].accepted = true;
        let attempt = self.model.tasks[task].attempt.map(|attempt| attempt.to_string());
        let run = Run { task, payload: Arc::clone(payload), attempt, request_id: request_id.into() };
        if self.dice.percent(5) {
            self.runs.push(run.clone());
        }
        self.runs.push(run);
    }

    fn sqs_error(&mut self) -> Option<CallError> {
        let class = match self.sqs {
            SqsMood::Well => return None,
            SqsMood::Mixed if self.dice.percent(95) => return None,
            SqsMood::Mixed | SqsMood::Away => FailureClass::Transient { no_service: true },
            SqsMood::NoCredentials => FailureClass::Credentials,
        };
        Some(error(class, "InjectedSqs"))
    }

    /// Up to ten of what is visible, perhaps fewer, in any order.
    fn deliver(&mut self, queue: QueueId) -> Vec<Message> {
        let now = self.now.mono_ms;
        let (now_theirs, well) = (self.now.unix_ms + self.skew_ms, self.sqs == SqsMood::Well);
        let most = if well { 10 } else { self.dice.one_of(&[0, 1, 3, 10, 10]) };
        let mut visible: Vec<usize> = (0..self.messages.len())
            .filter(|n| {
                let stored = &self.messages[*n];
                stored.queue == queue && !stored.deleted && stored.visible_at <= now
            })
            .collect();
        if let Some(first) = self.dice.index(visible.len()) {
            visible.rotate_left(first);
        }
        visible.truncate(most);
        visible
            .into_iter()
            .map(|number| {
                let stored = &mut self.messages[number];
                stored.message.receive_count += 1;
                if stored.message.receive_count == 1 {
                    stored.message.first_received_at_ms = now_theirs;
                }
                stored.message.receipt = format!("r{number}.{}", stored.message.receive_count);
                stored.visible_since = now;
                stored.visible_at = now + 60_000;
                stored.extensions = 0;
                stored.change_failed = false;
                stored.message.clone()
            })
            .collect()
    }

    /// Carries out a batch call, entry by entry, with what can go wrong.
    fn sqs_batch(
        &mut self,
        receipts: &[String],
        carry_out: impl Fn(&mut Stored, bool, u64),
        numbers: &[u64],
    ) -> Result<Vec<EntryOutcome>, CallError> {
        if let Some(failure) = self.sqs_error() {
            for receipt in receipts {
                self.of_receipt(receipt).0.change_failed = true;
            }
            return Err(failure);
        }
        let mut outcomes = Vec::new();
        for (at, receipt) in receipts.iter().enumerate() {
            let roll = if self.sqs == SqsMood::Well { 0 } else { self.dice.below(100) };
            let (stored, newest) = self.of_receipt(receipt);
            outcomes.push(match roll {
                90..95 => {
                    stored.change_failed = true;
                    EntryOutcome::Retry { code: "InternalError".into() }
                }
                95.. => {
                    stored.change_failed = true;
                    EntryOutcome::Gone { code: "ReceiptHandleIsInvalid".into() }
                }
                _ => {
                    carry_out(stored, newest, numbers.get(at).copied().unwrap_or(0));
                    EntryOutcome::Done
                }
            });
        }
        Ok(outcomes)
    }
}

fn error(class: FailureClass, code: &str) -> CallError {
    CallError { class, code: code.into(), message: "on purpose".into(), retry_after_ms: None }
}

/// Small limits, so that short histories meet them.
fn settings(dice: &mut Dice) -> Settings {
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
            })
            .collect(),
        queues,
        route_by_queue: routes > 1,
        max_invoke_attempts: dice.one_of(&[1, 2, 3, 3]),
        max_queued_tasks: dice.one_of(&[3, 100, 100]),
        max_unacked_results: dice.one_of(&[2, 4, 10_000]),
        keep_finished: dice.one_of(&[0, 1, 10_000]),
        result_timeout_ms: dice.one_of(&[30_000, 120_000, 600_000]),
        max_outage_ms: dice.one_of(&[20_000, 60_000]),
        max_stranger_delay_s: dice.one_of(&[60, 60, 4]),
        running_events: dice.percent(80),
        check_health_on_startup: dice.percent(20),
        seed: dice.next(),
        ..Settings::default()
    }
}
