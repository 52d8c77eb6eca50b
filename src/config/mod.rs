//! Options, their sources and precedence: JSON, then (if asked for) Airflow's environment and `airflow.cfg`, then
//! defaults.
//!
//! Everything follows from the table in [`option`]. A source ([`json`], [`airflow`]) provides values and their places,
//! [`value`] checks each, [`given`] collects values and errors, [`assemble`] checks the options together and makes the
//! settings of the other modules. [`schema_json`] and [`reference()`] are the table for programs and for documents.

mod airflow;
mod assemble;
mod concurrency;
pub mod connection;
pub mod credentials;
mod effective;
mod given;
mod identity;
mod json;
mod option;
mod queues;
mod reference;
mod schema;
mod url;
mod value;
mod wrong;

pub use effective::Effective;
pub use reference::{Described, Section, reference};
pub use schema::schema_json;

use crate::runtime::environment::Environment;
use crate::{aws, executor};
use given::Given;
use std::time::Duration;

/// Everything a handle is created from.
#[derive(Clone, Debug)]
pub struct Config {
    /// For the state machine.
    pub executor: executor::Settings,
    /// For the SDK. With [`Config::local`], the function's name, the queue URLs and `executor.reply_to` are empty: they
    /// are filled in when the local AWS has been started, as are its endpoint and credentials.
    pub aws: aws::Settings,
    /// Threads of the handle's runtime.
    pub worker_threads: usize,
    /// How long `free` may take.
    pub shutdown_grace: Duration,
    /// Airflow's `end_wait_timeout`: how long a host that ends waits for running tasks; `None` is for ever.
    pub end_wait_timeout: Option<Duration>,
    /// Level of the log on stderr while no callback is set; `None`: no records.
    pub log: Option<tracing::Level>,
    /// The `local` object as written: a local Lambda and SQS are used in place of AWS.
    pub local: Option<String>,
    /// Every option with its value and its source; without secrets.
    pub options: Vec<Effective>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Everything that is wrong, a line each.
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
/// [`ConfigError::Invalid`] with a line for each fault, or [`ConfigError::Unsupported`] if the only faults are options
/// of a later version.
pub fn from_json(text: Option<&str>) -> Result<Config, ConfigError> {
    read(text, Environment::of_process())
}

/// The same with another environment than the process's. Options are read from it if Airflow's sources are to be read;
/// in any case it becomes the environment of [`aws::Settings`].
///
/// # Errors
///
/// As [`from_json`].
pub fn read(text: Option<&str>, environment: Environment) -> Result<Config, ConfigError> {
    assemble::config(Given::read(text.unwrap_or(r#"{"airflow": true}"#)), environment)
}

#[cfg(test)]
mod tests;
