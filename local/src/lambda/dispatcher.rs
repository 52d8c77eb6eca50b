//! Runs a function's events. Each function has one task, which owns its backlog and its sandboxes. Other tasks send it
//! messages.

use super::backlog::Backlog;
use super::builtin::Run;
use super::failure::{self, Condition};
use super::pool::Pool;
use super::settings::{Runner, Settings, World};
use crate::job::{CallerAnswer, FunctionError, Job, Outcome};
use crate::sandbox::{self, Assignment, Launch, Report};
use crate::sqs::SqsError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Messages received at a time.
const BATCH: usize = 64;

/// An input of the dispatcher.
#[derive(Debug)]
pub(crate) enum Message {
    /// A new event.
    Invoke(Job),
    /// The outcome of a run of the built-in handler.
    BuiltinDone(Job, Outcome),
    /// A message from a sandbox.
    Sandbox(Report),
}

impl From<Report> for Message {
    fn from(report: Report) -> Self {
        Self::Sandbox(report)
    }
}

/// The state of one function's runs.
pub(crate) struct Dispatcher {
    world: Arc<World>,
    arn: Arc<str>,
    settings: watch::Receiver<Arc<Settings>>,
    /// The settings that were read last.
    seen: Arc<Settings>,
    inbox: mpsc::UnboundedReceiver<Message>,
    /// Sandboxes report here.
    outbox: mpsc::UnboundedSender<Message>,
    backlog: Backlog,
    pool: Pool<mpsc::UnboundedSender<Assignment>>,
    builtin_runs: usize,
    /// Running sandboxes and built-in runs; they end with the dispatcher.
    tasks: JoinSet<()>,
}

impl Dispatcher {
    /// `outbox` is the sender of `inbox`. `arn` is the function's ARN without qualifier.
    pub(crate) fn new(
        world: Arc<World>,
        arn: Arc<str>,
        settings: watch::Receiver<Arc<Settings>>,
        inbox: mpsc::UnboundedReceiver<Message>,
        outbox: mpsc::UnboundedSender<Message>,
    ) -> Self {
        let seen = settings.borrow().clone();
        Self {
            world,
            arn,
            settings,
            seen,
            inbox,
            outbox,
            backlog: Backlog::default(),
            pool: Pool::default(),
            builtin_runs: 0,
            tasks: JoinSet::new(),
        }
    }

    /// Runs until the function is deleted, which drops the sender of its settings. Then ends its sandboxes.
    pub(crate) async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH);
        loop {
            let settings = self.newest_settings();
            let max_age = |qualifier: &str| settings.event_config(qualifier).maximum_event_age_ms;
            for job in self.backlog.advance(self.world.host.clock.now(), max_age) {
                self.give_up(&settings, &job, Condition::EventAgeExceeded, None);
            }
            self.start_waiting(&settings).await;
            let next_time = self.backlog.next_time(max_age);
            tokio::select! {
                _ = self.inbox.recv_many(&mut messages, BATCH) => {}
                changed = self.settings.changed() => if changed.is_err() { break },
                () = sleep_until(&self.world, next_time) => {}
                Some(_) = self.tasks.join_next() => {}
            }
            // Read the settings again: an Invoke that follows a change must use the new ones.
            let settings = self.newest_settings();
            for message in messages.drain(..) {
                self.take(&settings, message).await;
            }
        }
        // Their work channels close with the pool, which ends the sandboxes.
        self.pool = Pool::default();
        while self.tasks.join_next().await.is_some() {}
    }

    /// If the settings of processes have changed, warm processes are not used again.
    fn newest_settings(&mut self) -> Arc<Settings> {
        let newest = self.settings.borrow_and_update().clone();
        if !newest.suits_processes_of(&self.seen) {
            self.pool.retire();
        }
        self.seen = newest.clone();
        newest
    }

    fn running(&self) -> usize {
        self.pool.busy() + self.builtin_runs
    }

    async fn take(&mut self, settings: &Arc<Settings>, message: Message) {
        match message {
            Message::Invoke(job) if job.caller.is_none() => self.backlog.push(job),
            Message::Invoke(job) if self.running() < settings.concurrency() => self.start(settings, job).await,
            Message::Invoke(job) => {
                self.world.host.stats.throttles.add();
                answer(job, CallerAnswer::Throttled);
            }
            Message::BuiltinDone(job, outcome) => {
                self.builtin_runs = self.builtin_runs.saturating_sub(1);
                self.settle(settings, job, outcome);
            }
            Message::Sandbox(Report::Done(job, outcome)) => self.settle(settings, job, outcome),
            Message::Sandbox(Report::Free(id)) => self.pool.release(id),
            Message::Sandbox(Report::Gone(id, returned)) => {
                self.pool.remove(id);
                if let Some(job) = returned {
                    // The job keeps its turn and uses the slot that has just become free.
                    self.run_once(settings, job).await;
                }
            }
        }
    }

    async fn start_waiting(&mut self, settings: &Arc<Settings>) {
        if settings.concurrency() == 0 {
            while let Some(job) = self.backlog.pop() {
                self.give_up(settings, &job, Condition::ZeroReservedConcurrency, None);
            }
        }
        while !self.backlog.is_empty() && self.running() < settings.concurrency() {
            let Some(job) = self.backlog.pop() else { return };
            self.start(settings, job).await;
        }
    }

    async fn start(&mut self, settings: &Arc<Settings>, mut job: Job) {
        job.runs += 1;
        self.world.host.stats.invocations.add();
        if job.runs > 1 {
            self.world.host.stats.retries.add();
        }
        self.run_once(settings, job).await;
    }

    async fn run_once(&mut self, settings: &Arc<Settings>, job: Job) {
        match &settings.runner {
            Runner::Builtin(defaults) => {
                let now = self.world.host.clock.now();
                match Run::read(&job.payload, defaults, &self.world.host.random, now, settings.timeout_ms) {
                    Ok(run) if run.duration_ms == 0 => {
                        let outcome = run.finish(&self.world, &job, settings.timeout_ms).await;
                        self.settle(settings, job, outcome);
                    }
                    Ok(run) => self.start_builtin(run, job, settings.timeout_ms),
                    Err(error) => self.settle(settings, job, Outcome::Error(error)),
                }
            }
            Runner::Command(command) => self.start_in_sandbox(settings, command, job),
        }
    }

    fn start_builtin(&mut self, run: Run, job: Job, timeout_ms: u64) {
        self.builtin_runs += 1;
        let world = self.world.clone();
        let outbox = self.outbox.clone();
        let mut settings = self.settings.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(run.duration_ms.min(timeout_ms))) => {}
                // Deletion must not wait for a run of up to 15 min whose result is no longer needed.
                () = deleted(&mut settings) => return,
            }
            let outcome = run.finish(&world, &job, timeout_ms).await;
            // This fails only if the function has been deleted.
            let _ = outbox.send(Message::BuiltinDone(job, outcome));
        });
    }

    fn start_in_sandbox(&mut self, settings: &Settings, command: &[String], job: Job) {
        let mut assignment = Assignment { job, timeout_ms: settings.timeout_ms };
        while let Some((id, work)) = self.pool.take_idle() {
            match work.send(assignment) {
                Ok(()) => return,
                // The sandbox has just ended by itself.
                Err(mpsc::error::SendError(back)) => {
                    assignment = back;
                    self.pool.remove(id);
                }
            }
        }
        self.world.host.stats.cold_starts.add();
        let id = self.pool.new_id();
        let launch = Launch {
            id,
            command: command.to_vec(),
            function_arn: self.arn.clone(),
            memory_mb: settings.memory_mb,
            handler_name: settings.handler_name.clone(),
            env: settings.env.clone(),
        };
        let (work, assignments) = mpsc::unbounded_channel();
        // The receiver exists here, so this cannot fail.
        let _ = work.send(assignment);
        self.tasks.spawn(sandbox::run(self.world.host.clone(), launch, assignments, self.outbox.clone()));
        self.pool.add_busy(id, work);
    }

    /// Finishes an event, or keeps it for a retry.
    fn settle(&mut self, settings: &Settings, job: Job, outcome: Outcome) {
        let error = match outcome {
            Outcome::Error(error) => error,
            Outcome::Success(answered) => {
                answer(job, CallerAnswer::Ran(Outcome::Success(answered)));
                return;
            }
        };
        self.world.host.stats.function_errors.add();
        tracing::debug!(request_id = %job.request_id, run = job.runs, error = %error.message, "function error");
        let config = settings.event_config(&job.qualifier);
        if job.caller.is_some() {
            answer(job, CallerAnswer::Ran(Outcome::Error(error)));
        } else if job.runs > config.maximum_retry_attempts {
            self.give_up(settings, &job, Condition::RetriesExhausted, Some(&error));
        } else {
            let wait = settings.retry_base_ms << (job.runs - 1);
            // An event that will exceed its maximum age first is given up at that age.
            let too_old = job.accepted_ms + config.maximum_event_age_ms + 1;
            self.backlog.push_retry(self.world.host.clock.now().saturating_add(wait).min(too_old), job);
        }
    }

    fn give_up(&self, settings: &Settings, job: &Job, condition: Condition, error: Option<&FunctionError>) {
        let World { sqs, host, .. } = &*self.world;
        let on_failure = &settings.event_config(&job.qualifier).on_failure;
        if let Some(queue) = &settings.dead_letter_queue {
            let sent = failure::dead_letter(sqs, queue, job, condition, error);
            self.count_letter(job, queue, sent);
        }
        if let Some(queue) = on_failure {
            let sent = failure::destination(sqs, queue, job, condition, error, host.clock.now());
            self.count_letter(job, queue, sent);
        }
        if settings.dead_letter_queue.is_none() && on_failure.is_none() {
            host.stats.dropped_events.add();
            tracing::warn!(request_id = %job.request_id, function = %self.arn, "an event is dropped: no retry is left, \
                            and the function has no dead letter queue and no on-failure destination");
        }
    }

    fn count_letter(&self, job: &Job, queue: &str, sent: Result<(), SqsError>) {
        match sent {
            Ok(()) => self.world.host.stats.dead_letters.add(),
            Err(error) => {
                self.world.host.stats.dropped_events.add();
                tracing::warn!(request_id = %job.request_id, queue, %error, "an event is dropped: its dead letter cannot be sent");
            }
        }
    }
}

/// Answers the caller of a synchronous invoke. The caller may have closed its connection.
fn answer(job: Job, what: CallerAnswer) {
    if let Some(caller) = job.caller {
        let _ = caller.send(what);
    }
}

/// Returns when the function is deleted, which drops the sender of its settings.
async fn deleted(settings: &mut watch::Receiver<Arc<Settings>>) {
    while settings.changed().await.is_ok() {}
}

async fn sleep_until(world: &World, at: Option<u64>) {
    match at {
        Some(at) => tokio::time::sleep_until(world.host.clock.instant(at)).await,
        None => std::future::pending().await,
    }
}
