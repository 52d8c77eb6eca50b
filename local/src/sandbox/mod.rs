//! A sandbox: one handler process, its Runtime API on its own port, and the task that keeps both. One event at a time.
//!
//! Each process has its own port, because clients of the Runtime API accept only a host and a port, so that only the
//! port distinguishes processes.

mod environment;
mod process;
mod program;
mod runtime_api;

pub(crate) use environment::Surroundings;
pub(crate) use process::can_change_folder;
pub(crate) use program::{find_function_program, find_program};

use crate::clock::{Clock, system_time};
use crate::job::{FunctionError, Job, Outcome};
use crate::random::Random;
use crate::server::{Answer, answer, any_port, serve_own_user, set_header};
use crate::signature::civil;
use crate::stats::Stats;
use bytes::Bytes;
use process::{Process, Program};
use runtime_api::{Call, CallKind, RuntimeApi, accepted, problem};
use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// A handler must ask for its first event within this time, or within the function's time limit if that is longer.
const START_LIMIT: Duration = Duration::from_secs(10);

/// State that all sandboxes share.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) surroundings: Surroundings,
    pub(crate) stats: Arc<Stats>,
    pub(crate) random: Arc<Random>,
    pub(crate) clock: Clock,
    /// Time between SIGTERM and SIGKILL when a function ends.
    pub(crate) grace: watch::Receiver<Duration>,
}

/// A message from a sandbox to its function.
#[derive(Debug)]
pub(crate) enum Report {
    /// A run has ended; the sandbox is still busy.
    Done(Job, Outcome),
    /// This sandbox is ready for its next event.
    Free(u64),
    /// This sandbox has ended before it started this job.
    Gone(u64, Option<Job>),
}

/// Work for a sandbox.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) job: Job,
    pub(crate) timeout_ms: u64,
}

/// The properties of one sandbox.
#[derive(Debug)]
pub(crate) struct Launch {
    /// Unique within its function.
    pub(crate) id: u64,
    /// Absolute path of a program, and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) function_arn: Arc<str>,
    pub(crate) memory_mb: u64,
    pub(crate) handler_name: String,
    pub(crate) env: BTreeMap<String, String>,
}

/// Keeps a sandbox until its process ends, or until `assignments` is closed. The first assignment is already in the
/// channel.
pub(crate) async fn run<M: From<Report>>(
    host: Arc<Host>,
    launch: Launch,
    mut assignments: mpsc::UnboundedReceiver<Assignment>,
    outbox: mpsc::UnboundedSender<M>,
) {
    let id = launch.id;
    let mut returned = None;
    if let Some(first) = assignments.recv().await {
        match start(&host, launch).await {
            Ok(sandbox) => {
                let phase = Phase::starting(first);
                let keeper = Keeper { id, host, outbox: outbox.clone(), phase, process: sandbox.process };
                keeper.keep(sandbox.calls, &mut assignments).await;
                // A job may have been assigned just after the process ended. There is at most one: the next is assigned
                // only after this one has been reported.
                assignments.close();
                returned = assignments.recv().await.map(|Assignment { job, .. }| job);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot start a handler");
                let message = format!("RequestId: {} Error: cannot start the handler: {error}", first.job.request_id);
                let error = FunctionError::new("Runtime.InvalidEntrypoint", message);
                let _ = outbox.send(Report::Done(first.job, Outcome::Error(error)).into());
            }
        }
    }
    let _ = outbox.send(Report::Gone(id, returned).into());
}

struct Sandbox {
    process: Process,
    calls: Calls,
}

/// Requests of the handler. Dropping it closes the port and its connections.
struct Calls {
    receiver: mpsc::UnboundedReceiver<Call>,
    _server: JoinSet<()>,
}

async fn start(host: &Host, launch: Launch) -> std::io::Result<Sandbox> {
    let (listener, address) = any_port().await?;
    let log_stream = log_stream(host);
    let surroundings = &host.surroundings;
    let program = Program {
        env: surroundings.environment(&launch, &log_stream, address),
        command: launch.command,
        working_directory: surroundings.working_directory.clone(),
        output: surroundings.output.clone(),
    };
    let process = Process::spawn(program)?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut server = JoinSet::new();
    server.spawn(serve_own_user(listener, RuntimeApi(sender)));
    Ok(Sandbox { process, calls: Calls { receiver, _server: server } })
}

/// `2015/08/30/[$LATEST]0123456789abcdef0123456789abcdef`
fn log_stream(host: &Host) -> String {
    let [year, month, day, ..] = civil(i64::try_from(host.clock.now() / 1000).unwrap_or(0));
    format!("{year:04}/{month:02}/{day:02}/[$LATEST]{}", host.random.hex32())
}

/// State of the handler.
enum Phase {
    /// Has a job assigned, but has not asked for it.
    Starting { assignment: Assignment, limit: Instant },
    /// Works on an event.
    Busy { job: Job, timeout_ms: u64, limit: Instant },
    /// Has answered, but not asked for the next event. The answer is held back until then, so that an immediate next
    /// Invoke finds this sandbox free.
    Answered { job: Job, outcome: Outcome, limit: Instant },
    /// Waits for an event.
    Idle { next: oneshot::Sender<Answer> },
    /// Is being killed, and gets no more jobs.
    Absent,
}

impl Phase {
    fn starting(assignment: Assignment) -> Self {
        let limit = Duration::from_millis(assignment.timeout_ms).max(START_LIMIT);
        Self::Starting { assignment, limit: Instant::now() + limit }
    }

    fn limit(&self) -> Option<Instant> {
        match self {
            Self::Starting { limit, .. } | Self::Busy { limit, .. } | Self::Answered { limit, .. } => Some(*limit),
            Self::Idle { .. } | Self::Absent => None,
        }
    }
}

struct Keeper<M> {
    id: u64,
    host: Arc<Host>,
    outbox: mpsc::UnboundedSender<M>,
    phase: Phase,
    process: Process,
}

impl<M: From<Report>> Keeper<M> {
    async fn keep(mut self, mut calls: Calls, assignments: &mut mpsc::UnboundedReceiver<Assignment>) {
        loop {
            let limit = self.phase.limit();
            tokio::select! {
                // An answer that was sent before the end of the process or the time limit counts.
                biased;
                Some(call) = calls.receiver.recv() => self.serve(call),
                status = self.process.ended() => {
                    self.report_exit(status);
                    return;
                }
                assignment = assignments.recv() => match assignment {
                    Some(assignment) => self.assign(assignment),
                    None => return self.end().await,
                },
                () = sleep_until(limit.unwrap_or_else(Instant::now)), if limit.is_some() => {
                    self.process.kill();
                    self.process.ended().await;
                    self.report_timeout();
                    return;
                }
            }
        }
    }

    fn serve(&mut self, Call { kind, reply }: Call) {
        let answer = match kind {
            CallKind::Next => return self.next(reply),
            CallKind::Response { request_id, body } => self.finish(&request_id, || Outcome::Success(body)),
            CallKind::Error { request_id, body } => {
                self.finish(&request_id, || Outcome::Error(FunctionError::from_handler(body)))
            }
            CallKind::ResponseTooLarge { request_id } => {
                let message = "the handler's answer is larger than 6 MB";
                let error = || Outcome::Error(FunctionError::new("Function.ResponseSizeTooLarge", message.into()));
                match self.finish(&request_id, error).status().as_u16() {
                    202 => problem(413, "RequestEntityTooLarge", message),
                    _ => problem(400, "InvalidRequestID", "this event is not assigned to this handler"),
                }
            }
            CallKind::InitError { body } => {
                self.init_error(body);
                accepted()
            }
        };
        let _ = reply.send(answer);
    }

    /// The handler reports that it cannot start. It will exit; this report says more than its exit status.
    fn init_error(&mut self, body: Bytes) {
        match std::mem::replace(&mut self.phase, Phase::Absent) {
            Phase::Starting { assignment, .. } => {
                self.report(assignment.job, Outcome::Error(FunctionError::from_handler(body)));
                // Free the slot without waiting for the exit.
                self.process.kill();
            }
            other => self.phase = other,
        }
    }

    /// The handler asks for an event.
    fn next(&mut self, reply: oneshot::Sender<Answer>) {
        match std::mem::replace(&mut self.phase, Phase::Absent) {
            Phase::Starting { assignment, .. } => self.hand_out(assignment, reply),
            Phase::Answered { job, outcome, .. } => {
                let _ = self.outbox.send(Report::Free(self.id).into());
                self.report(job, outcome);
                self.phase = Phase::Idle { next: reply };
            }
            // The newer request counts: the older connection is gone.
            Phase::Idle { .. } | Phase::Absent => self.phase = Phase::Idle { next: reply },
            busy @ Phase::Busy { .. } => {
                self.phase = busy;
                let _ = reply.send(problem(403, "InvalidStateTransition", "answer the event you have first"));
            }
        }
    }

    fn assign(&mut self, assignment: Assignment) {
        self.host.stats.warm_starts.add();
        match std::mem::replace(&mut self.phase, Phase::Absent) {
            Phase::Idle { next } => self.hand_out(assignment, next),
            _ => self.phase = Phase::starting(assignment),
        }
    }

    fn hand_out(&mut self, assignment: Assignment, next: oneshot::Sender<Answer>) {
        let Assignment { job, timeout_ms } = assignment;
        let event = self.event(&job, timeout_ms);
        self.phase = match next.send(event) {
            Ok(()) => {
                let limit = Instant::now() + Duration::from_millis(timeout_ms);
                Phase::Busy { job, timeout_ms, limit }
            }
            // The connection broke: the handler will ask again, or has ended.
            Err(_) => Phase::starting(Assignment { job, timeout_ms }),
        };
    }

    fn event(&self, job: &Job, timeout_ms: u64) -> Answer {
        let mut event = answer(200, &[("content-type", "application/json")], job.payload.clone());
        // The handler compares the deadline with the system's clock.
        let deadline = system_time() + timeout_ms;
        let random = &self.host.random;
        let trace_id = job.trace_id.clone().unwrap_or_else(|| {
            let seconds = self.host.clock.now() / 1000;
            let id = random.hex32();
            format!("Root=1-{seconds:08x}-{};Parent={:016x};Sampled=0", &id[..24], random.next())
        });
        set_header(&mut event, "lambda-runtime-aws-request-id", &job.request_id);
        set_header(&mut event, "lambda-runtime-deadline-ms", &deadline.to_string());
        set_header(&mut event, "lambda-runtime-invoked-function-arn", &job.arn);
        set_header(&mut event, "lambda-runtime-trace-id", &trace_id);
        event
    }

    /// The handler answers its event.
    fn finish(&mut self, request_id: &str, outcome: impl FnOnce() -> Outcome) -> Answer {
        match std::mem::replace(&mut self.phase, Phase::Absent) {
            Phase::Busy { job, limit, .. } if *job.request_id == *request_id => {
                self.phase = Phase::Answered { job, outcome: outcome(), limit };
                accepted()
            }
            other => {
                self.phase = other;
                problem(400, "InvalidRequestID", "this event is not assigned to this handler")
            }
        }
    }

    fn report(&self, job: Job, outcome: Outcome) {
        // This fails only if the function has been deleted.
        let _ = self.outbox.send(Report::Done(job, outcome).into());
    }

    /// The process has ended.
    fn report_exit(&mut self, status: Option<ExitStatus>) {
        let how = status.map_or_else(|| "exit status unknown".to_owned(), |status| status.to_string());
        self.report_end(|job, _| FunctionError::exited(&job.request_id, &how));
    }

    /// Handles the time limit.
    fn report_timeout(&mut self) {
        // A handler that has answered was in time; it only asks for the next event too late.
        if !matches!(self.phase, Phase::Answered { .. }) {
            self.host.stats.timeouts.add();
        }
        self.report_end(|job, timeout_ms| FunctionError::timed_out(&job.request_id, timeout_ms));
    }

    /// Handles the end of the process: a sent answer counts, a missing one is an error.
    fn report_end(&mut self, error: impl FnOnce(&Job, u64) -> FunctionError) {
        match std::mem::replace(&mut self.phase, Phase::Absent) {
            Phase::Answered { job, outcome, .. } => self.report(job, outcome),
            Phase::Busy { job, timeout_ms, .. }
            | Phase::Starting { assignment: Assignment { job, timeout_ms }, .. } => {
                let error = error(&job, timeout_ms);
                self.report(job, Outcome::Error(error));
            }
            Phase::Idle { .. } | Phase::Absent => {}
        }
    }

    /// Handles the end of the function: the handler may clean up for a while.
    async fn end(mut self) {
        self.process.terminate();
        let grace = *self.host.grace.borrow();
        if timeout(grace, self.process.ended()).await.is_err() {
            self.process.kill();
            self.process.ended().await;
        }
    }
}
