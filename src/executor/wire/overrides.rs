//! What one task's `executor_config` changes of its own invocation, with option allow_task_overrides. The members stay
//! in `executor_config`: the function may use them too.

use super::fields::Fields;
use crate::executor::qualifier::{QUALIFIERS, is_qualifier};
use serde_json::value::RawValue;
use std::sync::Arc;

/// What a task asks for in place of what is configured.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Overrides {
    /// Version or alias of the route's function.
    pub(super) qualifier: Option<Arc<str>>,
    /// Time limit of the command.
    pub(super) timeout_ms: Option<u64>,
}

impl Overrides {
    /// The error names the key, what it is, and what is allowed.
    pub(super) fn read(executor_config: Option<&RawValue>) -> Result<Self, String> {
        let Some(config) = executor_config else { return Ok(Self::default()) };
        let fields = Fields::read(config.get()).unwrap_or_default();
        Ok(Self { qualifier: qualifier(&fields)?, timeout_ms: timeout_ms(&fields)? })
    }
}

fn qualifier(fields: &Fields<'_>) -> Result<Option<Arc<str>>, String> {
    let what = match fields.kind("function_qualifier") {
        "missing" | "null" => return Ok(None),
        "a string" => {
            let text = fields.text("function_qualifier");
            if is_qualifier(&text) {
                return Ok(Some(text.into()));
            }
            "neither a version nor an alias"
        }
        other => other,
    };
    Err(format!("function_qualifier is {what} (allowed: {QUALIFIERS})"))
}

fn timeout_ms(fields: &Fields<'_>) -> Result<Option<u64>, String> {
    let what = match fields.kind("timeout_ms") {
        "missing" | "null" => return Ok(None),
        "a number" => match fields.get::<i64>("timeout_ms") {
            Some(ms @ 1..) => return Ok(Some(ms.unsigned_abs())),
            Some(ms) => ms.to_string(),
            None => "a number out of range or with a fraction".into(),
        },
        other => other.to_owned(),
    };
    Err(format!("timeout_ms is {what} (allowed: a whole number of milliseconds, at least 1)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Overrides, String> {
        Overrides::read(Some(&serde_json::from_str::<Box<RawValue>>(json).unwrap()))
    }

    #[test]
    fn both_keys_are_read_and_all_others_left_alone() {
        let both = read(r#"{"function_qualifier": "live", "timeout_ms": 5000, "env": {"timeout_ms": "x"}}"#).unwrap();
        assert_eq!((both.qualifier.as_deref(), both.timeout_ms), (Some("live"), Some(5_000)));
        for json in ["{}", r#"{"function_qualifier": null, "timeout_ms": null}"#, r#"{"qualifier": 7}"#] {
            assert_eq!(read(json), Ok(Overrides::default()), "{json}");
        }
        assert_eq!(Overrides::read(None), Ok(Overrides::default()));
    }

    #[test]
    fn wrong_values_are_reported_with_their_key() {
        const QUALIFIER: &str = "(allowed: a version number, an alias, or $LATEST)";
        const TIMEOUT: &str = "(allowed: a whole number of milliseconds, at least 1)";
        for (json, expected) in [
            (r#"{"function_qualifier": 7}"#, format!("function_qualifier is a number {QUALIFIER}")),
            (
                r#"{"function_qualifier": "a b"}"#,
                format!("function_qualifier is neither a version nor an alias {QUALIFIER}"),
            ),
            (
                r#"{"function_qualifier": ""}"#,
                format!("function_qualifier is neither a version nor an alias {QUALIFIER}"),
            ),
            (r#"{"timeout_ms": 0}"#, format!("timeout_ms is 0 {TIMEOUT}")),
            (r#"{"timeout_ms": -5}"#, format!("timeout_ms is -5 {TIMEOUT}")),
            (r#"{"timeout_ms": 1.5}"#, format!("timeout_ms is a number out of range or with a fraction {TIMEOUT}")),
            (r#"{"timeout_ms": "5"}"#, format!("timeout_ms is a string {TIMEOUT}")),
            (r#"{"timeout_ms": [5]}"#, format!("timeout_ms is a list {TIMEOUT}")),
        ] {
            assert_eq!(read(json), Err(expected), "{json}");
        }
    }
}
