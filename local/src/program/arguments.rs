//! The command line: every option of the JSON object is a flag. `--config` reads the object itself.

use lambda_executor_local::{OPTIONS, OptionInfo, OptionKind};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The parsed command line.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) help: bool,
    pub(crate) version: bool,
    /// The options as the library's JSON object.
    pub(crate) options: Map<String, Value>,
    pub(crate) ready_file: Option<PathBuf>,
    pub(crate) exit_with_parent: bool,
    pub(crate) exit_with_stdin: bool,
}

impl Arguments {
    /// Reads the arguments after the program's name. The error is for the user.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut flags = Map::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument.clone(), None),
            };
            match name.as_str() {
                "--help" | "-h" => parsed.help = true,
                "--version" | "-V" => parsed.version = true,
                "--exit-with-parent" => parsed.exit_with_parent = true,
                "--exit-with-stdin" => parsed.exit_with_stdin = true,
                other if !other.starts_with("--") => {
                    return Err(format!("{other}: only options are expected here; see --help"));
                }
                flag => {
                    let option = find(flag);
                    if option.is_none() && !matches!(flag, "--config" | "--ready-file") {
                        return Err(format!("{flag}: no such option; see --help"));
                    }
                    let value = attached.or_else(|| arguments.next());
                    let value = value.ok_or_else(|| format!("{flag}: a value is missing"))?;
                    match option {
                        Some(option) => {
                            flags.insert(option.name.to_owned(), json_value(option, &value)?);
                        }
                        None if flag == "--config" => parsed.options = read_config(&value)?,
                        None => parsed.ready_file = Some(value.into()),
                    }
                }
            }
        }
        // Flags override the file in any order.
        parsed.options.extend(flags);
        Ok(parsed)
    }
}

fn find(flag: &str) -> Option<&'static OptionInfo> {
    OPTIONS.iter().find(|option| flag_name(option) == flag)
}

fn flag_name(option: &OptionInfo) -> String {
    format!("--{}", option.name.replace('_', "-"))
}

fn json_value(option: &OptionInfo, text: &str) -> Result<Value, String> {
    let wrong = |what: &str| format!("{}: expected {what}, found {text}", flag_name(option));
    match option.kind {
        OptionKind::Text => Ok(text.into()),
        OptionKind::Number => text.parse::<u64>().map(Value::from).map_err(|_| wrong("a whole number")),
        OptionKind::Json => serde_json::from_str(text).map_err(|error| wrong(&format!("JSON ({error})"))),
    }
}

/// Reads a JSON object, or the file at this path.
fn read_config(value: &str) -> Result<Map<String, Value>, String> {
    let text = if value.trim_start().starts_with('{') {
        value.to_owned()
    } else {
        std::fs::read_to_string(value).map_err(|error| format!("--config {value}: {error}"))?
    };
    serde_json::from_str(&text).map_err(|error| format!("--config: expected a JSON object: {error}"))
}

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "lambda-executor-local: AWS Lambda and SQS on this machine, in one process, for development, tests and\n\
         demonstration. It creates a function, a results queue and a dead letter queue, prints the settings for\n\
         clients, and serves until SIGINT or SIGTERM. It keeps everything in memory and loses it at exit.\n\
         \n\
         usage: lambda-executor-local [OPTION VALUE]...\n\
         \n\
         example: start it in a shell and set the shell's environment to use it\n\
         \n\
         \x20   rm -f local.env\n\
         \x20   lambda-executor-local --handler builtin --retry-base-ms 100 > local.env &\n\
         \x20   until [ -s local.env ] || ! kill -0 $!; do sleep 0.1; done; . ./local.env\n\
         \n\
         options\n",
    );
    for option in OPTIONS {
        entry(&mut text, &format!("{} {}", flag_name(option), option.value), option.help);
    }
    for (flag, about) in [
        ("--config FILE|JSON", "the same options as a JSON object, with _ for -; flags override it"),
        (
            "--ready-file FILE",
            "JSON file, readable by this user only, written once requests are served: endpoint_url, region, \
             access_key_id, secret_access_key, function_name, queue_url, dead_letter_queue_url, config, pid",
        ),
        ("--exit-with-parent", "end when the parent process ends"),
        ("--exit-with-stdin", "end when standard input is closed"),
        ("--version", "print the version"),
        ("--help", "print this help"),
    ] {
        entry(&mut text, flag, about);
    }
    text.push_str(
        "\nfunctions of your own: CreateFunction accepts any zip and ignores it. Two environment variables of the\n\
         function describe it: LAMBDA_EXECUTOR_LOCAL_HANDLER is its handler, in the form of --handler, and\n\
         LAMBDA_EXECUTOR_LOCAL_STATE (Active, Pending, Inactive, Failed) is the state that it reports.\n\
         \nwhile it runs, with the header \"Authorization: Bearer SECRET_ACCESS_KEY\": GET /_local/stats returns\n\
         counters, POST /_local/faults replaces the faults. An outage that refuses connections also refuses them.\n\
         \nexpire_credentials_after_ms counts from the start, or from the POST that sets it. After that time every\n\
         request signed with the credentials fails, also the results that functions send. Credentials of\n\
         lasting_access_key_id do not expire; if they are set, functions use them.\n",
    );
    text
}

/// Appends a flag and its description, in lines of at most 110 characters.
fn entry(text: &mut String, flag: &str, about: &str) {
    const INDENT: usize = 31;
    const WIDTH: usize = 110;
    let _ = write!(text, "  {flag}");
    let mut column = 2 + flag.len();
    if column >= INDENT {
        text.push('\n');
        column = 0;
    }
    let _ = write!(text, "{:1$}", "", INDENT - column);
    column = INDENT;
    for (at, word) in about.split(' ').enumerate() {
        if at > 0 && column + 1 + word.len() > WIDTH {
            let _ = write!(text, "\n{:1$}", "", INDENT);
            column = INDENT;
        } else if at > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(arguments: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn flags_become_options() {
        let parsed = parse(&["--port", "5", "--handler=python3 -m x", "--faults", r#"{"drop": 0.5}"#]).unwrap();
        let expected = json!({"port": 5, "handler": "python3 -m x", "faults": {"drop": 0.5}});
        assert_eq!(Value::from(parsed.options), expected);
    }

    #[test]
    fn flags_win_over_the_configuration() {
        let parsed = parse(&["--port", "5", "--config", r#"{"port": 6, "region": "r"}"#, "--exit-with-stdin"]).unwrap();
        assert_eq!(Value::from(parsed.options), json!({"port": 5, "region": "r"}));
        assert!(parsed.exit_with_stdin && !parsed.exit_with_parent);
    }

    #[test]
    fn invalid_arguments_are_reported() {
        for (arguments, message) in [
            (&["--prot", "5"][..], "--prot: no such option; see --help"),
            (&["--prot"], "--prot: no such option; see --help"),
            (&["extra"], "extra: only options are expected here; see --help"),
            (&["--port"], "--port: a value is missing"),
            (&["--port", "x"], "--port: expected a whole number, found x"),
            (&["--config", "/nonexistent"], "--config /nonexistent: No such file or directory (os error 2)"),
        ] {
            assert_eq!(parse(arguments).unwrap_err(), message);
        }
        assert!(parse(&["--env", "A=1"]).unwrap_err().starts_with("--env: expected JSON"));
    }

    #[test]
    fn help_lists_every_option_in_lines_that_fit() {
        let help = help();
        assert!(OPTIONS.iter().all(|option| help.contains(&flag_name(option))));
        assert!(help.lines().all(|line| line.len() <= 120), "{help}");
    }
}
