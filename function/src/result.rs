//! The result of a task as a message of the results queue.

use serde::Serialize;

/// What every results queue takes: SQS allows 1 MiB, but queues made before 2025 keep the limit of 256 KiB that was the
/// default then. [SQS quotas]
pub(crate) const MAX_RESULT_BYTES: usize = 262_144;

/// The room that a value leaves for what is to be said about the command.
const LEAST_TAIL_BYTES: usize = 1_024;

/// The return code when no command was run: like a shell that finds a program it cannot run.
pub(crate) const NOT_RUN: i32 = 126;
/// The return code on a time limit, as of timeout(1).
pub(crate) const TIMED_OUT: i32 = 124;

/// Why the task ended, by its name on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    /// The command ended by itself, or could not be started (126, 127: as a shell would report it).
    Exit,
    /// A signal ended the command.
    Signal,
    /// The command ran over its time limit.
    Timeout,
    /// The command could not be prepared.
    SetupFailed,
    /// The event cannot be understood.
    BadEvent,
    /// The event names a queue that results may not go to.
    ReplyToRefused,
}

impl Reason {
    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::SetupFailed => "setup_failed",
            Self::BadEvent => "bad_event",
            Self::ReplyToRefused => "reply_to_refused",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reason: Reason,
    pub(crate) return_code: i32,
    /// The signal that ended the command.
    pub(crate) signal: Option<i32>,
    /// The end of its output, and below it what we have to say.
    pub(crate) output_tail: String,
    /// What it left in its result file.
    pub(crate) value: Option<Vec<u8>>,
    /// Unix ms; none if no command was started.
    pub(crate) started_at_ms: Option<i64>,
    /// Unix ms.
    pub(crate) finished_at_ms: i64,
}

impl Outcome {
    /// No command was run.
    pub(crate) fn not_run(reason: Reason, message: &str) -> Self {
        Self {
            reason,
            return_code: NOT_RUN,
            signal: None,
            output_tail: note(message),
            value: None,
            started_at_ms: None,
            finished_at_ms: crate::unix_ms(),
        }
    }

    /// Adds a line of our own below the command's output.
    pub(crate) fn add_note(&mut self, message: &str) {
        if !self.output_tail.is_empty() && !self.output_tail.ends_with('\n') {
            self.output_tail.push('\n');
        }
        self.output_tail.push_str(&note(message));
    }
}

fn note(message: &str) -> String {
    format!("lambda-executor: {message}\n")
}

/// Whose result it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) task_key: &'a str,
    pub(crate) attempt_id: Option<&'a str>,
    pub(crate) request_id: &'a str,
    pub(crate) log_stream: &'a str,
}

/// The message. Airflow's two fields come first; it ignores the others.
#[derive(Serialize)]
struct Message<'a> {
    task_key: &'a str,
    return_code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_id: Option<&'a str>,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    output_tail: &'a str,
    request_id: &'a str,
    log_stream: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at_ms: Option<i64>,
    finished_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// Writes the message, at most [`MAX_RESULT_BYTES`] long: first the output is shortened, then the value left out.
pub(crate) fn encode(origin: &Origin<'_>, mut outcome: Outcome) -> serde_json::Result<String> {
    let body = write(origin, &outcome)?;
    if body.len() <= MAX_RESULT_BYTES {
        return Ok(body);
    }
    let output_tail = std::mem::take(&mut outcome.output_tail);
    let rest = write(origin, &outcome)?.len();
    if rest > MAX_RESULT_BYTES - LEAST_TAIL_BYTES && outcome.value.take().is_some() {
        outcome.output_tail = output_tail;
        outcome.add_note("key, output and value do not fit into one message; the value is not sent");
        return encode(origin, outcome);
    }
    outcome.output_tail = end_within(&output_tail, MAX_RESULT_BYTES.saturating_sub(rest)).to_owned();
    write(origin, &outcome)
}

/// The end of `text` that takes at most `limit` bytes in JSON.
fn end_within(text: &str, limit: usize) -> &str {
    let mut size = 0;
    let kept = text.char_indices().rev().take_while(|(_, character)| {
        size += match character {
            '"' | '\\' => 2,
            // As \u and four digits, for some of them less.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => 6,
            _ => character.len_utf8(),
        };
        size <= limit
    });
    kept.last().map_or("", |(start, _)| &text[start..])
}

fn write(origin: &Origin<'_>, outcome: &Outcome) -> serde_json::Result<String> {
    use base64::Engine;
    let body = serde_json::to_string(&Message {
        task_key: origin.task_key,
        return_code: outcome.return_code,
        attempt_id: origin.attempt_id,
        reason: outcome.reason,
        signal: outcome.signal,
        output_tail: &outcome.output_tail,
        request_id: origin.request_id,
        log_stream: origin.log_stream,
        started_at_ms: outcome.started_at_ms,
        finished_at_ms: outcome.finished_at_ms,
        value: outcome.value.as_ref().map(|value| base64::engine::general_purpose::STANDARD.encode(value)),
    })?;
    // SQS refuses a message with these two characters, valid though they are. [SendMessage]
    Ok(body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ORIGIN: Origin<'static> = Origin { task_key: "k", attempt_id: Some("a"), request_id: "r", log_stream: "s" };

    fn outcome(output_tail: String, value: Option<Vec<u8>>) -> Outcome {
        Outcome {
            reason: Reason::Signal,
            return_code: -9,
            signal: Some(9),
            output_tail,
            value,
            started_at_ms: Some(1),
            finished_at_ms: 2,
        }
    }

    fn message(origin: &Origin<'_>, outcome: Outcome) -> Value {
        let body = encode(origin, outcome).unwrap();
        assert!(body.len() <= MAX_RESULT_BYTES, "{}", body.len());
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn all_is_in_the_message() {
        let expected = json!({
            "task_key": "k", "return_code": -9, "attempt_id": "a", "reason": "signal", "signal": 9,
            "output_tail": "out", "request_id": "r", "log_stream": "s", "started_at_ms": 1, "finished_at_ms": 2,
            "value": "/wA=",
        });
        assert_eq!(message(&ORIGIN, outcome("out".to_owned(), Some(vec![255, 0]))), expected);
    }

    #[test]
    fn what_was_not_run_has_no_start() {
        let origin = Origin { attempt_id: None, ..ORIGIN };
        let message = message(&origin, Outcome::not_run(Reason::BadEvent, "no"));
        let absent: Vec<_> =
            ["attempt_id", "signal", "started_at_ms", "value"].iter().map(|name| message.get(name)).collect();
        assert_eq!(absent, [None; 4]);
        assert_eq!((&message["return_code"], &message["reason"]), (&json!(126), &json!("bad_event")));
        assert_eq!(message["output_tail"], "lambda-executor: no\n");
    }

    #[test]
    fn the_output_gives_way_to_the_value() {
        // A control character takes six bytes in JSON.
        let message = message(&ORIGIN, outcome(format!("{}end", "\u{1}".repeat(65_000)), Some(vec![0; 150_000])));
        assert!(message["output_tail"].as_str().unwrap().ends_with("\u{1}end"));
        assert_eq!(message["value"].as_str().unwrap().len(), 200_000);
    }

    #[test]
    fn a_value_that_cannot_fit_is_left_out_and_said() {
        let key = "\u{1}".repeat(8_192);
        let message = message(&Origin { task_key: &key, ..ORIGIN }, outcome("out".to_owned(), Some(vec![0; 180_000])));
        assert_eq!(message["task_key"], key.as_str());
        assert_eq!(message.get("value"), None);
        assert!(message["output_tail"].as_str().unwrap().starts_with("out\nlambda-executor: "));
    }

    #[test]
    fn characters_that_sqs_refuses_are_escaped() {
        let body = encode(&ORIGIN, outcome("a\u{fffe}b\u{ffff}".to_owned(), None)).unwrap();
        assert!(!body.contains(['\u{fffe}', '\u{ffff}']));
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["output_tail"], "a\u{fffe}b\u{ffff}");
    }
}
