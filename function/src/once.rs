//! One task of an invocation: run once, its result kept for a second delivery of the event.

use crate::attempts::{Attempts, Begun, Seen};
use crate::event::{Job, Task};
use crate::failure::failed;
use crate::log::{self, Level};
use crate::process_group::ProcessGroup;
use crate::result::{self, Origin, Outcome};
use crate::run::Runner;
use crate::time_plan::TimePlan;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use std::path::Path;

/// A task whose result is there.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The message that reports it.
    pub(crate) body: String,
    /// When dropped, ends processes that the command left running; see [`crate::run::Finished`].
    pub(crate) leftovers: Option<ProcessGroup>,
}

/// What is to be done with a task.
#[derive(Debug)]
pub(crate) enum Todo {
    /// Run it. `None` if that it begins could not be recorded: running it twice is better than not at all.
    Run(Option<Begun>),
    /// Send the result again that it had before.
    Report(String),
    /// Nothing: another invocation runs it, and reports it, or fails and is retried. If this one failed too, a command that
    /// may still succeed would have a dead letter.
    Leave,
    /// It was begun in this sandbox before, and how it ended is not known: the function died with it. It is not run again.
    Unknown,
}

/// Marks the task as begun, unless it is known.
pub(crate) fn begin(attempts: &Attempts, origin: &Origin<'_>) -> Todo {
    let key = [("task_key", Value::from(origin.task_key))];
    match attempts.begin(origin.submission()) {
        Ok(Seen::Never(begun)) => Todo::Run(Some(begun)),
        Ok(Seen::Finished(body)) => {
            log::write(Level::Warn, "this submission has already run: sending its result again", &key);
            Todo::Report(body)
        }
        Ok(Seen::Running) => {
            log::write(Level::Warn, "another invocation is running this submission and will report its result", &key);
            Todo::Leave
        }
        Ok(Seen::Unknown) => Todo::Unknown,
        Err(error) => {
            let message = format!("cannot record the start of the command, running it anyway: {error}");
            log::write(Level::Warn, &message, &key);
            Todo::Run(None)
        }
    }
}

/// Runs the task and keeps its result.
pub(crate) async fn run(
    runner: &Runner,
    attempts: &Attempts,
    origin: &Origin<'_>,
    task: &Task,
    dags: &Result<Option<&Path>, String>,
    plan: &TimePlan,
) -> Result<Ended, Diagnostic> {
    let key = ("task_key", Value::from(origin.task_key));
    log::write(
        Level::Info,
        "task received",
        &[key.clone(), ("program", task.command.program().into()), ("request_id", origin.request_id.into())],
    );
    let job = Job { task_key: origin.task_key, attempt_id: origin.attempt_id, task };
    let finished = runner.run(job, dags, plan).await;
    let mut outcome = finished.outcome;
    let body = encode(origin, &mut outcome)?;
    log::write(
        Level::Info,
        "task ended",
        &[
            key.clone(),
            ("reason", json!(outcome.reason)),
            ("return_code", outcome.return_code.into()),
            ("ms", outcome.started_at_ms.map(|started| outcome.finished_at_ms - started).into()),
        ],
    );
    if let Err(error) = attempts.finish(origin.submission(), &body) {
        let message = format!("cannot keep the result for a second delivery of the event: {error}");
        log::write(Level::Warn, &message, &[key]);
    }
    Ok(Ended { body, leftovers: finished.leftovers })
}

/// The message that reports `outcome`.
pub(crate) fn encode(origin: &Origin<'_>, outcome: &mut Outcome) -> Result<String, Diagnostic> {
    result::encode(origin, outcome).map_err(|error| {
        failed(Some(origin.task_key), "LambdaExecutor.ResultNotSent", format!("cannot write the result: {error}"))
    })
}
