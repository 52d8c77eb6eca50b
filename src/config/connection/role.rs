//! The role of a connection: `role_arn`, `assume_role_method`, `assume_role_kwargs`.

use super::Connection;
use super::extra::{Fields, Wrong};
use crate::aws::{Method, Role};
use crate::runtime::environment::Environment;
use serde_json::Value;

const WEB_IDENTITY: &str = "assume_role_with_web_identity";
/// Shortest and longest lifetime of assumed credentials that STS grants, in seconds.
const DURATION_S: std::ops::RangeInclusive<i64> = 900..=43_200;

/// The members of `assume_role_kwargs` for both methods, and for each.
const BOTH: &[&str] = &["RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "PolicyArns"];
const BY_SIGNATURE: &[&str] = &["ExternalId", "Tags", "TransitiveTagKeys", "SourceIdentity"];
const BY_WEB_IDENTITY: &[&str] = &["ProviderId"];

pub(super) fn read(
    connection: &Connection,
    extra: &Fields<'_>,
    environment: &Environment,
    wrong: &mut Wrong,
) -> Option<Role> {
    // Without a role the other fields have no effect.
    let arn = extra.text("role_arn", wrong)?;
    let method = extra.text("assume_role_method", wrong);
    let kwargs = extra.object("assume_role_kwargs", wrong);
    let (method, own, session_name) = match method.as_deref() {
        None | Some("assume_role") => (Method::Signature, BY_SIGNATURE, Some(session_name(&connection.conn_id))),
        Some(WEB_IDENTITY) => (web_identity(extra, environment, wrong)?, BY_WEB_IDENTITY, None),
        Some("assume_role_with_saml") => {
            wrong.add(&extra.path("assume_role_method"), "federation by SAML is not supported");
            return None;
        }
        Some(_) => {
            let expected = format!("expected assume_role or {WEB_IDENTITY}");
            wrong.add(&extra.path("assume_role_method"), &expected);
            return None;
        }
    };
    for name in kwargs.names().filter(|name| !BOTH.contains(name) && !own.contains(name)) {
        let expected = [BOTH, own].concat().join(", ");
        wrong.add(&kwargs.path(&name.escape_debug().to_string()), &format!("not supported (expected {expected})"));
    }
    let text = |value: &Value, field: &str| value.get(field)?.as_str().map(str::to_owned);
    let tag = |value: &Value| Some((text(value, "Key")?, text(value, "Value")?));
    Some(Role {
        arn,
        method,
        session_name: kwargs.text("RoleSessionName", wrong).or(session_name),
        duration_s: duration(&kwargs, wrong),
        policy: kwargs.text("Policy", wrong),
        policy_arns: kwargs.list("PolicyArns", "objects with an arn", wrong, |value| text(value, "arn")),
        external_id: kwargs.text("ExternalId", wrong),
        tags: kwargs.list("Tags", "objects with Key and Value", wrong, tag),
        transitive_tag_keys: kwargs
            .list("TransitiveTagKeys", "names", wrong, |value| value.as_str().map(str::to_owned)),
        source_identity: kwargs.text("SourceIdentity", wrong),
        provider_id: kwargs.text("ProviderId", wrong),
    })
}

fn duration(kwargs: &Fields<'_>, wrong: &mut Wrong) -> Option<i32> {
    let value = kwargs.value("DurationSeconds")?;
    let seconds = value.as_i64().filter(|seconds| DURATION_S.contains(seconds));
    if seconds.is_none() {
        let expected = format!("expected an integer from {} to {}", DURATION_S.start(), DURATION_S.end());
        wrong.add(&kwargs.path("DurationSeconds"), &expected);
    }
    seconds.and_then(|seconds| i32::try_from(seconds).ok())
}

fn web_identity(extra: &Fields<'_>, environment: &Environment, wrong: &mut Wrong) -> Option<Method> {
    const FEDERATION: &str = "assume_role_with_web_identity_federation";
    const FILE: &str = "assume_role_with_web_identity_token_file";
    const VARIABLE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    match extra.text(FEDERATION, wrong).as_deref() {
        None | Some("file") => {}
        Some("google") => {
            wrong.add(&extra.path(FEDERATION), "federation with Google is not supported (expected file)");
            return None;
        }
        Some(_) => {
            wrong.add(&extra.path(FEDERATION), "expected file");
            return None;
        }
    }
    let of_environment = || environment.get(VARIABLE).ok().flatten().filter(|path| !path.is_empty()).map(str::to_owned);
    match extra.text(FILE, wrong).or_else(of_environment) {
        Some(path) => Some(Method::WebIdentity(path.into())),
        None => {
            wrong.add(&extra.path(FILE), &format!("required and not given, and neither is {VARIABLE}"));
            None
        }
    }
}

/// The session name that Airflow uses, with the letters that STS allows.
fn session_name(conn_id: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@".contains(c);
    let lower = conn_id.to_lowercase();
    let words = lower.split(|c| !allowed(c)).filter(|word| !word.is_empty());
    let dash = if lower.starts_with(|c| !allowed(c)) { "-" } else { "" };
    format!("airflow_{dash}{}", words.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_the_names_that_airflow_uses() {
        for (conn_id, name) in [
            ("aws_default", "airflow_aws_default"),
            ("My Conn!", "airflow_my-conn"),
            ("AWS.Prod@x", "airflow_aws.prod@x"),
            ("--a--", "airflow_-a"),
        ] {
            assert_eq!(session_name(conn_id), name);
        }
    }
}
