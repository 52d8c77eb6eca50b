//! The result of a task as a message of the results queue.

use crate::clock;
use crate::result_file::Value;
use crate::tail::{TailText, line_start};
use serde::Serialize;

/// A size that every results queue accepts. SQS allows 1 MiB, but queues created before 2025 keep the default of that
/// time, 256 KiB. [SQS quotas]
pub(crate) const MAX_RESULT_BYTES: usize = 262_144;

/// Bytes that a value must leave for output and notes.
const LEAST_TAIL_BYTES: usize = 1_024;

/// The return code when no command was run: as in a shell that cannot run a program.
pub(crate) const NOT_RUN: i32 = 126;
/// The return code on a time limit, as of timeout(1).
pub(crate) const TIMED_OUT: i32 = 124;
/// The return code of a command that succeeded and whose value cannot be sent: a reader that looks at the return code
/// alone, such as Airflow's executor, must not see a success.
const VALUE_NOT_SENT: i32 = 1;

/// Why the task ended, by its name on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    /// The command ended by itself, or could not be started (126, 127: as in a shell).
    Exit,
    /// A signal ended the command.
    Signal,
    /// The command exceeded its time limit.
    Timeout,
    /// The command could not be prepared.
    SetupFailed,
    /// The event is invalid.
    BadEvent,
    /// The command succeeded, but what it left in its result file cannot be sent.
    ValueTooLarge,
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
            Self::ValueTooLarge => "value_too_large",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reason: Reason,
    pub(crate) return_code: i32,
    /// The signal that ended the command.
    pub(crate) signal: Option<i32>,
    /// The end of its output, and below it notes of ours. Its length counts the command's bytes only.
    pub(crate) output: TailText,
    /// The value in its result file; see [`Self::set_value`].
    pub(crate) value: Value,
    /// Unix ms; none if no command was started.
    pub(crate) started_at_ms: Option<i64>,
    /// Unix ms.
    pub(crate) finished_at_ms: i64,
    /// It was sent with others and there was no time left to start it: it may be sent again.
    pub(crate) not_started: bool,
}

impl Outcome {
    /// The outcome when no command was run.
    pub(crate) fn not_run(reason: Reason, message: &str) -> Self {
        Self {
            reason,
            return_code: NOT_RUN,
            signal: None,
            output: TailText { text: note(message), length: 0, truncated: false },
            value: Value::Nothing,
            started_at_ms: None,
            finished_at_ms: clock::unix_ms(),
            not_started: false,
        }
    }

    /// A task of a batch whose command was not run, for lack of time.
    pub(crate) fn not_started(message: &str) -> Self {
        Self { not_started: true, ..Self::not_run(Reason::SetupFailed, message) }
    }

    /// Adds a line of our own below the command's output.
    pub(crate) fn add_note(&mut self, message: &str) {
        let text = &mut self.output.text;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&note(message));
    }

    /// Adds the value. A success becomes a failure if the value cannot be sent.
    pub(crate) fn set_value(&mut self, value: Value) {
        if let Value::Unsendable { why, .. } = &value {
            self.add_note(why);
            if self.return_code == 0 {
                self.reason = Reason::ValueTooLarge;
                self.return_code = VALUE_NOT_SENT;
            }
        }
        self.value = value;
    }
}

fn note(message: &str) -> String {
    format!("lambda-executor: {message}\n")
}

/// Identifies the run that the result is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) task_key: &'a str,
    pub(crate) attempt_id: Option<&'a str>,
    pub(crate) request_id: &'a str,
    pub(crate) log_stream: &'a str,
}

impl<'a> Origin<'a> {
    /// Identifies the submission. Airflow's executor sends no attempt id; Lambda's retries of one invocation have the same
    /// request id.
    pub(crate) fn submission(&self) -> &'a str {
        self.attempt_id.unwrap_or(self.request_id)
    }
}

/// Results of several tasks as one message; of one, its own.
pub(crate) fn together(bodies: &[&str]) -> String {
    match bodies {
        [body] => (*body).to_owned(),
        _ => format!("{BEFORE_RESULTS}{}{AFTER_RESULTS}", bodies.join(",")),
    }
}

const BEFORE_RESULTS: &str = r#"{"results":["#;
const AFTER_RESULTS: &str = "]}";

/// What a message of several results has beside `bodies` bytes of them.
pub(crate) fn together_bytes(count: usize, bodies: usize) -> usize {
    BEFORE_RESULTS.len() + bodies + count.saturating_sub(1) + AFTER_RESULTS.len()
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
    output_length: u64,
    output_truncated: bool,
    request_id: &'a str,
    log_stream: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at_ms: Option<i64>,
    finished_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    value_dropped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_length: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_started: bool,
}

/// Writes the message, at most [`MAX_RESULT_BYTES`] long. A longer one is made to fit: first the output is shortened,
/// then the value is left out. `outcome` is changed accordingly.
pub(crate) fn encode(origin: &Origin<'_>, outcome: &mut Outcome) -> serde_json::Result<String> {
    let body = write(origin, outcome)?;
    if body.len() <= MAX_RESULT_BYTES {
        return Ok(body);
    }
    let text = std::mem::take(&mut outcome.output.text);
    let rest = write(origin, outcome)?.len();
    let value_bytes = match &outcome.value {
        Value::Bytes(bytes) if rest > MAX_RESULT_BYTES - LEAST_TAIL_BYTES => Some(bytes.len() as u64),
        _ => None,
    };
    if value_bytes.is_some() {
        outcome.output.text = text;
        outcome.set_value(Value::Unsendable {
            bytes: value_bytes,
            why: "key, output and value do not fit into one message; no value is sent".to_owned(),
        });
        return encode(origin, outcome);
    }
    outcome.output.truncated = true;
    outcome.output.text = end_within(&text, MAX_RESULT_BYTES.saturating_sub(rest)).to_owned();
    write(origin, outcome)
}

/// The end of `text` that takes at most `limit` bytes in JSON, from the start of a line where possible.
fn end_within(text: &str, limit: usize) -> &str {
    let mut size = 0;
    let kept = text.char_indices().rev().take_while(|(_, character)| {
        size += match character {
            '"' | '\\' => 2,
            // At most \u and four digits.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => 6,
            _ => character.len_utf8(),
        };
        size <= limit
    });
    let start = kept.last().map_or(text.len(), |(start, _)| start);
    let end = &text[start..];
    &end[line_start(end, text.as_bytes()[..start].last().copied())..]
}

fn write(origin: &Origin<'_>, outcome: &Outcome) -> serde_json::Result<String> {
    use base64::Engine;
    let (value, value_dropped, value_length) = match &outcome.value {
        Value::Nothing => (None, false, None),
        Value::Bytes(bytes) => (Some(base64::engine::general_purpose::STANDARD.encode(bytes)), false, None),
        Value::Unsendable { bytes, .. } => (None, true, *bytes),
    };
    let body = serde_json::to_string(&Message {
        task_key: origin.task_key,
        return_code: outcome.return_code,
        attempt_id: origin.attempt_id,
        reason: outcome.reason,
        signal: outcome.signal,
        output_tail: &outcome.output.text,
        output_length: outcome.output.length,
        output_truncated: outcome.output.truncated,
        request_id: origin.request_id,
        log_stream: origin.log_stream,
        started_at_ms: outcome.started_at_ms,
        finished_at_ms: outcome.finished_at_ms,
        value,
        value_dropped,
        value_length,
        not_started: outcome.not_started,
    })?;
    // SQS rejects messages with these two characters, although they are valid Unicode. [SendMessage]
    Ok(body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    const ORIGIN: Origin<'static> = Origin { task_key: "k", attempt_id: Some("a"), request_id: "r", log_stream: "s" };

    fn outcome(text: String, value: Option<Vec<u8>>) -> Outcome {
        Outcome {
            reason: Reason::Signal,
            return_code: -9,
            signal: Some(9),
            output: TailText { length: text.len() as u64, text, truncated: false },
            value: value.map_or(Value::Nothing, Value::Bytes),
            started_at_ms: Some(1),
            finished_at_ms: 2,
            not_started: false,
        }
    }

    fn message(origin: &Origin<'_>, mut outcome: Outcome) -> Json {
        let body = encode(origin, &mut outcome).unwrap();
        assert!(body.len() <= MAX_RESULT_BYTES, "{}", body.len());
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn the_message_has_all_fields() {
        let expected = json!({
            "task_key": "k", "return_code": -9, "attempt_id": "a", "reason": "signal", "signal": 9,
            "output_tail": "out", "output_length": 3, "output_truncated": false, "request_id": "r", "log_stream": "s",
            "started_at_ms": 1, "finished_at_ms": 2, "value": "/wA=",
        });
        assert_eq!(message(&ORIGIN, outcome("out".to_owned(), Some(vec![255, 0]))), expected);
    }

    #[test]
    fn results_of_several_tasks_are_a_list_and_that_of_one_is_itself() {
        assert_eq!(together(&["{}"]), "{}");
        let text = together(&[r#"{"a":1}"#, "{}"]);
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), json!({"results": [{"a": 1}, {}]}));
        assert_eq!(text.len(), together_bytes(2, 9));
    }

    #[test]
    fn what_was_not_started_says_so() {
        let message = message(&ORIGIN, Outcome::not_started("no time"));
        assert_eq!((&message["not_started"], &message["reason"]), (&json!(true), &json!("setup_failed")));
        assert_eq!(message["return_code"], 126);
    }

    #[test]
    fn a_command_that_was_not_run_has_no_start() {
        let origin = Origin { attempt_id: None, ..ORIGIN };
        let message = message(&origin, Outcome::not_run(Reason::BadEvent, "no"));
        let absent = ["attempt_id", "signal", "started_at_ms", "value", "value_dropped"].map(|name| message.get(name));
        assert_eq!(absent, [None; 5]);
        assert_eq!((&message["return_code"], &message["reason"]), (&json!(126), &json!("bad_event")));
        assert_eq!(message["output_tail"], "lambda-executor: no\n");
        assert_eq!((&message["output_length"], &message["output_truncated"]), (&json!(0), &json!(false)));
    }

    #[test]
    fn output_is_shortened_to_make_room_for_the_value() {
        // A control character takes six bytes in JSON.
        let message = message(&ORIGIN, outcome(format!("{}end", "\u{1}".repeat(65_000)), Some(vec![0; 150_000])));
        assert!(message["output_tail"].as_str().unwrap().ends_with("\u{1}end"));
        assert_eq!((&message["output_length"], &message["output_truncated"]), (&json!(65_003), &json!(true)));
        assert_eq!(message["value"].as_str().unwrap().len(), 200_000);
        assert_eq!(message.get("value_dropped"), None);
    }

    #[test]
    fn output_that_is_shortened_begins_with_a_whole_line() {
        let lines = format!("{}\n", "\u{1}".repeat(99)).repeat(650);
        let message = message(&ORIGIN, outcome(lines, Some(vec![0; 150_000])));
        let tail = message["output_tail"].as_str().unwrap();
        assert!(tail.len() > 5_000 && tail.len().is_multiple_of(100), "{}", tail.len());
        assert_eq!(message["output_truncated"], true);
    }

    #[test]
    fn a_value_that_cannot_fit_is_left_out_and_reported() {
        let key = "\u{1}".repeat(8_192);
        let message = message(&Origin { task_key: &key, ..ORIGIN }, outcome("out".to_owned(), Some(vec![0; 180_000])));
        assert_eq!(message["task_key"], key.as_str());
        assert_eq!(message.get("value"), None);
        assert_eq!((&message["value_dropped"], &message["value_length"]), (&json!(true), &json!(180_000)));
        assert_eq!((&message["reason"], &message["return_code"]), (&json!("signal"), &json!(-9)));
        assert!(message["output_tail"].as_str().unwrap().starts_with("out\nlambda-executor: "));
    }

    #[test]
    fn a_success_whose_value_cannot_be_sent_is_a_failure() {
        let unsendable = |bytes| Value::Unsendable { bytes, why: "too long".to_owned() };
        for (return_code, reason, expected) in [
            (0, Reason::Exit, ("value_too_large", 1)),
            (3, Reason::Exit, ("exit", 3)),
            (124, Reason::Timeout, ("timeout", 124)),
        ] {
            let mut outcome = Outcome { reason, return_code, signal: None, ..outcome("out".to_owned(), None) };
            outcome.set_value(unsendable(Some(180_001)));
            let message = message(&ORIGIN, outcome);
            assert_eq!((&message["reason"], &message["return_code"]), (&json!(expected.0), &json!(expected.1)));
            assert_eq!((&message["value_dropped"], &message["value_length"]), (&json!(true), &json!(180_001)));
            assert_eq!(message["output_tail"], "out\nlambda-executor: too long\n");
            assert_eq!(message["output_length"], 3);
        }
        let mut outcome = outcome(String::new(), None);
        outcome.set_value(unsendable(None));
        let message = message(&ORIGIN, outcome);
        assert_eq!((&message["value_dropped"], message.get("value_length")), (&json!(true), None));
    }

    #[test]
    fn characters_that_sqs_refuses_are_escaped() {
        let body = encode(&ORIGIN, &mut outcome("a\u{fffe}b\u{ffff}".to_owned(), None)).unwrap();
        assert!(!body.contains(['\u{fffe}', '\u{ffff}']));
        assert_eq!(serde_json::from_str::<Json>(&body).unwrap()["output_tail"], "a\u{fffe}b\u{ffff}");
    }
}
