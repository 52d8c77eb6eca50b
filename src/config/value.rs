//! Checks a value against what its option accepts: types, ranges, and the words for errors.

use super::airflow::spelling;
use super::json;
use super::option::{Default, Kind, Opt};
use super::url;
use super::wrong::{Wrong, shown as one_line};
use crate::aws::FunctionName;
use crate::executor::qualifier::{QUALIFIERS, is_qualifier};
use serde_json::Value;

/// The value of an option, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Checked {
    /// Of text, name, URL or choice.
    Text(String),
    /// Of an integer.
    Integer(u64),
    /// Of a boolean.
    Boolean(bool),
    /// Of an object, as written.
    Object(String),
}

/// Why a value is not accepted.
#[derive(Debug, PartialEq)]
pub(crate) enum Problem {
    /// It is invalid. Without the option's name.
    Wrong(String),
    /// A later version accepts it.
    Later(&'static str),
}

/// Checks one value as written in JSON; null is the same as not given.
pub(crate) fn check_json(option: &Opt, text: &str) -> Result<Option<Checked>, Problem> {
    if text == "null" {
        return Ok(None);
    }
    if let Kind::Later(what) = option.kind {
        return if text == "false" { Ok(None) } else { Err(Problem::Later(what)) };
    }
    // Its outline has been checked; what may be wrong is within strings and numbers.
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::Wrong(format!("the value cannot be read: {}", json::syntax_error(&error))))?;
    let wrong =
        |why: &str| Problem::Wrong(format!("{} {why}(expected {})", shown(option, &value), allowed(option.kind)));
    let checked = match (option.kind, &value) {
        (Kind::Boolean, Value::Bool(value)) => Checked::Boolean(*value),
        (Kind::Integer { min, max }, Value::Number(number)) => match number.as_u64() {
            Some(value) if (min..=max).contains(&value) => Checked::Integer(value),
            // 3.0 is refused: it hints at another unit, as in 0.5 s.
            _ if number.is_f64() && !is_digits(text) => return Err(wrong("is not an integer ")),
            _ => return Err(wrong("is out of range ")),
        },
        (Kind::Choice(words), Value::String(word)) if words.contains(&word.as_str()) => Checked::Text(word.clone()),
        (Kind::Choice(_), Value::String(_)) => return Err(wrong("is not one of its values ")),
        (Kind::Object | Kind::Queues, Value::Object(_)) => Checked::Object(text.to_owned()),
        (kind, Value::String(text)) if kind.is_text() => {
            check_text(option.kind, text).map_err(|why| {
                let value = if why.hidden { String::new() } else { format!("`{}` ", one_line(text)) };
                Problem::Wrong(format!("{value}{} (expected {})", why.why, allowed(option.kind)))
            })?;
            Checked::Text(text.clone())
        }
        (_, other) => return Err(wrong(&format!("is {} ", type_name(other)))),
    };
    Ok(Some(checked))
}

/// True for integers too large for any of our types, which serde_json reads as floating point.
fn is_digits(text: &str) -> bool {
    text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}

fn check_text(kind: Kind, text: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        return Err(Wrong::hidden("is empty"));
    }
    match kind {
        Kind::QueueUrl => url::check_queue_url(text),
        Kind::Endpoint => url::check_endpoint(text),
        Kind::FunctionName => FunctionName::parse(text).map(|_| ()).map_err(Wrong::value),
        Kind::Qualifier if !is_qualifier(text) => Err(Wrong::value("is neither a version nor an alias")),
        Kind::Team if !is_team(text) => Err(Wrong::value("is not the name of a team")),
        _ if text.chars().any(|c| c.is_whitespace() || c.is_control()) => Err(Wrong::value("has white space in it")),
        _ => Ok(()),
    }
}

/// Checks one value as written in the environment or in `airflow.cfg`. As in Airflow, an empty value counts as given:
/// of optional text it means none, and other sources are not asked.
pub(crate) fn check_written(option: &Opt, text: &str) -> Result<Option<Checked>, Wrong> {
    let checked = match option.kind {
        Kind::Boolean => spelling::boolean(text).map(Checked::Boolean),
        Kind::Integer { min, max } => {
            spelling::integer(text).filter(|number| (min..=max).contains(number)).map(Checked::Integer)
        }
        _ if text.is_empty() && option.default != Default::Required => return Ok(None),
        kind => {
            check_text(kind, text)?;
            Some(Checked::Text(text.to_owned()))
        }
    };
    checked.map(Some).ok_or_else(Wrong::unexpected)
}

/// The rule of Airflow's `teams create`.
fn is_team(text: &str) -> bool {
    (3..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What an option of that kind accepts, for errors and documents.
pub(crate) fn allowed(kind: Kind) -> String {
    match kind {
        Kind::Text => "text that is not empty, without white space".into(),
        Kind::FunctionName => "a function's name, name:alias, or ARN".into(),
        Kind::Team => "3 to 50 letters, digits, - or _".into(),
        Kind::Qualifier => QUALIFIERS.into(),
        Kind::QueueUrl => "https://sqs.<region>.amazonaws.com/<account>/<name>".into(),
        Kind::Endpoint => "http://host:port or https://host".into(),
        Kind::Integer { min, max } => format!("an integer from {min} to {max}"),
        Kind::Boolean => "true or false".into(),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
        Kind::Object => "an object".into(),
        Kind::Queues => "an object of objects, by queue name".into(),
        Kind::Later(_) => "null: not in this version".into(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The value as errors show it: shortened, and nothing of what may hold a secret.
fn shown(option: &Opt, value: &Value) -> String {
    match value {
        _ if option.secret => "the value".into(),
        Value::Object(_) | Value::Array(_) => "the value".into(),
        Value::String(text) => format!("`{}`", one_line(text)),
        other => format!("`{}`", one_line(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::option;
    use super::*;

    fn wrong(option: &Opt, text: &str) -> String {
        match check_json(option, text) {
            Err(Problem::Wrong(line)) => line,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn null_is_not_given() {
        for option in option::ALL {
            assert_eq!(check_json(option, "null"), Ok(None), "{}", option.name);
        }
    }

    #[test]
    fn integers_are_json_integers_in_their_range() {
        let attempts = &option::MAX_INVOKE_ATTEMPTS;
        assert_eq!(check_json(attempts, "5"), Ok(Some(Checked::Integer(5))));
        for (text, expected) in [
            ("0", "`0` is out of range (expected an integer from 1 to 1000)"),
            ("1001", "`1001` is out of range (expected an integer from 1 to 1000)"),
            ("-1", "`-1` is out of range (expected an integer from 1 to 1000)"),
            ("3.0", "`3.0` is not an integer (expected an integer from 1 to 1000)"),
            ("\"abc\"", "`abc` is a string (expected an integer from 1 to 1000)"),
            ("\"3\"", "`3` is a string (expected an integer from 1 to 1000)"),
            ("true", "`true` is a boolean (expected an integer from 1 to 1000)"),
            ("[3]", "the value is a list (expected an integer from 1 to 1000)"),
        ] {
            assert_eq!(wrong(attempts, text), expected);
        }
        let huge = wrong(attempts, "123456789012345678901234567890");
        assert!(huge.contains("is out of range"), "{huge}");
    }

    #[test]
    fn other_types_are_checked() {
        assert_eq!(check_json(&option::RUNNING_EVENTS, "false"), Ok(Some(Checked::Boolean(false))));
        assert_eq!(wrong(&option::RUNNING_EVENTS, "0"), "`0` is a number (expected true or false)");
        assert_eq!(check_json(&option::LOG, "\"info\""), Ok(Some(Checked::Text("info".into()))));
        assert!(wrong(&option::LOG, "\"Info\"").starts_with("`Info` is not one of its values (expected one of off, "));
        assert_eq!(check_json(&option::LOCAL, "{\"a\" : 1}"), Ok(Some(Checked::Object("{\"a\" : 1}".into()))));
        assert_eq!(wrong(&option::LOCAL, "true"), "`true` is a boolean (expected an object)");
        assert_eq!(
            wrong(&option::REGION_NAME, "\"\""),
            "is empty (expected text that is not empty, without white space)"
        );
        assert_eq!(
            wrong(&option::REGION_NAME, r#""eu\ud800""#),
            "the value cannot be read: a string has half of a surrogate pair (\\uD800 to \\uDFFF come in twos) (line 1, \
             column 10)"
        );
        assert!(wrong(&option::REGION_NAME, "\"eu west\"").contains("has white space in it"));
        assert!(wrong(&option::QUEUE_URL, "\"my-queue\"").starts_with("`my-queue` is a name, not a URL"));
        assert!(wrong(&option::QUEUE_URL, "5").starts_with("`5` is a number (expected https://"));
        assert!(wrong(&option::FUNCTION_QUALIFIER, "\"a b\"").contains("neither a version nor an alias"));
        assert!(check_json(&option::FUNCTION_QUALIFIER, "\"$LATEST\"").is_ok());
        assert!(wrong(&option::FUNCTION_NAME, "\"https://x\"").contains("expected a function's name"));
    }

    #[test]
    fn airflows_text_is_checked() {
        let attempts = &option::MAX_INVOKE_ATTEMPTS;
        assert_eq!(check_written(attempts, "3.0"), Ok(Some(Checked::Integer(3))));
        for text in ["", "abc", "0", "1001", "-3", "3.5"] {
            assert_eq!(check_written(attempts, text), Err(Wrong::unexpected()), "{text}");
        }
        assert_eq!(check_written(&option::CHECK_HEALTH_ON_STARTUP, "F"), Ok(Some(Checked::Boolean(false))));
        assert_eq!(check_written(&option::CHECK_HEALTH_ON_STARTUP, "no"), Err(Wrong::unexpected()));
        assert_eq!(check_written(&option::REGION_NAME, ""), Ok(None));
        assert_eq!(check_written(&option::REGION_NAME, "eu"), Ok(Some(Checked::Text("eu".into()))));
        assert_eq!(check_written(&option::FUNCTION_NAME, ""), Err(Wrong::hidden("is empty")));
        assert_eq!(check_written(&option::QUEUE_URL, "q"), Err(Wrong::value("is a name, not a URL")));
    }

    #[test]
    fn teams_have_names_that_airflow_allows() {
        for (text, expected) in [("a_1", true), ("Team-B", true), ("ab", false), ("a=b", false), ("a b c", false)] {
            assert_eq!(is_team(text), expected, "{text}");
        }
        assert!(!is_team(&"x".repeat(51)));
    }

    #[test]
    fn long_values_are_cut_and_secrets_never_shown() {
        let long = wrong(&option::MAX_INVOKE_ATTEMPTS, &format!("\"{}\"", "é".repeat(200)));
        assert!(long.chars().count() < 200, "{long}");
        assert_eq!(wrong(&option::CREDENTIALS, "\"hush\""), "the value is a string (expected an object)");
    }
}
