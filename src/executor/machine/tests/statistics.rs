//! The statistics of machines in every state of health, against the committed schema.

use super::*;
use crate::executor::statistics::statistics;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/statistics.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The part of JSON Schema that the schema of the statistics uses. Says what is wrong, and where.
fn violations(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the schema has a type `{other}`"),
    };
    let fits = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    if !fits {
        found.push(format!("{at} is {value}, not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        found.push(format!("{at} is {value}, none of {}", schema["enum"]));
    }
    if value.as_f64().zip(schema["minimum"].as_f64()).is_some_and(|(value, least)| value < least) {
        found.push(format!("{at} is {value}, below {}", schema["minimum"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(inner) => violations(inner, value, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not in the schema")),
        }
    }
    for item in value.as_array().into_iter().flatten().filter(|_| schema.get("items").is_some()) {
        violations(&schema["items"], item, &format!("{at}[]"), found);
    }
}

fn check(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    violations(&schema(), document, "stats", &mut found);
    found
}

/// Documents of machines in every state of health, with work behind them.
fn documents() -> Vec<Value> {
    let document = |stage: &Stage| statistics(&stage.machine.snapshot());
    let mut stage = Stage::new(|_| {});
    let mut documents = vec![document(&stage)];
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    documents.push(document(&stage));
    for failure in [REFUSED, REJECTED, NOT_READY, TOO_LARGE, LOST_ANSWER, THROTTLED] {
        let mut stage = Stage::new(|_| {});
        stage.queue("k");
        stage.fail_invoke(failure);
        documents.push(document(&stage));
    }
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    documents.push(document(&stage));
    stage.machine.queues_checked(Err(error(NOT_READY)));
    documents.push(document(&stage));
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    stage.answer_poll(DEAD, Err(error(REFUSED)));
    documents.push(document(&stage));
    documents
}

#[test]
fn real_documents_are_as_the_committed_schema_says() {
    let mut states = BTreeSet::new();
    for document in documents() {
        assert_eq!(check(&document), Vec::<String>::new(), "{document:#}");
        states.insert(document["health"]["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, ["degraded", "healthy", "no_credentials", "starting"].map(str::to_owned).into());
}

#[test]
fn a_document_that_drifts_is_noticed() {
    let good = documents().remove(1);
    let drift = |change: fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        check(&document)
    };
    assert_eq!(drift(|_| {}), Vec::<String>::new());
    for (change, expected) in [
        (
            (|document| document["tasks"]["queued"] = json!("1")) as fn(&mut Value),
            r#"stats.tasks.queued is "1", not "integer""#,
        ),
        (|document| document["tasks"]["queued"] = json!(-1), "stats.tasks.queued is -1, below 0"),
        (|document| document["health"]["state"] = json!("fine"), "stats.health.state is \"fine\", none of"),
        (|document| document["latency_ms"]["invoke"] = json!({}), "stats.latency_ms.invoke.count is missing"),
        (|document| document["routes"][0]["new"] = json!(1), "stats.routes[].new is not in the schema"),
        (|document| document["new"] = json!(1), "stats.new is not in the schema"),
    ] {
        let found = drift(change);
        assert!(found.first().is_some_and(|line| line.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn what_calls_cost_is_counted() {
    let mut stage = Stage::new(|settings| settings.queues[1].fifo = true);
    stage.running("k");
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    stage.queue("l");
    stage.fail_invoke(TOO_LARGE);
    let billed = stage.machine.snapshot().billed;
    // A poll and the next one of the results queue, one poll of the other; the refused Invoke costs nothing.
    assert_eq!((billed.lambda, billed.sqs_standard, billed.sqs_fifo), (1, 2, 1));
}
