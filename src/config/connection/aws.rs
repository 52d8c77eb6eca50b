//! The meaning of a connection for AWS, as in the hook of Airflow's Amazon provider.

use super::extra::{Fields, Wrong};
use super::{Connection, Problem, role};
use crate::aws::{Endpoints, Identity, Keys};
use crate::config::url;
use crate::runtime::environment::Environment;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Credentials and settings of a connection. `None`: not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsConnection {
    /// Keys, profile, role.
    pub identity: Identity,
    /// `extra.region_name`.
    pub region: Option<String>,
    /// Endpoints of the services.
    pub endpoints: Endpoints,
    /// `extra.config_kwargs.connect_timeout`.
    pub connect_timeout: Option<Duration>,
    /// `extra.config_kwargs.read_timeout`.
    pub read_timeout: Option<Duration>,
    /// `extra.verify`: a file of certificates to trust in place of the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// Members of `config_kwargs` that have no effect here: connections are bounded by `max_concurrent_invokes`, and the
/// others are about boto3 itself.
const WITHOUT_EFFECT: &[&str] = &[
    "max_pool_connections",
    "parameter_validation",
    "tcp_keepalive",
    "user_agent",
    "user_agent_appid",
    "user_agent_extra",
];

impl AwsConnection {
    /// Reads the connection. The environment may name a web identity token file.
    ///
    /// # Errors
    ///
    /// [`Problem`], with every field that is invalid or not supported.
    pub fn new(connection: &Connection, environment: &Environment) -> Result<Self, Problem> {
        let mut wrong = Wrong::default();
        let extra = Fields::new("extra", &connection.extra);
        let aws = Self {
            identity: Identity {
                keys: keys(connection, &extra, &mut wrong),
                profile: extra.text("profile_name", &mut wrong),
                role: role::read(connection, &extra, environment, &mut wrong),
            },
            region: extra.text("region_name", &mut wrong),
            endpoints: endpoints(&extra, &mut wrong),
            ca_bundle: ca_bundle(&extra, &mut wrong),
            ..Self::timeouts(&extra, &mut wrong)
        };
        let lines = wrong.0.into_iter().map(|line| format!("{}: {line}", connection.variable)).collect::<Vec<_>>();
        if lines.is_empty() { Ok(aws) } else { Err(Problem(lines)) }
    }

    fn timeouts(extra: &Fields<'_>, wrong: &mut Wrong) -> Self {
        let config = extra.object("config_kwargs", wrong);
        for name in config.names() {
            let known =
                ["connect_timeout", "read_timeout", "retries"].contains(&name) || WITHOUT_EFFECT.contains(&name);
            if !known {
                wrong.add(&config.path(&name.escape_debug().to_string()), "not supported");
            }
        }
        // Without effect, since `max_invoke_attempts` is used; but its type is checked.
        let _ = config.object("retries", wrong);
        Self {
            connect_timeout: seconds(&config, "connect_timeout", wrong),
            read_timeout: seconds(&config, "read_timeout", wrong),
            ..Self::default()
        }
    }
}

fn seconds(config: &Fields<'_>, name: &str, wrong: &mut Wrong) -> Option<Duration> {
    const MOST_S: f64 = 900.0;
    let value = config.value(name)?;
    let read = value.as_f64().filter(|seconds| *seconds > 0.0 && *seconds <= MOST_S);
    if read.is_none() {
        wrong.add(&config.path(name), &format!("expected seconds, more than 0 and at most {MOST_S}"));
    }
    read.map(Duration::from_secs_f64)
}

/// Login and password if both are set, else the keys in `extra`, else those in its obsolete `session_kwargs`.
fn keys(connection: &Connection, extra: &Fields<'_>, wrong: &mut Wrong) -> Option<Keys> {
    const ID: &str = "aws_access_key_id";
    const SECRET: &str = "aws_secret_access_key";
    const TOKEN: &str = "aws_session_token";
    let session = extra.object("session_kwargs", wrong);
    let token = extra.text(TOKEN, wrong).or_else(|| session.text(TOKEN, wrong));
    let mut pairs = vec![("login", "password", connection.login.clone(), connection.password.clone())];
    for fields in [extra, &session] {
        pairs.push((ID, SECRET, fields.text(ID, wrong), fields.text(SECRET, wrong)));
    }
    for (_, _, id, secret) in &pairs {
        if let (Some(id), Some(secret)) = (id, secret) {
            return Some(Keys { access_key_id: id.clone(), secret_access_key: secret.clone(), session_token: token });
        }
    }
    // With half of a pair, or only a token, using the default chain would mean other credentials than intended.
    for (id_name, secret_name, id, secret) in &pairs {
        match (id, secret) {
            (Some(_), None) => wrong.add(secret_name, &format!("required with {id_name}")),
            (None, Some(_)) => wrong.add(id_name, &format!("required with {secret_name}")),
            _ => {}
        }
    }
    if token.is_some() && wrong.0.is_empty() {
        wrong.add(&extra.path(TOKEN), "given without keys");
    }
    None
}

const ENDPOINT: &str = "http://host:port or https://host";

fn endpoints(extra: &Fields<'_>, wrong: &mut Wrong) -> Endpoints {
    let checked = |fields: &Fields<'_>, wrong: &mut Wrong| {
        let url = fields.text("endpoint_url", wrong)?;
        match url::check_endpoint(&url) {
            Ok(()) => Some(url),
            Err(why) => {
                // Without the URL, which may contain a password.
                wrong.add(&fields.path("endpoint_url"), &format!("{} (expected {ENDPOINT})", why.why));
                None
            }
        }
    };
    let all = checked(extra, wrong);
    let services = extra.object("service_config", wrong);
    let mut of = |service: &str, all: Option<&String>| {
        let own = services.object(service, wrong);
        // Null selects AWS's own endpoint.
        if own.has("endpoint_url") { checked(&own, wrong) } else { all.cloned() }
    };
    Endpoints {
        lambda: of("lambda", all.as_ref()),
        sqs: of("sqs", all.as_ref()),
        // As in Airflow, the endpoint of all services is not used for STS.
        sts: of("sts", None),
    }
}

fn ca_bundle(extra: &Fields<'_>, wrong: &mut Wrong) -> Option<PathBuf> {
    match extra.value("verify")? {
        Value::Bool(true) => None,
        Value::String(path) if !path.is_empty() => Some(path.into()),
        Value::Bool(false) => {
            let why =
                "false is not supported: certificates are always checked (give the path of a CA bundle, in PEM form)";
            wrong.add(&extra.path("verify"), why);
            None
        }
        _ => {
            wrong.add(&extra.path("verify"), "expected true, or the path of a CA bundle");
            None
        }
    }
}
