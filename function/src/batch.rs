//! Several tasks in one invocation: run one after another or side by side, each with its own time limit, output and return
//! code; reported together.

use crate::attempts::Attempts;
use crate::digest::hex_digest;
use crate::event::{Batch, Event};
use crate::failure::failed;
use crate::log::{self, Level};
use crate::once::{self, Ended, Todo};
use crate::report::{self, Delivery, NotDelivered};
use crate::result::{MAX_RESULT_BYTES, Origin, Outcome, Reason, together, together_bytes};
use crate::run::Runner;
use crate::time_plan::TimePlan;
use lambda_runtime::{Context, Diagnostic};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A result waits so long for those of other tasks. What takes longer than that is reported while the others run.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Of the submissions in an error so many are named: Lambda copies the first 1 KB of it into the dead letter.
const MOST_NAMED: usize = 10;

/// What the tasks of one invocation share.
pub(crate) struct Together<'a> {
    pub(crate) runner: &'a Runner,
    pub(crate) attempts: &'a Attempts,
    pub(crate) sqs: &'a aws_sdk_sqs::Client,
    pub(crate) context: &'a Context,
    /// When the invocation began.
    pub(crate) began: Instant,
    pub(crate) plan: TimePlan,
}

/// A result on its way.
struct Report<'a> {
    event: &'a Event,
    ended: Ended,
    /// When it was there.
    at: Instant,
}

/// How far the tasks have come.
#[derive(Default)]
struct Progress {
    next: Cell<usize>,
    /// Commands that were started.
    started: Cell<usize>,
    /// Submissions whose outcome is not known.
    unknown: RefCell<Vec<String>>,
    failure: RefCell<Option<Diagnostic>>,
}

impl Together<'_> {
    /// Runs and reports all. The error fails the invocation: what was reported will be a duplicate then.
    pub(crate) async fn run(&self, batch: &Batch) -> Result<Value, Diagnostic> {
        let dags = self.runner.fetch_dags(&self.plan).await;
        let progress = Progress::default();
        let (reports, to_send) = mpsc::unbounded_channel();
        let run = async {
            let workers = (0..batch.parallel.min(batch.members.len()))
                .map(|_| self.work(batch, &progress, &dags, reports.clone()))
                .collect();
            all(workers).await;
            // Closes the channel: there is no more to report.
            drop(reports);
        };
        let (not_delivered, ()) = tokio::join!(self.report(to_send), run);
        if let Some(error) = not_delivered {
            return Err(failed(None, "LambdaExecutor.ResultNotSent", error.to_string()));
        }
        if let Some(failure) = progress.failure.take() {
            return Err(failure);
        }
        let unknown = progress.unknown.take();
        if !unknown.is_empty() {
            return Err(failed(None, "LambdaExecutor.OutcomeUnknown", unknown_text(&unknown, batch.members.len())));
        }
        // For a synchronous invocation by hand; Lambda drops it otherwise.
        Ok(json!({"tasks": batch.members.len(), "results_sent": true}))
    }

    /// Takes tasks until there are no more.
    async fn work<'b>(
        &self,
        batch: &'b Batch,
        progress: &Progress,
        dags: &Result<Option<&Path>, String>,
        reports: mpsc::UnboundedSender<Report<'b>>,
    ) {
        while let Some(event) = batch.members.get(progress.next.replace(progress.next.get() + 1)) {
            match self.run_one(event, progress, dags).await {
                Ok(Some(ended)) => {
                    // The receiver lives as long as the workers.
                    let _ = reports.send(Report { event, ended, at: Instant::now() });
                }
                Ok(None) => {}
                Err(failure) => {
                    progress.failure.borrow_mut().get_or_insert(failure);
                }
            }
        }
    }

    /// Runs one task. `None`: there is nothing to report.
    async fn run_one(
        &self,
        event: &Event,
        progress: &Progress,
        dags: &Result<Option<&Path>, String>,
    ) -> Result<Option<Ended>, Diagnostic> {
        let origin = self.origin(event);
        let report =
            |mut outcome| once::encode(&origin, &mut outcome).map(|body| Some(Ended { body, leftovers: None }));
        let task = match &event.task {
            Ok(task) => task,
            Err(message) => {
                log::write(Level::Error, message, &[("task_key", origin.task_key.into())]);
                return report(Outcome::not_run(Reason::BadEvent, message));
            }
        };
        let begun = match once::begin(self.attempts, &origin) {
            Todo::Run(begun) => begun,
            Todo::Report(body) => return Ok(Some(Ended { body, leftovers: None })),
            Todo::Leave => return Ok(None),
            Todo::Unknown => {
                progress.unknown.borrow_mut().push(origin.submission().to_owned());
                return Ok(None);
            }
        };
        // The first has all the time that it would have alone.
        if progress.started.get() > 0 && !self.plan.has_room(self.began, Instant::now(), task.timeout_ms) {
            if let Some(begun) = begun
                && let Err(error) = self.attempts.withdraw(origin.submission(), begun)
            {
                let message = format!("cannot take back the record of the start: {error}");
                log::write(Level::Warn, &message, &[("task_key", origin.task_key.into())]);
            }
            let message = "not started: other tasks of the same invocation took its time";
            log::write(Level::Warn, message, &[("task_key", origin.task_key.into())]);
            return report(Outcome::not_started(message));
        }
        progress.started.set(progress.started.get() + 1);
        let ended = once::run(self.runner, self.attempts, &origin, task, dags, &self.plan).await;
        drop(begun);
        ended.map(Some)
    }

    fn origin<'b>(&'b self, event: &'b Event) -> Origin<'b> {
        Origin {
            task_key: &event.task_key,
            attempt_id: event.attempt_id.as_deref(),
            request_id: &self.context.request_id,
            log_stream: &self.context.env_config.log_stream,
        }
    }

    /// Sends results as they come, several in one message where that delays none of them by more than [`LONGEST_WAIT`].
    /// Returns the first failure; the others are sent all the same.
    async fn report(&self, mut reports: mpsc::UnboundedReceiver<Report<'_>>) -> Option<NotDelivered> {
        let mut unsent: Vec<Report<'_>> = Vec::new();
        let mut failure = None;
        loop {
            let next = match unsent.first() {
                None => reports.recv().await,
                Some(oldest) => {
                    match tokio::time::timeout_at((oldest.at + LONGEST_WAIT).into(), reports.recv()).await {
                        Ok(next) => next,
                        Err(_) => {
                            failure = failure.or(self.send(&mut unsent).await);
                            continue;
                        }
                    }
                }
            };
            let Some(next) = next else { break };
            let fits = unsent.first().is_none_or(|first| {
                let bodies: usize = unsent.iter().chain([&next]).map(|report| report.ended.body.len()).sum();
                together_bytes(unsent.len() + 1, bodies) <= MAX_RESULT_BYTES
                    && self.queue_url(first.event) == self.queue_url(next.event)
            });
            if !fits {
                failure = failure.or(self.send(&mut unsent).await);
            }
            unsent.push(next);
        }
        failure.or(self.send(&mut unsent).await)
    }

    fn queue_url<'b>(&'b self, event: &'b Event) -> &'b str {
        event.reply_to.as_deref().unwrap_or(&self.runner.settings.queue_url)
    }

    /// Sends these results as one message. Processes that their commands left in the background run until then.
    async fn send(&self, reports: &mut Vec<Report<'_>>) -> Option<NotDelivered> {
        let sent = std::mem::take(reports);
        let first = sent.first()?.event;
        let bodies: Vec<&str> = sent.iter().map(|report| report.ended.body.as_str()).collect();
        let submissions: Vec<&str> = sent.iter().filter_map(|report| report.event.attempt_id.as_deref()).collect();
        let submission = match submissions.as_slice() {
            [one] => (*one).to_owned(),
            several => hex_digest(&several.join(",")),
        };
        let body = together(&bodies);
        let delivery = Delivery {
            queue_url: self.queue_url(first),
            body: &body,
            task_key: &first.task_key,
            submission: &submission,
        };
        report::deliver(self.sqs, delivery, self.plan.send_by).await.err()
    }
}

fn unknown_text(unknown: &[String], tasks: usize) -> String {
    let named = unknown.get(..MOST_NAMED.min(unknown.len())).unwrap_or_default().join(", ");
    let more = if unknown.len() > MOST_NAMED { " and others" } else { "" };
    format!(
        "{} of the {tasks} tasks of this event were started in this sandbox before, and their outcome is unknown because the \
         function ended while they ran; not run again: submissions {named}{more}",
        unknown.len()
    )
}

/// Polls all futures to their end, on this thread.
async fn all<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut running: Vec<_> = futures.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        running.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
