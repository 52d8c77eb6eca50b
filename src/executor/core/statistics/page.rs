//! The page and the JSON Schema of the statistics, made from the table, and the check that neither lies.

use super::*;
use crate::executor::core::tests::Stage;
use crate::executor::ports::{CallError, FailureClass};
use crate::observe::prices::{AS_OF, PRICES};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = "docs/statistics.md";
const SCHEMA: &str = "docs/statistics.schema.json";

impl Kind {
    /// For the page.
    fn name(self) -> &'static str {
        match self {
            Counter => "counter",
            Gauge => "gauge",
            GaugeOrNull => "gauge or null",
            Dollars => "US dollars",
            Text => "text",
            TextOrNull => "text or null",
            Texts => "list of texts",
            Word(_) => "word",
            Latencies => "times",
            Routes => "list",
        }
    }

    fn schema(self) -> Value {
        match self {
            Counter | Gauge => json!({"type": "integer", "minimum": 0}),
            GaugeOrNull => json!({"type": ["integer", "null"], "minimum": 0}),
            Dollars => json!({"type": "number", "minimum": 0}),
            Text => json!({"type": "string"}),
            TextOrNull => json!({"type": ["string", "null"]}),
            Texts => json!({"type": "array", "items": {"type": "string"}}),
            Word(words) => json!({"enum": words}),
            Latencies => object(LATENCY),
            Routes => json!({"type": "array", "items": object(ROUTE)}),
        }
    }
}

/// An object with all of these. More are allowed: fields may be added.
fn object<T>(fields: &[Field<T>]) -> Value {
    let mut groups: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for field in fields {
        let (group, name) = field.place();
        let mut schema = field.kind.schema();
        schema["description"] = json!(field.about);
        groups.entry(group).or_default().insert(name.into(), schema);
    }
    let closed = |properties: Map<String, Value>| {
        let required: Vec<&String> = properties.keys().collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    let mut top = groups.remove("").unwrap_or_default();
    top.extend(groups.into_iter().map(|(group, properties)| (group.to_owned(), closed(properties))));
    closed(top)
}

fn schema() -> Value {
    let mut schema = object(FIELDS);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Statistics of lambda-executor");
    schema
}

fn page() -> String {
    let mut page = String::from(
        "<!-- Made from the table in src/executor/core/statistics.rs: change it there, then run\n\
         UPDATE=1 cargo test --workspace statistics -->\n\n\
         # Statistics\n\n\
         `lambda_executor_stats` writes one JSON object, of the form in [statistics.schema.json](statistics.schema.json).\n\
         Fields are only ever added. Counters start at 0 with the handle and only go up; times are milliseconds.\n\n\
         | field | what it is | meaning |\n|---|---|---|\n",
    );
    fn rows<T>(fields: &[Field<T>], prefix: &str) -> String {
        let row =
            |field: &Field<T>| format!("| `{prefix}{}` | {} | {} |\n", field.path, field.kind.name(), field.about);
        fields.iter().map(row).collect()
    }
    page += &rows(FIELDS, "");
    page += &rows(LATENCY, "latency_ms.*.");
    page += &rows(ROUTE, "routes[].");
    page += &format!(
        "\n## Cost\n\n\
         `cost_estimate_usd` counts what AWS bills for the library's calls, at the list prices of {AS_OF}, without free\n\
         tiers, discounts and taxes. It leaves out what the library cannot know: the time and memory that the function\n\
         uses, Lambda's own retries, the messages that the function sends, storage of logs, data transfer. Prices differ\n\
         by region.\n\n\
         | what | US dollars a million | counted | source |\n|---|---|---|---|\n"
    );
    for price in PRICES {
        let dollars = format!("{:.2}", price.usd_per_million);
        page += &format!("| {} | {dollars} | {} | <{}> |\n", price.of, price.counted, price.page);
    }
    page
}

/// The part of JSON Schema that [`schema`] uses. Tells what is wrong, and where.
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
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            violations(inner, value, &format!("{at}.{name}"), found);
        }
    }
    for item in value.as_array().into_iter().flatten() {
        if let Some(schema) = schema.get("items") {
            violations(schema, item, &format!("{at}[]"), found);
        }
    }
}

/// What the schema says, and that nothing is told that it does not name.
fn check(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    violations(schema, document, "stats", &mut found);
    unnamed(schema, document, "stats", &mut found);
    found
}

fn unnamed(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => unnamed(schema, inner, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not in the schema")),
        }
    }
    for item in value.as_array().into_iter().flatten() {
        unnamed(&schema["items"], item, &format!("{at}[]"), found);
    }
}

fn committed(path: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let same = fs::read_to_string(&path).unwrap_or_default() == wanted;
    assert!(same, "{} is out of date: run `UPDATE=1 cargo test --workspace statistics`", path.display());
}

#[test]
fn page_and_schema_are_those_of_the_table() {
    committed(PAGE, &page());
    committed(SCHEMA, &format!("{:#}\n", schema()));
}

#[test]
fn each_path_is_in_the_table_once_and_its_sentence_is_one() {
    let all = FIELDS.iter().map(|field| (field.path, field.about));
    let all: Vec<_> = all.chain(LATENCY.iter().map(|f| (f.path, f.about))).collect();
    let paths: BTreeSet<&str> = all.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths.len(), all.len());
    for field in FIELDS {
        assert!(FIELDS.iter().all(|other| other.place().0 != field.path), "{} is a group too", field.path);
    }
    for (path, about) in all {
        assert!(about.ends_with('.') && !about.contains('|'), "{path}: {about}");
    }
}

/// Documents of executors in every state of health, with work behind them.
fn documents() -> Vec<Value> {
    let mut stage = Stage::new(|_| {});
    let mut documents = vec![stage.core.stats()];
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(0, result);
    documents.push(stage.core.stats());
    for class in [FailureClass::Transient { no_service: true }, FailureClass::Credentials, FailureClass::Permanent] {
        let mut stage = Stage::new(|_| {});
        stage.queue("k");
        stage.refuse_invoke(class);
        documents.push(stage.core.stats());
    }
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    documents.push(stage.core.stats());
    let error = CallError {
        class: FailureClass::Permanent,
        code: "QueueDoesNotExist".into(),
        message: "it is not there".into(),
        retry_after_ms: None,
    };
    stage.core.health_checked(Err(error.clone()));
    documents.push(stage.core.stats());
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    stage.answer_poll(1, Err(error));
    documents.push(stage.core.stats());
    documents
}

#[test]
fn real_documents_are_as_the_committed_schema_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut states = BTreeSet::new();
    for document in documents() {
        assert_eq!(check(&schema, &document), Vec::<String>::new(), "{document:#}");
        states.insert(document["health"]["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, HEALTH.iter().map(|state| (*state).to_owned()).collect());
}

#[test]
fn a_document_that_drifts_is_noticed() {
    let good = documents().remove(1);
    let drift = |change: fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        check(&schema(), &document)
    };
    assert_eq!(drift(|_| {}), Vec::<String>::new());
    for (change, told) in [
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
        assert!(found.first().is_some_and(|line| line.starts_with(told)), "{found:?}");
    }
}

#[test]
fn what_calls_cost_is_counted() {
    let mut stage = Stage::new(|settings| settings.queues[1].fifo = true);
    stage.running("k");
    stage.answer_poll(0, Ok(Vec::new()));
    stage.queue("l");
    stage.refuse_invoke(FailureClass::Permanent);
    let billed = stage.core.counters.billed;
    // A poll and the next one of the results queue, one poll of the other; the refused Invoke costs nothing.
    assert_eq!((billed.lambda, billed.sqs_standard, billed.sqs_fifo), (1, 2, 1));
}
