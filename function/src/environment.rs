//! What a command finds in its environment, and PRE_COMMAND and POST_COMMAND with it.

use crate::large_argument::MAX_ARGUMENT_BYTES;
use crate::run::Job;
use crate::state_dir::RunDir;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Of this program alone: a command that finds it, such as another Lambda runtime, would take our events.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// What we tell a command. None of an outer command's may shine through, should this run inside one.
const TOLD: &[&str] = &[
    "LAMBDA_EXECUTOR_ATTEMPT_ID",
    "LAMBDA_EXECUTOR_CONFIG",
    "LAMBDA_EXECUTOR_CONFIG_FILE",
    "LAMBDA_EXECUTOR_ENV_FILE",
    "LAMBDA_EXECUTOR_REASON",
    "LAMBDA_EXECUTOR_RESULT_FILE",
    "LAMBDA_EXECUTOR_RETURN_CODE",
    "LAMBDA_EXECUTOR_SIGNAL",
    "LAMBDA_EXECUTOR_TASK_KEY",
];
/// What PRE_COMMAND may leave for the command, in bytes: what Linux takes as arguments and environment is a few MiB.
const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Variables on top of the function's own environment. Of two with one name the later counts.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: Vec<(OsString, OsString)>,
}

impl Environment {
    /// What the task says of itself. The Dags are in `dags_folder` where they came from S3.
    pub(crate) fn of_task(
        job: Job<'_>,
        run_dir: &RunDir,
        result_path: &Path,
        dags_folder: Option<&Path>,
    ) -> Result<Self, String> {
        let mut environment = Self { variables: Vec::new() };
        environment.set("LAMBDA_EXECUTOR_TASK_KEY", job.task_key);
        environment.set("LAMBDA_EXECUTOR_RESULT_FILE", result_path);
        if let Some(id) = job.attempt_id {
            environment.set("LAMBDA_EXECUTOR_ATTEMPT_ID", id);
        }
        if let Some(folder) = dags_folder {
            environment.set("AIRFLOW__CORE__DAGS_FOLDER", folder);
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

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.variables.push((name.into(), value.as_ref().to_owned()));
    }

    /// Adds what PRE_COMMAND wrote to the file at `path`: lines `NAME=value`. The error never quotes a value.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<(), String> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("LAMBDA_EXECUTOR_ENV_FILE cannot be read: {error}")),
        };
        if text.len() > MAX_FILE_BYTES {
            return Err(format!("LAMBDA_EXECUTOR_ENV_FILE has {} bytes, more than {MAX_FILE_BYTES}", text.len()));
        }
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let wrong = |what: &str| Err(format!("LAMBDA_EXECUTOR_ENV_FILE, line {}: {what}", index + 1));
            let Some(equals) = line.iter().position(|&byte| byte == b'=') else {
                return wrong("not NAME=value");
            };
            let (name, value) = (&line[..equals], &line[equals + 1..]);
            let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_name(name)) else {
                return wrong("a name has letters, digits and _, and no digit in front");
            };
            if name == RUNTIME_API || TOLD.contains(&name) {
                return wrong(&format!("{name} is not PRE_COMMAND's to set"));
            }
            if value.contains(&0) {
                return wrong(&format!("the value of {name} contains a NUL character"));
            }
            self.set(name, OsStr::from_bytes(value));
        }
        Ok(())
    }

    /// Gives `command` these variables.
    pub(crate) fn apply(&self, command: &mut std::process::Command) {
        command.env_remove(RUNTIME_API);
        TOLD.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempts::tests::scratch;

    fn read(text: &[u8]) -> Result<Vec<(OsString, OsString)>, String> {
        let directory = scratch("env_file");
        let path = directory.join("env");
        std::fs::write(&path, text).unwrap();
        let mut environment = Environment { variables: Vec::new() };
        let read = environment.add_file(&path).map(|()| environment.variables);
        std::fs::remove_dir_all(directory).unwrap();
        read
    }

    #[test]
    fn lines_are_taken_as_they_are() {
        let variables = read(b"# a comment\n\nA=1\n_b2= x=y \"q\" \nLATIN=\xe4").unwrap();
        let expected: [(&str, &[u8]); 3] = [("A", b"1"), ("_b2", b" x=y \"q\" "), ("LATIN", b"\xe4")];
        let expected: Vec<_> = expected.map(|(n, v)| (n.into(), OsStr::from_bytes(v).to_owned())).into();
        assert_eq!(variables, expected);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_not_quoted() {
        for (text, told) in [
            ("A=1\nSECRET", "line 2: not NAME=value"),
            ("1A=SECRET", "line 1: a name has"),
            ("=SECRET", "line 1: a name has"),
            ("export A=SECRET", "line 1: a name has"),
            ("A=SECRET\0", "line 1: the value of A contains a NUL"),
            ("AWS_LAMBDA_RUNTIME_API=SECRET", "AWS_LAMBDA_RUNTIME_API is not PRE_COMMAND's to set"),
            ("LAMBDA_EXECUTOR_TASK_KEY=SECRET", "LAMBDA_EXECUTOR_TASK_KEY is not PRE_COMMAND's to set"),
        ] {
            let message = read(text.as_bytes()).unwrap_err();
            assert!(message.contains(told) && !message.contains("SECRET"), "{message}");
        }
    }

    #[test]
    fn no_file_adds_nothing() {
        let mut environment = Environment { variables: Vec::new() };
        assert_eq!(environment.add_file(Path::new("/nonexistent/env")), Ok(()));
        assert!(environment.variables.is_empty());
    }
}
