//! What connections mean, and every error of a wrong one. `tests/python/airflow_connections` compares them with
//! Airflow.

use super::*;
use crate::aws::{Endpoints, Method};
use std::time::Duration;

fn environment(value: &str) -> Environment {
    Environment::of([("AIRFLOW_CONN_AWS_DEFAULT", value)])
}

fn aws(value: &str) -> Result<AwsConnection, Problem> {
    let environment = environment(value);
    let connection = of(&environment, "aws_default", None)?.expect("a connection");
    AwsConnection::new(&connection, &environment)
}

fn good(value: &str) -> AwsConnection {
    aws(value).unwrap_or_else(|problem| panic!("{value}: {problem}"))
}

fn wrong(value: &str) -> Vec<String> {
    let lines = aws(value).expect_err(value).0;
    for line in &lines {
        assert!(line.starts_with("AIRFLOW_CONN_AWS_DEFAULT: ") && !line.contains("hush"), "{line}");
    }
    lines.iter().map(|line| line.replacen("AIRFLOW_CONN_AWS_DEFAULT: ", "", 1)).collect()
}

fn keys(aws: &AwsConnection) -> Option<(&str, &str, Option<&str>)> {
    let keys = aws.identity.keys.as_ref()?;
    Some((&keys.access_key_id, &keys.secret_access_key, keys.session_token.as_deref()))
}

#[test]
fn no_variable_and_an_empty_one_are_no_connection() {
    for (name, value) in
        [("AIRFLOW_CONN_AWS_DEFAULT", ""), ("AIRFLOW_CONN_OTHER", "aws://a:b@"), ("airflow_conn_aws_default", "aws://")]
    {
        assert_eq!(of(&Environment::of([(name, value)]), "aws_default", None), Ok(None));
    }
    assert_eq!(of(&Environment::of([("AIRFLOW_CONN_", "aws://")]), "", None), Ok(None));
}

#[test]
fn a_team_uses_its_own_connection_else_the_common_one() {
    let environment = Environment::of([
        ("AIRFLOW_CONN__BLUE___AWS_DEFAULT", "aws://own:s@"),
        ("AIRFLOW_CONN_AWS_DEFAULT", "aws://all:s@"),
    ]);
    let login = |team| of(&environment, "Aws_Default", team).unwrap().unwrap().login.unwrap();
    assert_eq!((login(Some("blue")), login(Some("red")), login(None)), ("own".into(), "all".into(), "all".into()));
}

#[test]
fn the_empty_connection_is_the_default_chain() {
    for value in ["aws://", "aws:///", "aws:///?", "{}", r#"{"conn_type": "aws", "extra": ""}"#, " aws:// "] {
        assert_eq!(good(value), AwsConnection::default(), "{value}");
    }
}

#[test]
fn keys_come_from_login_or_extra() {
    let both = good("aws://AKID:a%2Fb%2B%40%3A@/?aws_access_key_id=other&aws_secret_access_key=o&aws_session_token=t");
    assert_eq!(keys(&both), Some(("AKID", "a/b+@:", Some("t"))));
    let extra = good("aws:///?aws_access_key_id=AKID&aws_secret_access_key=a%2Bb%2Fc");
    assert_eq!(keys(&extra), Some(("AKID", "a+b/c", None)));
    let json = good(r#"{"login": "AKID", "password": "s/%2F", "extra": {"aws_session_token": "t"}}"#);
    assert_eq!(keys(&json), Some(("AKID", "s/%2F", Some("t"))));
    let old =
        good(r#"{"extra": "{\"session_kwargs\": {\"aws_access_key_id\": \"A\", \"aws_secret_access_key\": \"s\"}}"}"#);
    assert_eq!(keys(&old), Some(("A", "s", None)));
}

#[test]
fn half_of_an_identity_is_an_error() {
    assert_eq!(wrong("aws://hush@"), ["password: required with login"]);
    assert_eq!(wrong("aws://:hush@"), ["login: required with password"]);
    assert_eq!(wrong("aws:///?aws_access_key_id=hush"), ["aws_secret_access_key: required with aws_access_key_id"]);
    assert_eq!(wrong("aws:///?aws_session_token=hush"), ["extra.aws_session_token: given without keys"]);
}

#[test]
fn malformed_variables_are_errors_without_their_value() {
    let form = "expected aws://login:password@/?key=value, or JSON";
    let escapes = "in a login or password / is written %2F, @ %40, : %3A, ? %3F and # %23";
    for (value, why) in [
        ("hush", format!("neither JSON nor a URI ({form})")),
        ("://hush", format!("neither JSON nor a URI ({form})")),
        ("aws://AKID:hu sh@", format!("there is white space in it ({form})")),
        ("aws://AKID:hush/x@", format!("its port is not a number up to 65535 ({escapes})")),
        ("aws://AKID:hush#x@", format!("there is an unescaped # in it ({escapes})")),
        ("aws:///?__extra__=hush", "__extra__: not JSON (line 1, column 1)".into()),
        ("aws:///?__extra__=5", "__extra__: expected a JSON object".into()),
        ("{hush", "not JSON (line 1, column 2)".into()),
        (r#"{"login": ["hush"]}"#, "login: expected text".into()),
        (r#"{"port": "hush"}"#, "port: expected a number from 0 to 65535".into()),
        (r#"{"extra": "hush"}"#, "extra: not JSON (line 1, column 1)".into()),
        (r#"{"extra": [1]}"#, "extra: expected an object, or text that holds one".into()),
        (
            r#"{"key": "hush"}"#,
            "unknown name `key` (expected conn_type, login, password, host, schema, port, description, extra)".into(),
        ),
    ] {
        assert_eq!(wrong(value), [why], "{value}");
    }
}

#[test]
fn region_profile_and_timeouts_are_read() {
    let aws = good(
        "aws:///?region_name=eu-west-1&profile_name=work&config_kwargs=%7B%22connect_timeout%22%3A+2.5%2C%22\
         read_timeout%22%3A+60%2C%22retries%22%3A%7B%22max_attempts%22%3A5%7D%2C%22max_pool_connections%22%3A50%7D",
    );
    assert_eq!((aws.region.as_deref(), aws.identity.profile.as_deref()), (Some("eu-west-1"), Some("work")));
    assert_eq!(aws.connect_timeout, Some(Duration::from_millis(2_500)));
    assert_eq!(aws.read_timeout, Some(Duration::from_secs(60)));
}

#[test]
fn one_service_may_have_an_endpoint_of_its_own() {
    let aws = good(
        r#"{"extra": {"endpoint_url": "http://127.0.0.1:1",
            "service_config": {"sqs": {"endpoint_url": null}, "sts": {"endpoint_url": "http://127.0.0.1:2"}}}}"#,
    );
    let expected =
        Endpoints { lambda: Some("http://127.0.0.1:1".into()), sqs: None, sts: Some("http://127.0.0.1:2".into()) };
    assert_eq!(aws.endpoints, expected);
}

#[test]
fn a_role_is_read_with_its_arguments() {
    let aws = good(
        r#"{"login": "AKID", "password": "s", "extra": {"role_arn": "arn:aws:iam::1:role/r", "assume_role_kwargs": {
            "ExternalId": "x", "DurationSeconds": 900, "Policy": "{}", "PolicyArns": [{"arn": "p"}],
            "Tags": [{"Key": "k", "Value": "v"}], "TransitiveTagKeys": ["k"], "SourceIdentity": "me"}}}"#,
    );
    let role = aws.identity.role.unwrap();
    assert_eq!((role.arn.as_str(), role.method), ("arn:aws:iam::1:role/r", Method::Signature));
    assert_eq!(role.session_name.as_deref(), Some("airflow_aws_default"));
    assert_eq!((role.external_id.as_deref(), role.duration_s), (Some("x"), Some(900)));
    assert_eq!((role.policy.as_deref(), role.policy_arns), (Some("{}"), vec!["p".to_owned()]));
    assert_eq!(role.tags, [("k".to_owned(), "v".to_owned())]);
    assert_eq!(role.transitive_tag_keys, ["k"]);
    assert_eq!(role.source_identity.as_deref(), Some("me"));
}

#[test]
fn a_web_identity_needs_its_token() {
    let value = "aws:///?role_arn=r&assume_role_method=assume_role_with_web_identity";
    let own = good(&format!("{value}&assume_role_with_web_identity_token_file=%2Ft"));
    assert_eq!(own.identity.role.unwrap().method, Method::WebIdentity("/t".into()));
    let environment = Environment::of([("AIRFLOW_CONN_AWS_DEFAULT", value), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/e")]);
    let connection = of(&environment, "aws_default", None).unwrap().unwrap();
    let role = AwsConnection::new(&connection, &environment).unwrap().identity.role.unwrap();
    assert_eq!(role.method, Method::WebIdentity("/e".into()));
    assert_eq!(
        wrong(value),
        ["extra.assume_role_with_web_identity_token_file: required and not given, and neither is \
          AWS_WEB_IDENTITY_TOKEN_FILE"]
    );
}

#[test]
fn everything_unsupported_is_reported_at_once() {
    assert_eq!(
        wrong(
            r#"{"extra": {"role_arn": "r", "assume_role_method": "assume_role_with_saml", "verify": false,
            "config_kwargs": {"proxies": {"https": "hush"}, "read_timeout": -1}, "endpoint_url": "http://u:hush@h"}}"#
        ),
        [
            "extra.assume_role_method: federation by SAML is not supported",
            "extra.endpoint_url: the URL has a user name or password in it (expected http://host:port or https://host)",
            "extra.verify: false is not supported: certificates are always checked (give the path of a CA bundle, in \
             PEM \
             form)",
            "extra.config_kwargs.proxies: not supported",
            "extra.config_kwargs.read_timeout: expected seconds, more than 0 and at most 900",
        ]
    );
    let role = r#"{"extra": {"role_arn": "r", "#;
    let google = r#""assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "google"}}"#;
    assert_eq!(
        wrong(&format!("{role}{google}")),
        ["extra.assume_role_with_web_identity_federation: federation with Google is not supported (expected file)"]
    );
    assert_eq!(
        wrong(&format!(r#"{role}"assume_role_method": "hush"}}}}"#)),
        ["extra.assume_role_method: expected assume_role or assume_role_with_web_identity"]
    );
    assert_eq!(
        wrong(&format!(
            r#"{role}"assume_role_kwargs": {{"TokenCode": "hush", "DurationSeconds": 5, "Tags": ["hush"]}}}}}}"#
        )),
        [
            "extra.assume_role_kwargs.TokenCode: not supported (expected RoleArn, RoleSessionName, DurationSeconds, \
             Policy, \
             PolicyArns, ExternalId, Tags, TransitiveTagKeys, SourceIdentity)",
            "extra.assume_role_kwargs.DurationSeconds: expected an integer from 900 to 43200",
            "extra.assume_role_kwargs.Tags: expected a list of objects with Key and Value",
        ]
    );
}

#[test]
fn a_connection_is_not_shown() {
    let connection = of(&environment("aws://AKID:hush@"), "aws_default", None).unwrap().unwrap();
    assert_eq!(format!("{connection:?}"), "Connection(AIRFLOW_CONN_AWS_DEFAULT)");
}
