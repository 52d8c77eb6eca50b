//! Options, their sources and precedence: JSON for now.

use crate::{aws, executor};
use std::time::Duration;

/// Everything a handle is created from.
#[derive(Clone, Debug)]
pub struct Config {
    /// For the state machine.
    pub executor: executor::Settings,
    /// For the SDK.
    pub aws: aws::Settings,
    /// True: freeing a batch acknowledges its events. False: the host calls `ack`.
    pub auto_ack: bool,
    /// Threads of the handle's runtime.
    pub worker_threads: usize,
    /// How long `free` may take.
    pub shutdown_grace: Duration,
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
