//! One invocation from event to answer.

use crate::attempts::Attempts;
use crate::batch::Together;
use crate::event::{Incoming, Task};
use crate::failure::failed;
use crate::host;
use crate::log::{self, Level};
use crate::once::{self, Todo};
use crate::process_group;
use crate::report::{self, Delivery};
use crate::result::{Origin, Outcome, Reason};
use crate::run::Runner;
use crate::time_plan::TimePlan;
use lambda_runtime::{Context, Diagnostic};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};

/// Longer than any function runs. It keeps a wrong deadline from overflowing the clock.
const LONGEST_INVOCATION: Duration = Duration::from_secs(24 * 3_600);

/// Characters of a queue's URL in an error. URLs of AWS are shorter: a queue's name has at most 80 characters.
const MAX_SHOWN_URL: usize = 200;

/// Time from SIGTERM to SIGKILL for a command when this program itself must end: its host allows half a second.
pub(crate) const LAST_GRACE: Duration = Duration::from_millis(300);

/// State that lasts from one invocation to the next.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) runner: Runner,
    pub(crate) attempts: Attempts,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Where the Runtime API listens, `host:port`.
    pub(crate) api: String,
}

impl Handler {
    /// Runs the event's command and reports the result. An error fails the invocation: Lambda retries it, and finally
    /// sends the event with the error's message to the dead letter queue.
    pub(crate) async fn handle(&self, event: &str, context: &Context) -> Result<Value, Diagnostic> {
        let mut answer = std::pin::pin!(self.handle_event(event, context));
        tokio::select! {
            answer = &mut answer => answer,
            () = host::gone(&self.api) => {
                process_group::end_current(self.runner.settings.kill_grace.min(LAST_GRACE)).await;
                let message = format!("nothing listens at the Runtime API's address {} any more: ending", self.api);
                // The answer cannot be sent; that failure ends the program.
                Err(failed(None, "LambdaExecutor.HostGone", message))
            }
        }
    }

    async fn handle_event(&self, event: &str, context: &Context) -> Result<Value, Diagnostic> {
        let now = Instant::now();
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST_INVOCATION);
        let settings = &self.runner.settings;
        let plan = TimePlan::new(
            now,
            left,
            settings.kill_grace,
            settings.post_command.is_some().then_some(settings.post_timeout),
        );
        let incoming = Incoming::read(event).map_err(|message| failed(None, "LambdaExecutor.BadEvent", message))?;
        let events = match &incoming {
            Incoming::One(event) => std::slice::from_ref(event),
            Incoming::Several(batch) => batch.members.as_slice(),
        };
        // Nothing of a batch runs before all of it may be reported.
        for event in events {
            let queue_url = event.reply_to.as_deref().unwrap_or(&settings.queue_url);
            if !settings.may_reply_to(queue_url) {
                let message = reply_to_refused(queue_url, &settings.queue_url);
                return Err(failed(Some(&event.task_key), "LambdaExecutor.ReplyToRefused", message));
            }
        }
        let event = match &incoming {
            Incoming::One(event) => event,
            Incoming::Several(batch) => {
                let together = Together {
                    runner: &self.runner,
                    attempts: &self.attempts,
                    sqs: &self.sqs,
                    context,
                    began: now,
                    plan,
                };
                return together.run(batch).await;
            }
        };
        let origin = Origin {
            task_key: &event.task_key,
            attempt_id: event.attempt_id.as_deref(),
            request_id: &context.request_id,
            log_stream: &context.env_config.log_stream,
        };
        let queue_url = event.reply_to.as_deref().unwrap_or(&settings.queue_url);
        match &event.task {
            Ok(task) => self.run_once(&origin, task, queue_url, &plan).await,
            Err(message) => {
                log::write(Level::Error, message, &[("task_key", origin.task_key.into())]);
                self.send(&origin, queue_url, Outcome::not_run(Reason::BadEvent, message), &plan).await
            }
        }
    }

    async fn run_once(
        &self,
        origin: &Origin<'_>,
        task: &Task,
        queue_url: &str,
        plan: &TimePlan,
    ) -> Result<Value, Diagnostic> {
        let _begun = match once::begin(&self.attempts, origin) {
            Todo::Run(begun) => begun,
            Todo::Report(body) => return self.send_body(origin, queue_url, &body, plan).await,
            Todo::Leave => {
                return Ok(json!({"task_key": origin.task_key, "left_to": "the invocation that runs it"}));
            }
            Todo::Unknown => {
                let message = format!(
                    "submission {} was started in this sandbox before, and its outcome is unknown because the function \
                     ended while it ran; not run again",
                    origin.submission()
                );
                return Err(failed(Some(origin.task_key), "LambdaExecutor.OutcomeUnknown", message));
            }
        };
        let dags = self.runner.fetch_dags(plan).await;
        let ended = once::run(&self.runner, &self.attempts, origin, task, &dags, plan).await?;
        let answer = self.send_body(origin, queue_url, &ended.body, plan).await;
        // Only after the report: background processes of the command may run until here.
        drop(ended.leftovers);
        answer
    }

    async fn send(
        &self,
        origin: &Origin<'_>,
        queue_url: &str,
        mut outcome: Outcome,
        plan: &TimePlan,
    ) -> Result<Value, Diagnostic> {
        self.send_body(origin, queue_url, &once::encode(origin, &mut outcome)?, plan).await
    }

    async fn send_body(
        &self,
        origin: &Origin<'_>,
        queue_url: &str,
        body: &str,
        plan: &TimePlan,
    ) -> Result<Value, Diagnostic> {
        let delivery = Delivery { queue_url, body, task_key: origin.task_key, submission: origin.submission() };
        report::deliver(&self.sqs, delivery, plan.send_by)
            .await
            .map_err(|error| failed(Some(origin.task_key), "LambdaExecutor.ResultNotSent", error.to_string()))?;
        // For a synchronous invocation by hand; Lambda drops it otherwise.
        Ok(json!({"task_key": origin.task_key, "result_sent_to": queue_url}))
    }
}

/// Fails the invocation, and with it the task: the scheduler reads the dead letter queue, but not the configured
/// results queue. Lambda copies the first 1 KB of the message into the dead letter.
fn reply_to_refused(reply_to: &str, queue_url: &str) -> String {
    // The value comes from the event: it may have any length.
    let shown: String = reply_to.chars().take(MAX_SHOWN_URL).collect();
    let cut = if shown.len() < reply_to.len() { " (cut)" } else { "" };
    format!(
        "nothing was run: the event's reply_to is `{shown}`{cut}, but this function sends results only to \
         `{queue_url}` (QUEUE_URL) and to the queues in LAMBDA_EXECUTOR_REPLY_TO_ALLOW; set QUEUE_URL to the \
         scheduler's queue_url, letter for letter, or list the queue in LAMBDA_EXECUTOR_REPLY_TO_ALLOW"
    )
}
