//! Runs one command: prepares it, watches over it, and tells what became of it.

use crate::event::{Command, Task};
use crate::large_argument::{self, MAX_ARGUMENT_BYTES};
use crate::output::Output;
use crate::process_group::{Ended, ProcessGroup};
use crate::result::{NOT_RUN, Outcome, Reason, TIMED_OUT};
use crate::result_file;
use crate::settings::Settings;
use crate::state_dir::{RunDir, StateDir};
use crate::time_plan::{Limit, LimitedBy, TimePlan};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// The return code of a program that is not there, as a shell gives it.
const NOT_FOUND: i32 = 127;
/// After SIGKILL a process may be held by the kernel, for example by a network file system. We report without it.
const KILL_PATIENCE: Duration = Duration::from_millis(500);

/// What to run, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) task_key: &'a str,
    pub(crate) attempt_id: Option<&'a str>,
    pub(crate) task: &'a Task,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    /// Ends what the command left running when dropped. Keep it until the result is sent: some programs finish their
    /// work in the background.
    pub(crate) leftovers: Option<ProcessGroup>,
}

/// Runs the command of `job` to its end or its time limit. Must be polled on the main thread, see
/// [`ProcessGroup::start`].
pub(crate) async fn run(job: Job<'_>, settings: &Settings, plan: &TimePlan, state: &StateDir) -> Finished {
    let run_dir = match state.run_dir() {
        Ok(run_dir) => run_dir,
        Err(error) => return setup_failed(&format!("cannot make a directory for the command: {error}")),
    };
    let result_path = run_dir.file("result");
    let command = match prepare(job, &run_dir, &result_path) {
        Ok(command) => command,
        Err(message) => return setup_failed(&message),
    };
    let started_at_ms = crate::unix_ms();
    let limit = plan.limit(Instant::now(), job.task.timeout_ms, settings.kill_grace);
    let mut group = match ProcessGroup::start(command) {
        Ok(group) => group,
        Err(error) => return not_started(job.task.command.program(), &error),
    };
    let output = match Output::new(group.take_stdout(), group.take_stderr(), settings.output_tail_bytes) {
        Ok(output) => output,
        Err(error) => return setup_failed(&format!("cannot read the command's output: {error}")),
    };
    let mut outcome = watch(&group, output, &limit).await;
    outcome.started_at_ms = Some(started_at_ms);
    match result_file::read(&result_path) {
        Ok(value) => outcome.value = value,
        Err(message) => outcome.add_note(&message),
    }
    Finished { outcome, leftovers: Some(group) }
}

fn setup_failed(message: &str) -> Finished {
    Finished { outcome: Outcome::not_run(Reason::SetupFailed, message), leftovers: None }
}

fn not_started(program: &str, error: &std::io::Error) -> Finished {
    let return_code = match error.kind() {
        ErrorKind::NotFound => NOT_FOUND,
        // Not the program's fault.
        ErrorKind::ArgumentListTooLong => {
            return setup_failed("the command's arguments and environment together are larger than Linux takes");
        }
        ErrorKind::OutOfMemory | ErrorKind::WouldBlock => {
            return setup_failed(&format!("no process can be started: {error}"));
        }
        _ => NOT_RUN,
    };
    let message = format!("cannot start `{program}`: {error}");
    let mut outcome = Outcome::not_run(Reason::Exit, &message);
    outcome.return_code = return_code;
    Finished { outcome, leftovers: None }
}

fn prepare(job: Job<'_>, run_dir: &RunDir, result_path: &Path) -> Result<std::process::Command, String> {
    let argv = match &job.task.command {
        Command::Argv(argv) => large_argument::fit(argv, run_dir)?,
        Command::Shell(line) => large_argument::fit(&["/bin/sh".to_owned(), "-c".to_owned(), line.clone()], run_dir)?,
    };
    let (program, arguments) = argv.split_first().ok_or("the command is empty")?;
    let mut command = std::process::Command::new(program);
    command
        .args(arguments)
        // A command that finds it, such as another Lambda runtime, would take our events.
        .env_remove("AWS_LAMBDA_RUNTIME_API")
        .env("LAMBDA_EXECUTOR_TASK_KEY", job.task_key)
        .env("LAMBDA_EXECUTOR_RESULT_FILE", result_path)
        // None of an outer command's, should this run inside one.
        .env_remove("LAMBDA_EXECUTOR_ATTEMPT_ID")
        .env_remove("LAMBDA_EXECUTOR_CONFIG")
        .env_remove("LAMBDA_EXECUTOR_CONFIG_FILE");
    if let Some(id) = job.attempt_id {
        command.env("LAMBDA_EXECUTOR_ATTEMPT_ID", id);
    }
    let config = &job.task.executor_config;
    if config.len() <= MAX_ARGUMENT_BYTES - "LAMBDA_EXECUTOR_CONFIG=".len() {
        command.env("LAMBDA_EXECUTOR_CONFIG", config);
    } else {
        let path = run_dir
            .write("config.json", config.as_bytes())
            .map_err(|error| format!("cannot write executor_config to a file: {error}"))?;
        command.env("LAMBDA_EXECUTOR_CONFIG_FILE", path);
    }
    Ok(command)
}

/// What has been done about the time limit.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    Running,
    Terminated,
    Killed,
}

async fn watch(group: &ProcessGroup, mut output: Output, limit: &Limit) -> Outcome {
    let mut stage = Stage::Running;
    let mut closed = false;
    let ended = {
        let mut end = std::pin::pin!(group.ended());
        loop {
            let due = match stage {
                Stage::Running => limit.terminate_at,
                Stage::Terminated => limit.kill_at,
                Stage::Killed => limit.kill_at + KILL_PATIENCE,
            };
            tokio::select! {
                biased;
                ended = &mut end => break Some(ended),
                () = tokio::time::sleep_until(due.into()) => match stage {
                    Stage::Running => {
                        group.terminate();
                        stage = Stage::Terminated;
                    }
                    Stage::Terminated => {
                        group.kill();
                        stage = Stage::Killed;
                    }
                    Stage::Killed => break None,
                },
                () = output.pump(), if !closed => closed = true,
            }
        }
    };
    let finished_at_ms = crate::unix_ms();
    let output_tail = output.finish().await;
    let (signal, exit) = match ended {
        Some(Ok(Ended::Exited(status))) => (None, Some(status)),
        Some(Ok(Ended::Signalled(signal))) => (Some(signal), None),
        Some(Err(_)) | None => (None, None),
    };
    let mut outcome = Outcome {
        reason: Reason::Exit,
        return_code: NOT_RUN,
        signal,
        output_tail,
        value: None,
        started_at_ms: None,
        finished_at_ms,
    };
    match (stage, exit, signal) {
        (Stage::Terminated | Stage::Killed, ..) => {
            outcome.reason = Reason::Timeout;
            outcome.return_code = TIMED_OUT;
            let limit = match limit.by {
                LimitedBy::Task(ms) => format!("the task's time limit of {ms} ms (timeout_ms)"),
                LimitedBy::Function => "the time limit of the Lambda function".to_owned(),
            };
            let how = match stage {
                Stage::Killed => "SIGTERM, then SIGKILL",
                _ => "SIGTERM",
            };
            outcome.add_note(&format!("ended by {how} at {limit}"));
        }
        (Stage::Running, Some(status), _) => outcome.return_code = status,
        (Stage::Running, None, Some(signal)) => {
            outcome.reason = Reason::Signal;
            outcome.return_code = -signal;
        }
        (Stage::Running, None, None) => {
            outcome.reason = Reason::SetupFailed;
            outcome.add_note("the command's exit status cannot be had from the kernel");
        }
    }
    outcome
}
