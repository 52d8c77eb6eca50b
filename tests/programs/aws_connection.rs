//! Reads Airflow's connections as JSON lines and prints the AWS settings of each. `tests/python/airflow_connections`
//! compares them with those of the Amazon provider.
//!
//! in: `{"environment": {"NAME": "value"}, "conn_id": "aws_default", "team": "blue" or null}`
//!
//! out: `{"found": false}`, `{"found": true, "keys": [...], "region": ..., ...}`, or `{"errors": ["..."]}`

use lambda_executor::aws::{Keys, Method, Role};
use lambda_executor::config::connection::{self, AwsConnection, Problem};
use lambda_executor::runtime::environment::Environment;
use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let variables: Map<String, Value> = case["environment"].as_object().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let environment = Environment::of(variables.into_iter().map(|(name, value)| (name, text(&value))));
        let answer = match read(&environment, &text(&case["conn_id"]), case["team"].as_str()) {
            Ok(None) => json!({"found": false}),
            Ok(Some(aws)) => settings_of(aws),
            Err(Problem(lines)) => json!({ "errors": lines }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn read(environment: &Environment, conn_id: &str, team: Option<&str>) -> Result<Option<AwsConnection>, Problem> {
    let found = connection::of(environment, conn_id, team)?;
    found.map(|found| AwsConnection::new(&found, environment)).transpose()
}

fn settings_of(aws: AwsConnection) -> Value {
    let keys = |keys: Keys| json!([keys.access_key_id, keys.secret_access_key, keys.session_token]);
    let timeouts = [aws.connect_timeout, aws.read_timeout].map(|time| time.map(|time| time.as_secs_f64()));
    json!({
        "found": true,
        "keys": aws.identity.keys.map(keys),
        "region": aws.region,
        "profile": aws.identity.profile,
        "role": aws.identity.role.map(role),
        "endpoints": [aws.endpoints.lambda, aws.endpoints.sqs, aws.endpoints.sts],
        "timeouts": timeouts,
        "verify": aws.ca_bundle,
    })
}

/// Parameters by their names in STS.
fn role(role: Role) -> Value {
    let (method, token_file) = match role.method {
        Method::Signature => ("assume_role", None),
        Method::WebIdentity(path) => ("assume_role_with_web_identity", Some(path)),
    };
    let tags = role.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>();
    let policy_arns = role.policy_arns.iter().map(|arn| json!({ "arn": arn })).collect::<Vec<_>>();
    let mut arguments = json!({
        "RoleSessionName": role.session_name,
        "DurationSeconds": role.duration_s,
        "Policy": role.policy,
        "PolicyArns": policy_arns,
        "ExternalId": role.external_id,
        "Tags": tags,
        "TransitiveTagKeys": role.transitive_tag_keys,
        "SourceIdentity": role.source_identity,
        "ProviderId": role.provider_id,
    });
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    }
    json!({"arn": role.arn, "method": method, "token_file": token_file, "arguments": arguments})
}
