//! The options of the local AWS: one JSON object, checked as a whole before anything starts.

mod catalogue;
mod words;

pub use catalogue::{OPTIONS, OptionInfo, OptionKind};
pub(crate) use words::split as split_words;

use crate::faults::Faults;
use crate::reader::{OptionsError, Reader};
use crate::secret::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Lambda's limit for the time of a function, 900 s.
const LONGEST_TIMEOUT_MS: u64 = 900_000;
/// Lambda's limit for the age of an asynchronous event, 6 h.
const LONGEST_EVENT_AGE_MS: u64 = 21_600_000;

/// How the local AWS behaves. `Options::from_json("{}")` gives the defaults; [`OPTIONS`] describes each.
#[derive(Clone, Debug)]
pub struct Options {
    /// Handler of the function created at start.
    pub handler: Handler,
    /// Folder in which `"exec"` looks for its program first.
    pub program_dir: Option<PathBuf>,
    /// Folder of the shared library that embeds this server; `None` in the program. The library sets it; it is not an
    /// option of the JSON object. `"exec"` looks there next, and in `bin` of the same installation.
    pub library_dir: Option<PathBuf>,
    /// Port on 127.0.0.1; 0: any free port.
    pub port: u16,
    /// Region of ARNs and signatures.
    pub region: String,
    /// Random if absent.
    pub access_key_id: Option<String>,
    /// Random if absent.
    pub secret_access_key: Option<Secret>,
    /// A second pair of credentials, id and secret, that never expires.
    pub lasting_credentials: Option<(String, Secret)>,
    /// Name of the function created at start.
    pub function_name: String,
    /// Name of the results queue created at start.
    pub queue_name: String,
    /// Name of the dead letter queue created at start.
    pub dead_letter_queue_name: String,
    /// Concurrent invocations of that function; `None`: twice the processors, 1,000 for `builtin`.
    pub concurrency: Option<usize>,
    /// Time limit of an invocation, ms.
    pub timeout_ms: u64,
    /// Memory that handlers find in their environment, MB. It is not enforced.
    pub memory_mb: u64,
    /// Additional environment variables of handlers.
    pub env: BTreeMap<String, String>,
    /// Folder in which handlers start; `None`: this process's.
    pub working_directory: Option<PathBuf>,
    /// Destination of the output of handlers.
    pub handler_output: HandlerOutput,
    /// Retries after a function error.
    pub maximum_retry_attempts: u32,
    /// Age at which a waiting asynchronous event is given up, ms.
    pub maximum_event_age_ms: u64,
    /// Wait before the first retry, ms; doubles for the next.
    pub retry_base_ms: u64,
    /// The form of a failed event in the dead letter queue.
    pub on_failure: OnFailure,
    /// Behaviour of the built-in handler.
    pub builtin: Builtin,
    /// Faults to inject.
    pub faults: Faults,
    /// Threads that serve requests.
    pub worker_threads: usize,
}

/// The handler of a function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Handler {
    /// The program `lambda-executor-function`.
    Exec,
    /// No process: see [`Builtin`].
    Builtin,
    /// A program and its arguments that speak the Lambda Runtime API.
    Command(Vec<String>),
}

impl Handler {
    /// Reads `exec`, `builtin` or a command line with shell-like quotes. The error says what is wrong with the line.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "exec" => Ok(Self::Exec),
            "builtin" => Ok(Self::Builtin),
            line => split_words(line).map(Self::Command),
        }
    }
}

/// Destination of the output of handlers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HandlerOutput {
    /// Written to the output and error streams of this process.
    Inherit,
    /// Discarded.
    Discard,
    /// Appended to this file.
    File(PathBuf),
}

/// The form of a failed event in the dead letter queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnFailure {
    /// The event byte for byte, with the failure in message attributes.
    DeadLetterQueue,
    /// The record of an on-failure destination.
    Destination,
}

/// Behaviour of the built-in handler. An event's `executor_config.builtin` overrides it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Builtin {
    /// Duration of a run, ms.
    pub duration_ms: u64,
    /// The return code it reports.
    pub return_code: i32,
    /// Probability that it crashes instead of reporting.
    pub error_rate: f64,
    /// Probability that it reports return code 1.
    pub failure_rate: f64,
    /// Output it reports.
    pub output_tail: String,
}

impl Options {
    /// Number of threads at start.
    pub fn threads(&self) -> usize {
        self.worker_threads + 1
    }

    /// Reads options from a JSON object. Unknown options, wrong types and values out of range are errors; all are
    /// reported together.
    pub fn from_json(text: &str) -> Result<Self, OptionsError> {
        let value = serde_json::from_str(text).map_err(|error| OptionsError::not_json(&error))?;
        let mut reader = Reader::new("", value);
        let options = Self::read(&mut reader);
        OptionsError::check(reader).map(|()| options)
    }

    fn read(reader: &mut Reader) -> Self {
        let options = Self::read_each(reader);
        if options.queue_name == options.dead_letter_queue_name {
            reader.refuse(
                "dead_letter_queue_name",
                &Value::String(options.dead_letter_queue_name.clone()),
                "a name other than queue_name",
            );
        }
        options
    }

    fn read_each(reader: &mut Reader) -> Self {
        Self {
            handler: read_handler(reader),
            program_dir: reader.text("program_dir").map(PathBuf::from),
            library_dir: None,
            port: u16::try_from(reader.number("port", 0..=65_535, 0)).unwrap_or(0),
            region: read_region(reader),
            access_key_id: reader.text("access_key_id"),
            secret_access_key: reader.text("secret_access_key").map(Secret::new),
            lasting_credentials: read_lasting_credentials(reader),
            function_name: read_name(reader, "function_name", 64, None, "lambda-executor-local"),
            queue_name: read_name(reader, "queue_name", 80, Some(".fifo"), "lambda-executor-results"),
            // Lambda sends dead letters without a group; FIFO queues reject them.
            dead_letter_queue_name: read_name(
                reader,
                "dead_letter_queue_name",
                80,
                None,
                "lambda-executor-dead-letters",
            ),
            concurrency: match reader.number("concurrency", 0..=100_000, u64::MAX) {
                u64::MAX => None,
                limit => usize::try_from(limit).ok(),
            },
            timeout_ms: reader.number("timeout_ms", 1..=LONGEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS),
            memory_mb: reader.number("memory_mb", 128..=10_240, 128),
            env: reader.text_map("env"),
            working_directory: read_folder(reader, "working_directory"),
            handler_output: read_handler_output(reader),
            maximum_retry_attempts: u32::try_from(reader.number("maximum_retry_attempts", 0..=2, 2)).unwrap_or(2),
            maximum_event_age_ms: reader.number("maximum_event_age_ms", 1..=LONGEST_EVENT_AGE_MS, LONGEST_EVENT_AGE_MS),
            retry_base_ms: reader.number("retry_base_ms", 0..=3_600_000, 1000),
            on_failure: reader.choice(
                "on_failure",
                &[("dead_letter_queue", OnFailure::DeadLetterQueue), ("destination", OnFailure::Destination)],
                OnFailure::DeadLetterQueue,
            ),
            builtin: reader.object("builtin", Builtin::read).unwrap_or_default(),
            faults: reader.object("faults", Faults::read).unwrap_or_default(),
            worker_threads: usize::try_from(reader.number("worker_threads", 1..=64, 1)).unwrap_or(1),
        }
    }
}

/// Id and secret are only valid together.
fn read_lasting_credentials(reader: &mut Reader) -> Option<(String, Secret)> {
    const NAMES: [&str; 2] = ["lasting_access_key_id", "lasting_secret_access_key"];
    match NAMES.map(|name| reader.text(name)) {
        [Some(id), Some(secret)] => Some((id, Secret::new(secret))),
        [None, None] => None,
        [id, _] => {
            let (missing, given) = if id.is_none() { (NAMES[0], NAMES[1]) } else { (NAMES[1], NAMES[0]) };
            reader.refuse(missing, &Value::Null, &format!("text, as {given} is given"));
            None
        }
    }
}

impl Builtin {
    fn read(reader: &mut Reader) -> Self {
        Self {
            duration_ms: reader.number("duration_ms", 0..=LONGEST_TIMEOUT_MS, 0),
            return_code: i32::try_from(reader.number("return_code", 0..=255, 0)).unwrap_or(0),
            error_rate: reader.rate("error_rate", 0.0),
            failure_rate: reader.rate("failure_rate", 0.0),
            output_tail: reader.text("output_tail").unwrap_or_default(),
        }
    }
}

fn read_handler(reader: &mut Reader) -> Handler {
    const ALLOWED: &str = "\"exec\", \"builtin\", a command line, or a list of a program and its arguments";
    let Some(value) = reader.take("handler") else { return Handler::Exec };
    let parsed = match &value {
        Value::String(line) => Handler::parse(line).map_err(|why| format!("{ALLOWED} ({why})")),
        Value::Array(list) => {
            let words: Option<Vec<String>> = list.iter().map(|word| word.as_str().map(str::to_owned)).collect();
            words.filter(|words| !words.is_empty()).map(Handler::Command).ok_or_else(|| ALLOWED.to_owned())
        }
        _ => Err(ALLOWED.to_owned()),
    };
    parsed.unwrap_or_else(|allowed| {
        reader.refuse("handler", &value, &allowed);
        Handler::Exec
    })
}

/// A region that is valid in host names and ARNs.
fn read_region(reader: &mut Reader) -> String {
    const DEFAULT: &str = "us-east-1";
    let region = reader.text("region").unwrap_or_else(|| DEFAULT.into());
    if region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return region;
    }
    reader.refuse("region", &Value::String(region), "letters, digits and hyphens, such as us-east-1");
    DEFAULT.into()
}

fn read_folder(reader: &mut Reader, name: &'static str) -> Option<PathBuf> {
    let text = reader.text(name)?;
    if !std::path::Path::new(&text).is_dir() {
        reader.refuse(name, &Value::String(text), "a folder that exists");
        return None;
    }
    Some(text.into())
}

/// Fails early. Without the check of the folder no sandbox could start, and each event would fail.
fn read_handler_output(reader: &mut Reader) -> HandlerOutput {
    match reader.text("handler_output") {
        None => HandlerOutput::Discard,
        Some(word) if word == "discard" => HandlerOutput::Discard,
        Some(word) if word == "inherit" => HandlerOutput::Inherit,
        Some(text) => {
            let path = PathBuf::from(&text);
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
                let allowed = "discard, inherit, or a file in a folder that exists";
                reader.refuse("handler_output", &Value::String(text), allowed);
            }
            HandlerOutput::File(path)
        }
    }
}

/// A name that AWS allows; such a name needs no escaping in URLs and ARNs.
fn read_name(reader: &mut Reader, name: &'static str, longest: usize, ending: Option<&str>, default: &str) -> String {
    let Some(text) = reader.text(name) else { return default.to_owned() };
    let stem = ending.and_then(|ending| text.strip_suffix(ending)).unwrap_or(&text);
    let plain = stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !plain || stem.is_empty() || text.len() > longest {
        let ending = ending.map_or_else(String::new, |ending| format!(", perhaps with {ending} at the end"));
        let allowed = format!("1 to {longest} letters, digits, hyphens and underscores{ending}");
        reader.refuse(name, &Value::String(text), &allowed);
        return default.to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_options_are_refused_at_start() {
        let text = r#"{"region": "eu west", "working_directory": "/no/such/folder", "handler_output": "/no/such/file", "queue_name": "q", "dead_letter_queue_name": "q"}"#;
        let error = Options::from_json(text).unwrap_err().to_string();
        for part in [
            "region: expected letters, digits and hyphens, such as us-east-1, found \"eu west\"",
            "working_directory: expected a folder that exists, found \"/no/such/folder\"",
            "handler_output: expected discard, inherit, or a file in a folder that exists, found \"/no/such/file\"",
            "dead_letter_queue_name: expected a name other than queue_name, found \"q\"",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn no_options_are_valid() {
        let options = Options::from_json("{}").unwrap();
        assert_eq!(options.handler, Handler::Exec);
        assert_eq!((options.port, options.timeout_ms, options.maximum_retry_attempts), (0, 900_000, 2));
        assert_eq!(options.concurrency, None);
    }

    #[test]
    fn handlers_have_four_forms() {
        let handler = |json: &str| Options::from_json(&format!("{{\"handler\": {json}}}")).map(|o| o.handler);
        let command = Handler::Command(vec!["a b".into(), "c".into()]);
        assert_eq!(handler(r#""exec""#).unwrap(), Handler::Exec);
        assert_eq!(handler(r#""builtin""#).unwrap(), Handler::Builtin);
        assert_eq!(handler(r#""'a b' c""#).unwrap(), command);
        assert_eq!(handler(r#"["a b", "c"]"#).unwrap(), command);
        let error = handler(r#""'a""#).unwrap_err().to_string();
        assert!(error.contains("a single quote is not closed"), "{error}");
        assert!(handler("[1]").is_err() && handler("[]").is_err() && handler("5").is_err());
    }

    #[test]
    fn all_problems_are_reported_together() {
        let error = Options::from_json(r#"{"port": -1, "handlr": "exec", "faults": {"drop": 7}, "queue_name": "a/b"}"#);
        let error = error.unwrap_err();
        assert_eq!(error.problems().len(), 4, "{error}");
    }

    #[test]
    fn dead_letters_need_a_standard_queue() {
        assert!(Options::from_json(r#"{"queue_name": "results.fifo"}"#).is_ok());
        let error = Options::from_json(r#"{"dead_letter_queue_name": "letters.fifo"}"#).unwrap_err().to_string();
        assert!(
            error.contains("dead_letter_queue_name: ") && error.ends_with("underscores, found \"letters.fifo\""),
            "{error}"
        );
    }

    #[test]
    fn the_catalogue_lists_exactly_the_options_that_are_read() {
        let unknown = Options::from_json(r#"{"?": 0}"#).unwrap_err().to_string();
        let allowed = unknown.split("allowed are ").nth(1).unwrap();
        let mut read: Vec<&str> = allowed.split(", ").collect();
        let mut listed: Vec<&str> = OPTIONS.iter().map(|option| option.name).collect();
        read.sort_unstable();
        listed.sort_unstable();
        assert_eq!(read, listed);
    }
}
