//! Reads configurations as JSON lines and prints the options in force, or all problems, of each.
//! `tests/python/airflow_config` compares them with Airflow's own parser.
//!
//! in: `{"json": {...} or null, "environment": {"NAME": "value" or [bytes]}}`
//!
//! out: `{"options": {"name": value}, "sources": {"name": "..."}}`, or `{"errors": ["..."]}`

use lambda_executor::config::{self, Config, ConfigError};
use lambda_executor::runtime::environment::Environment;
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::os::unix::ffi::OsStringExt;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let json = (!case["json"].is_null()).then(|| case["json"].to_string());
        let environment = case["environment"].as_object().cloned().unwrap_or_default();
        let answer = match config::read(json.as_deref(), variables(environment)) {
            Ok(config) => in_force(&config),
            Err(ConfigError::Invalid(lines) | ConfigError::Unsupported(lines)) => {
                json!({ "errors": lines.lines().collect::<Vec<_>>() })
            }
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn variables(given: Map<String, Value>) -> Environment {
    Environment::of(given.into_iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => OsString::from(text),
            // A list of bytes: JSON cannot represent text that is not UTF-8.
            other => OsString::from_vec(serde_json::from_value(other).unwrap_or_default()),
        };
        (name, value)
    }))
}

/// The value of an option, read from the settings if it is part of them: the executor uses those.
fn in_force(config: &Config) -> Value {
    let mut options: Map<String, Value> =
        config.options.iter().map(|option| (option.name.to_owned(), option.value.clone())).collect();
    let function = config.aws.functions.first();
    for (name, value) in [
        ("function_name", json!(function.map(|function| &function.name))),
        ("function_qualifier", json!(function.and_then(|function| function.qualifier.as_deref()))),
        ("queue_url", json!(config.aws.queue_urls.first())),
        ("dead_letter_queue_url", json!(config.aws.queue_urls.last())),
        ("region_name", json!(config.aws.region)),
        ("check_health_on_startup", json!(config.executor.check_health_on_startup)),
        ("max_invoke_attempts", json!(config.executor.max_invoke_attempts)),
        ("end_wait_timeout", json!(config.end_wait_timeout.map_or(0, |wait| wait.as_secs()))),
    ] {
        options.insert(name.into(), value);
    }
    let sources: Map<String, Value> =
        config.options.iter().map(|option| (option.name.to_owned(), json!(option.source))).collect();
    json!({ "options": options, "sources": sources })
}
