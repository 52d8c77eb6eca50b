//! Whole configurations, and every error of a wrong one, as users see them.

mod airflow;
mod connection;
mod options;
mod queues;

use super::*;

const RESULTS: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
const DEAD: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead";

/// The three required options, and `more` after them.
fn with(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(r#"{{"function_name": "run", "queue_url": "{RESULTS}", "dead_letter_queue_url": "{DEAD}"{comma}{more}}}"#)
}

fn invalid(text: &str) -> Vec<String> {
    match from_json(Some(text)) {
        Err(ConfigError::Invalid(lines)) => lines.lines().map(str::to_owned).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

fn unsupported(text: &str) -> String {
    match from_json(Some(text)) {
        Err(ConfigError::Unsupported(line)) => line,
        other => panic!("{text}: {other:?}"),
    }
}
