//! Runs one command: fetches its Dags, prepares its environment, watches it, and determines the outcome.

use crate::clock;
use crate::env_file;
use crate::environment::Environment;
use crate::event::Job;
use crate::home;
use crate::hook;
use crate::large_argument;
use crate::log::{self, Level};
use crate::preload::Preload;
use crate::process_group::{Ended, ProcessGroup};
use crate::result::{NOT_RUN, Outcome, Reason, TIMED_OUT};
use crate::result_file::{self, Value};
use crate::s3;
use crate::settings::Settings;
use crate::state_dir::{RunDir, StateDir};
use crate::time_plan::{Limit, TimePlan};
use crate::variables::ENV_FILE;
use crate::watch::{Watched, watch};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The return code of a program that does not exist, as in a shell.
const NOT_FOUND: i32 = 127;

/// State that lasts from one command to the next.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) settings: Settings,
    pub(crate) state: StateDir,
    /// The Dags, if they come from S3.
    pub(crate) dags: Option<s3::Folder>,
    /// The warm start, if configured.
    pub(crate) preload: Option<Preload>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    /// When dropped, ends processes that the command left running. Keep it until the result is sent: some programs
    /// finish their work in the background.
    pub(crate) leftovers: Option<ProcessGroup>,
}

/// A command that is ready to be started.
struct Prepared {
    command: std::process::Command,
    environment: Environment,
    result_path: PathBuf,
    /// Removes the command's files when dropped.
    _run_dir: RunDir,
}

impl Runner {
    /// Brings the Dags up to date, where they come from S3. Once for each invocation, before its first command: commands
    /// that run at the same time share them. The error says what failed.
    pub(crate) async fn fetch_dags(&self, plan: &TimePlan) -> Result<Option<&Path>, String> {
        // A command may have removed it.
        home::make(&std::env::temp_dir());
        match &self.dags {
            Some(dags) => dags.sync(plan.terminate_by).await.map(Some).map_err(|error| error.to_string()),
            None => Ok(None),
        }
    }

    /// Runs the command of `job` to its end or its time limit, with the Dags that [`Self::fetch_dags`] returned. Must be
    /// polled on the main thread, see [`ProcessGroup::start`].
    pub(crate) async fn run(&self, job: Job<'_>, dags: &Result<Option<&Path>, String>, plan: &TimePlan) -> Finished {
        let prepared = match self.prepare(job, dags, plan).await {
            Ok(prepared) => prepared,
            Err(message) => {
                log::write(Level::Error, &message, &[("task_key", job.task_key.into())]);
                return Finished { outcome: Outcome::not_run(Reason::SetupFailed, &message), leftovers: None };
            }
        };
        let limit = plan.limit(Instant::now(), job.task.timeout_ms, self.settings.kill_grace);
        let mut finished = self.run_command(prepared.command, job, &limit).await;
        let outcome = &mut finished.outcome;
        self.run_post_command(job, prepared.environment, outcome, plan).await;
        outcome.set_value(result_file::read(&prepared.result_path));
        finished
    }

    /// Prepares the command. The error says what failed.
    async fn prepare(
        &self,
        job: Job<'_>,
        dags: &Result<Option<&Path>, String>,
        plan: &TimePlan,
    ) -> Result<Prepared, String> {
        // A command may have removed it.
        home::make(&std::env::temp_dir());
        let dags_folder = dags.clone()?;
        let run_dir =
            self.state.run_dir().map_err(|error| format!("cannot make a directory for the command: {error}"))?;
        let result_path = run_dir.file("result");
        let argv = large_argument::fit(&job.task.command.argv(), &run_dir)?;
        let mut environment = Environment::of_task(job, &run_dir, &result_path, dags_folder)?;
        if let Some(pre_command) = &self.settings.pre_command {
            let env_path = run_dir.file("env");
            let mut for_hook = environment.clone();
            for_hook.set(ENV_FILE, &env_path);
            let tail_bytes = self.settings.output_tail_bytes;
            hook::run("PRE_COMMAND", pre_command, &for_hook, tail_bytes, &plan.limit_before()).await?;
            environment.add(env_file::read(&env_path)?);
        }
        let (program, arguments) = argv.split_first().ok_or("the command is empty")?;
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        environment.apply(&mut command);
        Ok(Prepared { command, environment, result_path, _run_dir: run_dir })
    }

    async fn run_command(&self, command: std::process::Command, job: Job<'_>, limit: &Limit) -> Finished {
        let started_at_ms = clock::unix_ms();
        let mut group =
            match self.start_warm(&command, job, limit).await.map_or_else(|| ProcessGroup::start(command), Ok) {
                Ok(group) => group,
                Err(error) => {
                    return Finished { outcome: not_started(job.task.command.program(), &error), leftovers: None };
                }
            };
        let mut outcome = match watch(&mut group, self.settings.output_tail_bytes, limit).await {
            Ok(watched) => outcome_of(watched),
            Err(error) => Outcome::not_run(Reason::SetupFailed, &format!("cannot read the command's output: {error}")),
        };
        outcome.started_at_ms = Some(started_at_ms);
        Finished { outcome, leftovers: Some(group) }
    }

    /// `None` if the command must be started with a new process.
    async fn start_warm(&self, command: &std::process::Command, job: Job<'_>, limit: &Limit) -> Option<ProcessGroup> {
        match self.preload.as_ref()?.start(command, limit.terminate_at).await {
            Ok(started) => started,
            Err(why) => {
                let message = format!("a new interpreter is started: {why}");
                log::write(Level::Warn, &message, &[("task_key", job.task_key.into())]);
                None
            }
        }
    }

    /// Runs after any end of the command, for example to clean up. A failure of POST_COMMAND does not
    /// change the task's result.
    async fn run_post_command(
        &self,
        job: Job<'_>,
        mut environment: Environment,
        outcome: &mut Outcome,
        plan: &TimePlan,
    ) {
        let Some(post_command) = &self.settings.post_command else { return };
        environment.set("LAMBDA_EXECUTOR_RETURN_CODE", outcome.return_code.to_string());
        environment.set("LAMBDA_EXECUTOR_REASON", outcome.reason.name());
        if let Some(signal) = outcome.signal {
            environment.set("LAMBDA_EXECUTOR_SIGNAL", signal.to_string());
        }
        let limit = plan.limit_after(Instant::now(), self.settings.post_timeout);
        let tail_bytes = self.settings.output_tail_bytes;
        if let Err(message) = hook::run("POST_COMMAND", post_command, &environment, tail_bytes, &limit).await {
            log::write(Level::Warn, &message, &[("task_key", job.task_key.into())]);
            outcome.add_note(&message);
        }
    }
}

fn not_started(program: &str, error: &std::io::Error) -> Outcome {
    let (reason, return_code, message) = match error.kind() {
        ErrorKind::NotFound => (Reason::Exit, NOT_FOUND, format!("cannot start `{program}`: {error}")),
        // The program itself is not at fault.
        ErrorKind::ArgumentListTooLong => (
            Reason::SetupFailed,
            NOT_RUN,
            "the command's arguments and environment together are larger than Linux accepts".to_owned(),
        ),
        ErrorKind::OutOfMemory | ErrorKind::WouldBlock => {
            (Reason::SetupFailed, NOT_RUN, format!("no process can be started: {error}"))
        }
        _ => (Reason::Exit, NOT_RUN, format!("cannot start `{program}`: {error}")),
    };
    Outcome { return_code, ..Outcome::not_run(reason, &message) }
}

fn outcome_of(watched: Watched) -> Outcome {
    let signal = match watched.ended {
        Some(Ended::Signalled(signal)) => Some(signal),
        _ => None,
    };
    let (reason, return_code, note) = match (watched.over_limit, watched.ended) {
        (Some(over_limit), _) => (Reason::Timeout, TIMED_OUT, Some(over_limit)),
        (None, Some(Ended::Exited(status))) => (Reason::Exit, status, None),
        (None, Some(Ended::Signalled(signal))) => (Reason::Signal, -signal, None),
        (None, None) => {
            let note = "the command's exit status cannot be read from the kernel".to_owned();
            (Reason::SetupFailed, NOT_RUN, Some(note))
        }
    };
    let mut outcome = Outcome {
        reason,
        return_code,
        signal,
        output: watched.output,
        value: Value::Nothing,
        started_at_ms: None,
        finished_at_ms: watched.finished_at_ms,
        not_started: false,
    };
    if let Some(note) = note {
        outcome.add_note(&note);
    }
    outcome
}
