//! Options, their sources and precedence: JSON, then (if asked for) Airflow's environment and `airflow.cfg`, then
//! defaults.
//!
//! [`option`] is the table that everything follows from. A source ([`json`], [`airflow`]) says what was written and
//! where, [`value`] checks it, [`given`] collects values and what is [`wrong`], [`assemble`] looks at the options together
//! and makes the settings of the other parts. [`schema_json`] is the table for programs.

mod airflow;
mod assemble;
pub mod connection;
pub mod credentials;
mod effective;
mod environment;
mod given;
mod identity;
mod json;
mod option;
mod queues;
mod schema;
mod url;
mod value;
mod wrong;

pub use effective::Effective;
pub use environment::{Environment, NotUtf8};
pub use schema::schema_json;

use crate::{aws, executor};
use given::Given;
use std::time::Duration;

/// Everything a handle is created from.
#[derive(Clone, Debug)]
pub struct Config {
    /// For the state machine.
    pub executor: executor::Settings,
    /// For the SDK. With [`Config::local`], what was not given is an empty string, in the function's name, the queues'
    /// URLs and `executor.reply_to`: whoever starts the local AWS fills it in, with its endpoint and identity.
    pub aws: aws::Settings,
    /// True: freeing a batch acknowledges its events. False: the host calls `ack`.
    pub auto_ack: bool,
    /// Threads of the handle's runtime.
    pub worker_threads: usize,
    /// How long `free` may take.
    pub shutdown_grace: Duration,
    /// Airflow's `end_wait_timeout`: how long a host that ends waits for running tasks; `None` is for ever.
    pub end_wait_timeout: Option<Duration>,
    /// Level of the log on stderr while no callback is set; `None` is silence.
    pub log: Option<tracing::Level>,
    /// The `local` object as written: a local Lambda and SQS take the place of AWS.
    pub local: Option<String>,
    /// Every option with its value and where that was written; without secrets.
    pub options: Vec<Effective>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Everything that is wrong, one line each.
    #[error("{0}")]
    Invalid(String),
    /// An option of a later version.
    #[error("{0}")]
    Unsupported(String),
}

/// Reads the options in a JSON object. `None` asks for Airflow's configuration, as `{"airflow": true}` does.
///
/// # Errors
///
/// [`ConfigError::Invalid`] with one line for everything that is wrong, or [`ConfigError::Unsupported`] where the only
/// trouble is options of a later version.
pub fn from_json(text: Option<&str>) -> Result<Config, ConfigError> {
    read(text, Environment::of_process)
}

/// The same with an environment in place of the process's, asked for only if the options say that Airflow's sources are
/// to be read.
///
/// # Errors
///
/// As [`from_json`].
pub fn read(text: Option<&str>, environment: impl FnOnce() -> Environment) -> Result<Config, ConfigError> {
    assemble::config(Given::read(text.unwrap_or(r#"{"airflow": true}"#)), environment)
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
