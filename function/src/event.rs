//! The event, as Airflow's executor or ours sends it. Errors never quote the event: it carries secrets.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The library's limit for keys.
const MAX_KEY_BYTES: usize = 8 * 1024;
/// SQS's limit for deduplication ids; the attempt id becomes one.
const MAX_ATTEMPT_ID_BYTES: usize = 128;

/// An event that can be answered: it has a key.
#[derive(Debug)]
pub(crate) struct Event {
    /// The host's name for the task, returned byte for byte.
    pub(crate) task_key: String,
    /// Identifies the submission.
    pub(crate) attempt_id: Option<String>,
    /// The queue that the host wants the result in.
    pub(crate) reply_to: Option<String>,
    /// The task, or why the event is invalid.
    pub(crate) task: Result<Task, String>,
}

/// What one invocation brings.
#[derive(Debug)]
pub(crate) enum Incoming {
    One(Event),
    Several(Batch),
}

/// Events of several tasks. Each has an attempt id of its own.
#[derive(Debug)]
pub(crate) struct Batch {
    /// At most so many run at the same time; at least 1.
    pub(crate) parallel: usize,
    /// At least one.
    pub(crate) members: Vec<Event>,
}

/// The work of an event.
#[derive(Debug)]
pub(crate) struct Task {
    /// What to run.
    pub(crate) command: Command,
    /// A JSON object, as it was written.
    pub(crate) executor_config: String,
    /// Time limit in ms.
    pub(crate) timeout_ms: Option<u64>,
}

/// What to run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// A program and its arguments, at least the program.
    Argv(Vec<String>),
    /// For `/bin/sh -c`.
    Shell(String),
}

/// The task of an event, with the ids that its command receives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) task_key: &'a str,
    pub(crate) attempt_id: Option<&'a str>,
    pub(crate) task: &'a Task,
}

/// Fields that we know; others are ignored. `null` counts as absent.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    task_key: Option<&'a RawValue>,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    #[serde(borrow)]
    executor_config: Option<&'a RawValue>,
    #[serde(borrow)]
    attempt_id: Option<&'a RawValue>,
    #[serde(borrow)]
    reply_to: Option<&'a RawValue>,
    #[serde(borrow)]
    timeout_ms: Option<&'a RawValue>,
}

/// Fields of an event of several tasks.
#[derive(Deserialize)]
struct BatchFields<'a> {
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    batch_parallel: Option<&'a RawValue>,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
}

impl Incoming {
    /// Reads an event. The error says why nothing of it can be run: a batch is read as a whole before any of it runs.
    pub(crate) fn read(json: &str) -> Result<Self, String> {
        match Batch::read(json)? {
            Some(batch) => Ok(Self::Several(batch)),
            None => Event::read(json).map(Self::One),
        }
    }
}

impl Batch {
    /// None for the event of one task, or what is no event at all.
    fn read(json: &str) -> Result<Option<Self>, String> {
        if !json.trim_start().starts_with('{') {
            return Ok(None);
        }
        let Ok(BatchFields { batch: Some(batch), batch_parallel, command }) = serde_json::from_str(json) else {
            return Ok(None);
        };
        if command.is_some() {
            return Err("the event has a command and a batch, of which only one can be meant".to_owned());
        }
        let events: Vec<&RawValue> =
            serde_json::from_str(batch.get()).map_err(|_| "batch is not a list of events".to_owned())?;
        let parallel = match batch_parallel.map(|raw| serde_json::from_str::<usize>(raw.get())) {
            None => 1,
            Some(Ok(number)) => number.max(1),
            Some(Err(_)) => return Err("batch_parallel is not a whole number".to_owned()),
        };
        let mut members: Vec<Event> = Vec::with_capacity(events.len());
        for (place, event) in events.iter().enumerate() {
            let wrong = |what: &str| format!("event {} of the batch: {what}", place + 1);
            let event = Event::read(event.get()).map_err(|what| wrong(&what))?;
            if event.attempt_id.is_none() {
                return Err(wrong("it has no attempt_id that can be used"));
            }
            if members.iter().any(|other| other.attempt_id == event.attempt_id) {
                return Err(wrong("its attempt_id is that of another"));
            }
            members.push(event);
        }
        if members.is_empty() { Err("the batch is empty".to_owned()) } else { Ok(Some(Self { parallel, members })) }
    }
}

impl Event {
    /// Reads an event. The error says why there is no usable key. Without a key no result can be sent.
    pub(crate) fn read(json: &str) -> Result<Self, String> {
        // serde would also read a struct from a JSON list.
        if !json.trim_start().starts_with('{') {
            return Err("the event is not a JSON object".to_owned());
        }
        let fields: Fields<'_> =
            serde_json::from_str(json).map_err(|_| "the event is not a JSON object with each field once".to_owned())?;
        let task_key = match fields.task_key.map(string) {
            None => return Err("the event has no task_key".to_owned()),
            Some(None) => return Err("task_key is not a string".to_owned()),
            Some(Some(key)) if key.is_empty() => return Err("task_key is empty".to_owned()),
            Some(Some(key)) if key.len() > MAX_KEY_BYTES => {
                return Err(format!("task_key has {} bytes, more than {MAX_KEY_BYTES}", key.len()));
            }
            Some(Some(key)) => key,
        };
        let mut task = Task::read(&fields);
        if task_key.contains('\0') {
            task = Err("task_key contains a NUL character".to_owned());
        }
        let attempt_id = valid_or_spoil(fields.attempt_id.map(attempt_id), &mut task);
        let reply_to = fields.reply_to.map(|raw| string(raw).ok_or("reply_to is not a string"));
        let reply_to = valid_or_spoil(reply_to, &mut task).filter(|url| !url.is_empty());
        Ok(Self { task_key, attempt_id, reply_to, task })
    }
}

impl Task {
    fn read(fields: &Fields<'_>) -> Result<Self, String> {
        let command = Command::read(fields.command.ok_or("the event has no command")?.get())?;
        let executor_config = match fields.executor_config {
            None => "{}",
            Some(raw) if raw.get().starts_with('{') => raw.get(),
            Some(_) => return Err("executor_config is not an object".to_owned()),
        };
        let timeout_ms = match fields.timeout_ms.map(|raw| serde_json::from_str::<u64>(raw.get())) {
            None | Some(Ok(0)) => None,
            Some(Ok(ms)) => Some(ms),
            Some(Err(_)) => return Err("timeout_ms is not a whole number of milliseconds".to_owned()),
        };
        Ok(Self { command, executor_config: executor_config.to_owned(), timeout_ms })
    }
}

impl Command {
    /// Reads a variable of the function's environment: a list as JSON, or a line for the shell, where `[` begins a
    /// test.
    pub(crate) fn read_variable(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(serde_json::Value::Array(_)) => Self::read(text),
            _ => Ok(Self::Shell(text.to_owned())),
        }
    }

    fn read(json: &str) -> Result<Self, String> {
        let command = if let Ok(argv) = serde_json::from_str::<Vec<String>>(json) {
            Self::Argv(argv)
        } else if let Ok(line) = serde_json::from_str::<String>(json) {
            Self::Shell(line)
        } else {
            return Err("command is neither a list of strings nor a string".to_owned());
        };
        let (empty, nul) = match &command {
            Self::Argv(argv) => (argv.is_empty(), argv.iter().any(|argument| argument.contains('\0'))),
            // For the shell an empty command is a success.
            Self::Shell(line) => (line.trim().is_empty(), line.contains('\0')),
        };
        match (empty, nul) {
            (true, _) => Err("command is empty".to_owned()),
            (_, true) => Err("command contains a NUL character, which Linux cannot pass to a program".to_owned()),
            _ => Ok(command),
        }
    }

    /// The program and its arguments.
    pub(crate) fn argv(&self) -> Vec<String> {
        match self {
            Self::Argv(argv) => argv.clone(),
            Self::Shell(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()],
        }
    }

    /// The program's name. Nothing else of a command may be logged.
    pub(crate) fn program(&self) -> &str {
        match self {
            Self::Argv(argv) => argv.first().map_or("", String::as_str),
            Self::Shell(_) => "/bin/sh",
        }
    }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// The value of an optional field. An invalid one makes the task invalid.
fn valid_or_spoil<T>(field: Option<Result<T, &str>>, task: &mut Result<Task, String>) -> Option<T> {
    match field? {
        Ok(value) => Some(value),
        Err(message) => {
            *task = Err(message.to_owned());
            None
        }
    }
}

fn attempt_id(raw: &RawValue) -> Result<String, &'static str> {
    string(raw)
        .filter(|id| (1..=MAX_ATTEMPT_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or("attempt_id is not a string of 1 to 128 letters, digits and punctuation")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(json: &str) -> Result<Task, String> {
        Event::read(json).unwrap().task
    }

    #[test]
    fn airflows_event_is_enough() {
        let event = Event::read(r#"{"task_key": "{\"dag_id\": \"d\"}", "command": ["a", "b"], "executor_config": {}}"#);
        let event = event.unwrap();
        assert_eq!(event.task_key, r#"{"dag_id": "d"}"#);
        assert_eq!((event.attempt_id, event.reply_to), (None, None));
        let task = event.task.unwrap();
        assert_eq!(task.command, Command::Argv(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((task.executor_config.as_str(), task.timeout_ms), ("{}", None));
    }

    #[test]
    fn every_field_of_ours_is_read_and_others_are_ignored() {
        let event = Event::read(
            r#" {"x": [1], "task_key": "k", "command": "ls -l | wc", "executor_config": {"b": 1e3, "a": 2},
                "attempt_id": "u-1", "reply_to": "http://h/q", "timeout_ms": 5}"#,
        )
        .unwrap();
        assert_eq!((event.attempt_id.as_deref(), event.reply_to.as_deref()), (Some("u-1"), Some("http://h/q")));
        let task = event.task.unwrap();
        assert_eq!(task.command, Command::Shell("ls -l | wc".to_owned()));
        assert_eq!(task.command.program(), "/bin/sh");
        assert_eq!((task.executor_config.as_str(), task.timeout_ms), (r#"{"b": 1e3, "a": 2}"#, Some(5)));
    }

    #[test]
    fn a_batch_is_read_as_a_whole_or_not_at_all() {
        let batch = |members: &str| {
            Incoming::read(&format!(r#"{{"task_key": "b", "batch_parallel": 4, "batch": [{members}]}}"#))
        };
        let one = r#"{"task_key": "a", "command": ["x"], "attempt_id": "1"}"#;
        let spoilt = r#"{"task_key": "b", "command": [], "attempt_id": "2"}"#;
        let Ok(Incoming::Several(read)) = batch(&format!("{one}, {spoilt}")) else { panic!("not a batch") };
        assert_eq!((read.parallel, read.members.len()), (4, 2));
        assert_eq!((read.members[0].task.is_ok(), read.members[1].task.is_ok()), (true, false));
        for (wrong, why) in [
            (String::new(), "the batch is empty"),
            (format!("{one}, 5"), "event 2 of the batch: the event is not a JSON object"),
            (format!("{one}, {one}"), "event 2 of the batch: its attempt_id is that of another"),
            (
                r#"{"task_key": "a", "command": ["x"]}"#.to_owned(),
                "event 1 of the batch: it has no attempt_id that can be used",
            ),
        ] {
            assert_eq!(batch(&wrong).unwrap_err(), why);
        }
        let both = r#"{"task_key": "b", "command": ["x"], "batch": []}"#;
        assert!(Incoming::read(both).unwrap_err().contains("a command and a batch"));
        for json in ["5", "{}", r#"{"task_key": "k", "batch": null, "command": ["x"]}"#] {
            assert!(!matches!(Incoming::read(json), Ok(Incoming::Several(_))), "{json}");
        }
    }

    #[test]
    fn a_variable_is_a_list_or_a_line() {
        let list = Command::Argv(vec!["a".to_owned(), "b c".to_owned()]);
        assert_eq!(Command::read_variable(r#"["a", "b c"]"#), Ok(list));
        for line in ["a 'b c'", "[ -d /tmp ] && a", "[[ -d /tmp ]]", "{ a; b; }", "5"] {
            assert_eq!(Command::read_variable(line), Ok(Command::Shell(line.to_owned())));
        }
        for wrong in ["[]", r#"["a", 1]"#] {
            assert!(Command::read_variable(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn null_is_absent() {
        let event = Event::read(
            r#"{"task_key":"k","command":["a"],"executor_config":null,"attempt_id":null,"reply_to":null,"timeout_ms":null}"#,
        )
        .unwrap();
        assert_eq!((event.attempt_id, event.reply_to), (None, None));
        assert_eq!(event.task.unwrap().timeout_ms, None);
    }

    #[test]
    fn without_a_key_there_is_no_event() {
        for json in [
            "5",
            "null",
            "[]",
            r#"["k",["a"],{},"i","r",1]"#,
            "{}",
            r#"{"task_key":[]}"#,
            r#"{"task_key":""}"#,
            r#"{"task_key":"a","task_key":"b"}"#,
            r#"{"task_key":"\ud800"}"#,
        ] {
            assert!(Event::read(json).is_err(), "{json}");
        }
        assert!(Event::read(&format!(r#"{{"task_key":"{}"}}"#, "k".repeat(8193))).unwrap_err().contains("8193"));
    }

    #[test]
    fn a_bad_field_is_named_and_not_quoted() {
        for (field, json) in [
            ("command", r#"{"task_key":"k"}"#),
            ("command", r#"{"task_key":"k","command":[]}"#),
            ("command", r#"{"task_key":"k","command":" "}"#),
            ("command", r#"{"task_key":"k","command":["SECRET",1]}"#),
            ("command", r#"{"task_key":"k","command":["SECRET","a\u0000"]}"#),
            ("command", r#"{"task_key":"k","command":{"SECRET":1}}"#),
            ("executor_config", r#"{"task_key":"k","command":["a"],"executor_config":["SECRET"]}"#),
            ("attempt_id", r#"{"task_key":"k","command":["a"],"attempt_id":7}"#),
            ("attempt_id", r#"{"task_key":"k","command":["a"],"attempt_id":"SECRET SECRET"}"#),
            ("reply_to", r#"{"task_key":"k","command":["a"],"reply_to":7}"#),
            ("timeout_ms", r#"{"task_key":"k","command":["a"],"timeout_ms":-1}"#),
            ("timeout_ms", r#"{"task_key":"k","command":["a"],"timeout_ms":"SECRET"}"#),
            ("task_key", r#"{"task_key":"k\u0000","command":["a"]}"#),
        ] {
            let message = task(json).unwrap_err();
            assert!(message.contains(field) && !message.contains("SECRET"), "{json}: {message}");
        }
    }
}
