//! Prints how to reach the server: lines for a shell, and the same as JSON in a file.

use lambda_executor_local::Running;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Lines for a shell, with comments after `#`.
pub(crate) fn shell_lines(running: &Running) -> String {
    let mut lines = format!("# Lambda and SQS are served on {} until this program ends.\n", running.endpoint_url());
    let config = config(running).to_string();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", running.endpoint_url()),
        ("AWS_ACCESS_KEY_ID", running.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", running.secret_access_key()),
        ("AWS_REGION", running.region()),
        ("AWS_DEFAULT_REGION", running.region()),
        ("LAMBDA_EXECUTOR_FUNCTION_NAME", running.function_name()),
        ("LAMBDA_EXECUTOR_QUEUE_URL", running.queue_url()),
        ("LAMBDA_EXECUTOR_DEAD_LETTER_QUEUE_URL", running.dead_letter_queue_url()),
        ("LAMBDA_EXECUTOR_CONFIG", &config),
    ] {
        lines.push_str(&format!("export {name}={}\n", quoted(value)));
    }
    // A session token of real credentials does not fit these; endpoints of single services override AWS_ENDPOINT_URL.
    lines.push_str("unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL_LAMBDA AWS_ENDPOINT_URL_SQS ");
    lines.push_str("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS\n");
    lines
}

/// Configuration of the library for this server.
fn config(running: &Running) -> Value {
    json!({
        "function_name": running.function_name(),
        "queue_url": running.queue_url(),
        "dead_letter_queue_url": running.dead_letter_queue_url(),
        "region_name": running.region(),
        "endpoint_url": running.endpoint_url(),
    })
}

/// Writes the file atomically, and readable by its owner only, since it holds the secret key.
pub(crate) fn write_ready_file(path: &Path, running: &Running) -> io::Result<()> {
    let content = json!({
        "endpoint_url": running.endpoint_url(),
        "region": running.region(),
        "access_key_id": running.access_key_id(),
        "secret_access_key": running.secret_access_key(),
        "function_name": running.function_name(),
        "queue_url": running.queue_url(),
        "dead_letter_queue_url": running.dead_letter_queue_url(),
        "config": config(running),
        "pid": std::process::id(),
    });
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let written = writeln!(file, "{content:#}").and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

/// Quotes a value that has special characters for a shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_are_unchanged_by_a_shell() {
        assert_eq!(quoted("http://127.0.0.1:80/a-b"), "http://127.0.0.1:80/a-b");
        assert_eq!(quoted(r#"{"a": 'b'}"#), r#"'{"a": '\''b'\''}'"#);
        assert_eq!(quoted(""), "''");
    }
}
