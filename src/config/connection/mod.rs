//! Airflow's connections: `AIRFLOW_CONN_<ID>` in the environment, with credentials and settings for AWS.
//!
//! | file | |
//! |---|---|
//! | `uri.rs`, `object.rs` | the two forms of a connection, read into [`Connection`] |
//! | `extra.rs` | the fields of its `extra`, and their errors |
//! | `aws.rs`, `role.rs` | what it means for AWS: [`AwsConnection`] |
//!
//! If the variable is malformed, Airflow silently uses the default chain, and so other credentials. Here that is an
//! error.

mod aws;
mod extra;
mod object;
mod role;
#[cfg(test)]
mod tests;
mod uri;

pub use aws::AwsConnection;

use crate::runtime::environment::Environment;
use serde_json::{Map, Value};
use std::fmt;

/// A connection, as far as it is used here.
#[derive(Clone, Default, PartialEq)]
pub struct Connection {
    /// The variable that it was read from.
    pub variable: String,
    /// Its id, as in the configuration.
    pub conn_id: String,
    /// Type. Airflow's AWS hook accepts any.
    pub conn_type: Option<String>,
    /// Access key id.
    pub login: Option<String>,
    /// Secret access key.
    pub password: Option<String>,
    /// Host, with its protocol if there is one.
    pub host: Option<String>,
    /// Schema: the path of a URI.
    pub schema: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Further fields.
    pub extra: Map<String, Value>,
}

// Not derived: most fields may be secret.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.variable)
    }
}

/// What is wrong with a connection. Each line names the variable and the field; none contains a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Problem(pub Vec<String>);

impl Problem {
    /// One line.
    fn of(variable: &str, why: impl fmt::Display) -> Self {
        Self(vec![format!("{variable}: {why}")])
    }
}

/// The connection with that id; with a team, the team's own if there is one. `None`: there is no variable, or it is
/// empty.
///
/// # Errors
///
/// [`Problem`], if it is malformed.
pub fn of(environment: &Environment, conn_id: &str, team: Option<&str>) -> Result<Option<Connection>, Problem> {
    if conn_id.is_empty() {
        return Ok(None);
    }
    let id = conn_id.to_uppercase();
    let own = team.map(|team| format!("AIRFLOW_CONN__{}___{id}", team.to_uppercase()));
    for variable in own.into_iter().chain([format!("AIRFLOW_CONN_{id}")]) {
        let text = environment.get(&variable).map_err(|error| Problem::of(&variable, error))?;
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let read = parse(text).map_err(|why| Problem::of(&variable, why))?;
            return Ok(Some(Connection { variable, conn_id: conn_id.to_owned(), ..read }));
        }
    }
    Ok(None)
}

fn parse(text: &str) -> Result<Connection, String> {
    let text = text.trim();
    if text.starts_with('{') { object::parse(text) } else { uri::parse(text) }
}

/// Reads `extra` from text.
fn extra_of(text: &str, name: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(format!("{name}: expected a JSON object")),
        // Only the place: the text holds secrets.
        Err(error) => Err(format!("{name}: not JSON (line {}, column {})", error.line(), error.column())),
    }
}
