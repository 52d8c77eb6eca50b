//! A connection of Airflow's as the identity.

use super::*;
use crate::aws::Endpoints;

/// The three required options, Airflow's sources, and a connection.
fn with_connection(more: &str, connection: &str) -> Result<Config, ConfigError> {
    let text = with(&format!(r#""airflow": true{more}"#));
    read(Some(&text), Environment::of([("AIRFLOW_HOME", "/nonexistent"), ("AIRFLOW_CONN_AWS_DEFAULT", connection)]))
}

const CONNECTION: &str = r#"{"login": "AKID", "password": "hush", "extra": {"region_name": "eu-west-3",
    "endpoint_url": "http://127.0.0.1:1", "role_arn": "r", "profile_name": "p", "verify": "/ca.pem",
    "config_kwargs": {"connect_timeout": 1.5, "read_timeout": 20}}}"#;

#[test]
fn a_connection_is_the_identity() {
    let aws = with_connection("", CONNECTION).unwrap().aws;
    assert_eq!(aws.identity.keys.map(|keys| keys.access_key_id).as_deref(), Some("AKID"));
    assert_eq!(aws.identity.role.map(|role| role.arn).as_deref(), Some("r"));
    assert_eq!((aws.region.as_deref(), aws.endpoints.sqs.as_deref()), (Some("eu-west-3"), Some("http://127.0.0.1:1")));
    assert_eq!(aws.ca_bundle.as_deref(), Some(std::path::Path::new("/ca.pem")));
    assert_eq!((aws.connect_timeout, aws.invoke_timeout), (Duration::from_millis(1_500), Duration::from_secs(20)));
}

#[test]
fn options_win_over_the_connection() {
    let more = r#", "region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:2", "invoke_timeout_ms": 5000,
        "credentials": {"access_key_id": "OTHER", "secret_access_key": "hush"}"#;
    let aws = with_connection(more, CONNECTION).unwrap().aws;
    assert_eq!(aws.identity.keys.map(|keys| keys.access_key_id).as_deref(), Some("OTHER"));
    assert_eq!((aws.identity.role, aws.identity.profile.as_deref()), (None, Some("p")));
    assert_eq!((aws.region.as_deref(), aws.endpoints), (Some("eu-west-1"), Endpoints::all("http://127.0.0.1:2")));
    assert_eq!((aws.connect_timeout, aws.invoke_timeout), (Duration::from_millis(1_500), Duration::from_secs(5)));
}

#[test]
fn errors_of_a_connection_are_reported_with_the_others() {
    let error = with_connection(r#", "max_invoke_attempts": 0"#, "aws://AKID:hush/hush@/").unwrap_err().to_string();
    assert_eq!(error.lines().count(), 2, "{error}");
    assert!(error.contains("AIRFLOW_CONN_AWS_DEFAULT: its port is not a number"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
