//! The environment of a command, of PRE_COMMAND and of POST_COMMAND.

use crate::event::Job;
use crate::large_argument::MAX_ARGUMENT_BYTES;
use crate::state_dir::RunDir;
use crate::variables::{GIVEN, RUNTIME_API};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Variables on top of the function's own environment. If a name occurs twice, the later one counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    variables: Vec<(String, OsString)>,
}

impl Environment {
    /// The variables that describe the task. The Dags are in `dags_folder` if they come from S3.
    pub(crate) fn of_task(
        job: Job<'_>,
        run_dir: &RunDir,
        result_path: &Path,
        dags_folder: Option<&Path>,
    ) -> Result<Self, String> {
        let mut environment = Self::default();
        environment.set("LAMBDA_EXECUTOR_TASK_KEY", job.task_key);
        environment.set("LAMBDA_EXECUTOR_RESULT_FILE", result_path);
        if let Some(id) = job.attempt_id {
            environment.set("LAMBDA_EXECUTOR_ATTEMPT_ID", id);
        }
        if let Some(folder) = dags_folder {
            environment.set_dags_folder(folder);
        }
        let config = &job.task.executor_config;
        if config.len() <= MAX_ARGUMENT_BYTES - "LAMBDA_EXECUTOR_CONFIG=".len() {
            environment.set("LAMBDA_EXECUTOR_CONFIG", config);
        } else {
            let path = run_dir
                .write("config.json", config.as_bytes())
                .map_err(|error| format!("cannot write executor_config to a file: {error}"))?;
            environment.set("LAMBDA_EXECUTOR_CONFIG_FILE", path);
        }
        Ok(environment)
    }

    /// The variables that all tasks share. The Dags will be in `dags_folder` if they come from S3.
    pub(crate) fn of_all_tasks(dags_folder: Option<&Path>) -> Self {
        let mut environment = Self::default();
        if let Some(folder) = dags_folder {
            environment.set_dags_folder(folder);
        }
        environment
    }

    fn set_dags_folder(&mut self, folder: &Path) {
        self.variables.push(("AIRFLOW__CORE__DAGS_FOLDER".to_owned(), folder.into()));
    }

    /// Sets one of our own variables.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        debug_assert!(GIVEN.contains(&name), "{name} is missing in GIVEN: an outer command's value would remain");
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
    }

    /// Adds the variables that PRE_COMMAND wrote to its file.
    pub(crate) fn add(&mut self, variables: Vec<(String, OsString)>) {
        self.variables.extend(variables);
    }

    /// Gives `command` these variables.
    pub(crate) fn apply(&self, command: &mut std::process::Command) {
        command.env_remove(RUNTIME_API);
        for name in GIVEN {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }
}
