//! Options, their sources and precedence: JSON for now.
//!
//! [`option`] is the table that everything follows from. A source ([`json`]) says what was written, [`value`] checks
//! it, [`assemble`] looks at the options together and makes the settings of the other parts. [`schema_json`] is the
//! table for programs.

mod assemble;
pub mod connection;
pub mod credentials;
mod environment;
#[allow(dead_code, reason = "the sources that need it come next")]
mod expand;
mod given;
mod json;
mod option;
mod queues;
mod schema;
mod url;
mod value;

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
    let given = Given::read(text.unwrap_or(r#"{"airflow": true}"#));
    assemble::config(given)
}

#[cfg(test)]
mod tests;
