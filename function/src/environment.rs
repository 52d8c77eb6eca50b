//! What a command finds in its environment, and PRE_COMMAND and POST_COMMAND with it.

use crate::env_file;
use crate::large_argument::MAX_ARGUMENT_BYTES;
use crate::run::Job;
use crate::state_dir::RunDir;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Of this program alone: a command that finds it, such as another Lambda runtime, would take our events.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// What we tell a command. None of an outer command's may shine through, should this run inside one.
const TOLD: &[&str] = &[
    "LAMBDA_EXECUTOR_ATTEMPT_ID",
    "LAMBDA_EXECUTOR_CONFIG",
    "LAMBDA_EXECUTOR_CONFIG_FILE",
    env_file::VARIABLE,
    "LAMBDA_EXECUTOR_REASON",
    "LAMBDA_EXECUTOR_RESULT_FILE",
    "LAMBDA_EXECUTOR_RETURN_CODE",
    "LAMBDA_EXECUTOR_SIGNAL",
    "LAMBDA_EXECUTOR_TASK_KEY",
];

/// Variables on top of the function's own environment. Of two with one name the later counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    variables: Vec<(String, OsString)>,
}

/// True for what only this program may set.
pub(crate) fn is_ours(name: &str) -> bool {
    name == RUNTIME_API || TOLD.contains(&name)
}

impl Environment {
    /// What the task says of itself. The Dags are in `dags_folder` where they came from S3.
    pub(crate) fn of_task(
        job: Job<'_>,
        run_dir: &RunDir,
        result_path: &Path,
        dags_folder: Option<&Path>,
    ) -> Result<Self, String> {
        let mut environment = Self::default();
        environment.tell("LAMBDA_EXECUTOR_TASK_KEY", job.task_key);
        environment.tell("LAMBDA_EXECUTOR_RESULT_FILE", result_path);
        if let Some(id) = job.attempt_id {
            environment.tell("LAMBDA_EXECUTOR_ATTEMPT_ID", id);
        }
        if let Some(folder) = dags_folder {
            environment.variables.push(("AIRFLOW__CORE__DAGS_FOLDER".to_owned(), folder.into()));
        }
        let config = &job.task.executor_config;
        if config.len() <= MAX_ARGUMENT_BYTES - "LAMBDA_EXECUTOR_CONFIG=".len() {
            environment.tell("LAMBDA_EXECUTOR_CONFIG", config);
        } else {
            let path = run_dir
                .write("config.json", config.as_bytes())
                .map_err(|error| format!("cannot write executor_config to a file: {error}"))?;
            environment.tell("LAMBDA_EXECUTOR_CONFIG_FILE", path);
        }
        Ok(environment)
    }

    /// Sets one of our own variables.
    pub(crate) fn tell(&mut self, name: &str, value: impl AsRef<OsStr>) {
        debug_assert!(TOLD.contains(&name), "{name} would shine through from an outer command");
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
    }

    /// Adds what PRE_COMMAND wrote to its file.
    pub(crate) fn add(&mut self, variables: Vec<(String, OsString)>) {
        self.variables.extend(variables);
    }

    /// Gives `command` these variables.
    pub(crate) fn apply(&self, command: &mut std::process::Command) {
        command.env_remove(RUNTIME_API);
        for name in TOLD {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }
}
