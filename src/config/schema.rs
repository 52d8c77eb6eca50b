//! The options as a JSON Schema.

use super::airflow;
use super::option::{self, Default, Kind, Opt, Origin};
use super::queues;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// JSON Schema (draft 2020-12) of what [`super::from_json`] reads. Made once.
pub fn schema_json() -> &'static str {
    static SCHEMA: OnceLock<String> = OnceLock::new();
    SCHEMA.get_or_init(|| format!("{:#}", schema()))
}

fn schema() -> Value {
    let properties: Map<String, Value> =
        option::ALL.into_iter().map(|option| (option.name.to_owned(), property(option))).collect();
    let required: Vec<&str> = option::ALL
        .into_iter()
        .filter(|option| option.default == Default::Required)
        .map(|option| option.name)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of lambda-executor",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "anyOf": [
            { "required": required },
            { "required": [option::LOCAL.name], "properties": { option::LOCAL.name: { "type": "object" } } },
            { "required": [option::AIRFLOW.name], "properties": { option::AIRFLOW.name: { "const": true } } },
        ],
    })
}

/// One option. Null is allowed everywhere: it is the same as not giving the option.
fn property(option: &Opt) -> Value {
    let mut property = match option.kind {
        Kind::Text | Kind::FunctionName => json!({ "type": ["string", "null"], "minLength": 1 }),
        Kind::Qualifier => {
            json!({ "type": ["string", "null"], "pattern": r"^(\$LATEST|[A-Za-z0-9_-]{1,128})$" })
        }
        Kind::Team => json!({ "type": ["string", "null"], "pattern": "^[A-Za-z0-9_-]{3,50}$" }),
        Kind::QueueUrl | Kind::Endpoint => {
            json!({ "type": ["string", "null"], "format": "uri", "pattern": "^https?://" })
        }
        Kind::Integer { min, max } => json!({ "type": ["integer", "null"], "minimum": min, "maximum": max }),
        Kind::Boolean => json!({ "type": ["boolean", "null"] }),
        Kind::Choice(words) => {
            let values: Vec<Value> = words.iter().map(|word| json!(word)).chain([Value::Null]).collect();
            json!({ "enum": values })
        }
        Kind::Object => json!({ "type": ["object", "null"] }),
        Kind::Queues => json!({
            "type": ["object", "null"],
            "maxProperties": queues::MOST_QUEUES,
            "propertyNames": { "minLength": 1, "maxLength": queues::LONGEST_NAME, "not": { "const": queues::DEFAULT } },
            "additionalProperties": entry(),
        }),
        Kind::Later(_) => json!({ "enum": [null, false] }),
    };
    if let Value::Object(members) = &mut property {
        members.insert("description".into(), json!(option.description()));
        members.insert("x-airflow".into(), json!(option.origin == Origin::Airflow));
        if option.origin == Origin::Airflow {
            members.insert("x-airflow-variable".into(), json!(airflow::variable(None, option.name)));
        }
        let default = match option.default {
            Default::Absent | Default::Required => return property,
            Default::Integer(value) => json!(value),
            Default::Boolean(value) => json!(value),
            Default::Text(value) => json!(value),
        };
        members.insert("default".into(), default);
    }
    property
}

/// One entry of option `queues`. Without defaults: an entry inherits what it leaves out.
fn entry() -> Value {
    let mut properties = Map::new();
    for option in queues::MEMBERS {
        let mut member = property(option);
        if let Value::Object(member) = &mut member {
            member.remove("default");
            member.remove("x-airflow");
        }
        properties.insert(option.name.to_owned(), member);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_the_schema_with_its_limits() {
        let schema: Value = serde_json::from_str(schema_json()).unwrap();
        assert_eq!(schema["properties"].as_object().unwrap().len(), option::ALL.len());
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["anyOf"][0]["required"], json!(["function_name", "queue_url", "dead_letter_queue_url"]));
        let attempts = &schema["properties"]["max_invoke_attempts"];
        assert_eq!(
            (&attempts["minimum"], &attempts["maximum"], &attempts["default"]),
            (&json!(1), &json!(1000), &json!(3))
        );
        assert_eq!(attempts["x-airflow"], true);
        assert_eq!(schema["properties"]["log"]["default"], "warn");
        let entry = &schema["properties"]["queues"]["additionalProperties"];
        assert_eq!(entry["additionalProperties"], false);
        assert_eq!(entry["properties"].as_object().unwrap().len(), queues::MEMBERS.len());
        let rate = &entry["properties"]["max_invokes_per_second"];
        assert_eq!((&rate["maximum"], &rate["default"]), (&json!(1_000_000), &Value::Null));
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}");
        }
    }
}
