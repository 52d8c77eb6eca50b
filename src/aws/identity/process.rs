//! Credentials that a program writes: `credential_process` of a profile. The format is AWS's, version 1:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use crate::runtime::child;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_sts::primitives::{DateTime, DateTimeFormat};
use serde::Deserialize;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// Programs may ask a slow service.
const LIMIT: Duration = Duration::from_secs(60);
/// Limit of the part of a program's error output that is passed on.
const SHOWN_CHARS: usize = 200;

/// Runs the program when credentials are needed, once for all concurrent callers. When a caller stops waiting the program
/// goes on, and the next caller gets its answer.
#[derive(Debug)]
pub(super) struct Process {
    command: Command,
    running: tokio::sync::Mutex<Option<JoinHandle<provider::Result>>>,
}

#[derive(Clone)]
struct Command(String);

// By hand: its arguments may hold secrets.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command { .. }")
    }
}

impl Process {
    pub(super) fn new(command: String) -> Self {
        Self { command: Command(command), running: tokio::sync::Mutex::new(None) }
    }

    async fn credentials(&self) -> provider::Result {
        let mut running = self.running.lock().await;
        let command = self.command.clone();
        let answer = running.get_or_insert_with(|| tokio::task::spawn_blocking(move || run(&command.0))).await;
        *running = None;
        answer.map_err(CredentialsError::unhandled)?
    }
}

impl ProvideCredentials for Process {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

fn run(command: &str) -> provider::Result {
    let failed = |why: String| CredentialsError::provider_error(format!("credential_process: {why}"));
    let output = child::run(command, LIMIT).map_err(|error| failed(error.to_string()))?;
    if !output.succeeded {
        let status =
            output.status.map_or("a signal ended it".into(), |status| format!("it ended with status {status}"));
        return Err(failed(format!("{status}{}", complaint(&output.stderr))));
    }
    read(&output.stdout).map_err(failed)
}

/// The last line that the program wrote to standard error, where most programs report what went wrong.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    match text.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!(": {}", line.chars().take(SHOWN_CHARS).collect::<String>().escape_debug()),
        None => String::new(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    version: Option<u64>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// Reads the program's answer. Errors repeat nothing of it, since it contains secrets.
fn read(stdout: &[u8]) -> Result<Credentials, String> {
    let answer: Answer = serde_json::from_slice(stdout).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "its output is not the JSON object that AWS describes".to_owned(),
        _ => format!("its output is not JSON (line {}, column {})", error.line(), error.column()),
    })?;
    match answer.version {
        Some(1) => {}
        Some(other) => return Err(format!("Version is {other} (expected 1)")),
        None => return Err("Version is missing (expected 1)".into()),
    }
    let required = |value: Option<String>, name: &str| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} is missing"))
    };
    let expires = match answer.expiration.filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let when = DateTime::from_str(&text, DateTimeFormat::DateTimeWithOffset).ok();
            let when = when.and_then(|when| SystemTime::try_from(when).ok());
            let when = when.ok_or("Expiration is not a time such as 2026-11-23T14:00:00Z")?;
            if when <= SystemTime::now() {
                return Err(format!("its credentials expired at {text}"));
            }
            Some(when)
        }
    };
    Ok(Credentials::new(
        required(answer.access_key_id, "AccessKeyId")?,
        required(answer.secret_access_key, "SecretAccessKey")?,
        answer.session_token.filter(|token| !token.is_empty()),
        expires,
        "credential_process",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_of_aws_is_read() {
        let text = br#"{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s", "SessionToken": "t",
            "Expiration": "2999-01-02T03:04:05+01:00", "AccountId": "1"}"#;
        let keys = read(text).unwrap();
        assert_eq!((keys.access_key_id(), keys.secret_access_key(), keys.session_token()), ("AKID", "s", Some("t")));
        assert!(keys.expiry().is_some_and(|when| when > SystemTime::now()));
        let keys = read(br#"{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s"}"#).unwrap();
        assert_eq!((keys.session_token(), keys.expiry()), (None, None));
    }

    #[test]
    fn an_error_does_not_repeat_the_secret() {
        for (text, why) in [
            ("", "its output is not JSON (line 1, column 0)"),
            ("hush", "its output is not JSON (line 1, column 1)"),
            (r#""hush""#, "its output is not the JSON object that AWS describes"),
            (r#"{"Version": "hush"}"#, "its output is not the JSON object that AWS describes"),
            (r#"{"AccessKeyId": "hush"}"#, "Version is missing (expected 1)"),
            (r#"{"Version": 2}"#, "Version is 2 (expected 1)"),
            (r#"{"Version": 1, "SecretAccessKey": "hush"}"#, "AccessKeyId is missing"),
            (r#"{"Version": 1, "AccessKeyId": "hush"}"#, "SecretAccessKey is missing"),
            (r#"{"Version": 1, "AccessKeyId": "hush", "SecretAccessKey": ""}"#, "SecretAccessKey is missing"),
            (
                r#"{"Version": 1, "AccessKeyId": "hush", "SecretAccessKey": "s", "Expiration": "soon"}"#,
                "Expiration is not a time such as 2026-11-23T14:00:00Z",
            ),
            (
                r#"{"Version": 1, "AccessKeyId": "hush", "SecretAccessKey": "s", "Expiration": "2001-01-01T00:00:00Z"}"#,
                "its credentials expired at 2001-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn the_error_of_a_failed_program_is_its_last_line() {
        let error = run("echo first >&2; echo 'log in first' >&2; exit 4").unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "credential_process: it ended with status 4: log in first");
    }

    #[tokio::test]
    async fn it_runs_once_for_all_callers_and_goes_on_when_one_stops_waiting() {
        let folder = std::env::temp_dir().join(format!("lambda-executor-process-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (runs, go) = (folder.join("runs"), folder.join("go"));
        let answer = r#"{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s"}"#;
        let command = format!(
            "echo run >> {}; while [ ! -e {} ]; do sleep 0.02; done; echo '{answer}'",
            runs.display(),
            go.display()
        );
        let process = Process::new(command);
        let first = tokio::time::timeout(Duration::from_millis(100), process.provide_credentials()).await;
        assert!(first.is_err());
        std::fs::write(&go, "").unwrap();
        let keys = process.provide_credentials().await.unwrap();
        assert_eq!(keys.access_key_id(), "AKID");
        assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\n");
        process.provide_credentials().await.unwrap();
        assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\nrun\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
