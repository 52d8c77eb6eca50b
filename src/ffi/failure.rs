//! Everything that can go wrong in a call, and its status.

use super::status::*;
use crate::config::ConfigError;
use crate::executor::Refusal;
use crate::executor::ports::{CallError, Fault};

/// Why a call failed. The text is for the host's operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    InvalidConfig(String),
    #[error("{0}")]
    Closed(&'static str),
    #[error(
        "the executor belongs to the parent of this process (pid {parent}); it works on there. Create one in this process"
    )]
    Forked { parent: u32 },
    #[error("{0}. This is a bug in lambda_executor; free the executor and create a new one")]
    Panic(String),
    #[error("{0}")]
    Credentials(String),
    #[error("{0}")]
    Aws(String),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: std::io::Error },
    #[error("{0}")]
    Unsupported(String),
    #[error("{0}")]
    PayloadTooLarge(String),
}

impl Failure {
    /// The status that the host gets.
    pub(super) fn status(&self) -> lambda_executor_status_t {
        match self {
            Self::InvalidArgument(_) => LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT,
            Self::InvalidConfig(_) => LAMBDA_EXECUTOR_ERR_INVALID_CONFIG,
            Self::Closed(_) => LAMBDA_EXECUTOR_ERR_CLOSED,
            Self::Forked { .. } => LAMBDA_EXECUTOR_ERR_FORKED,
            Self::Panic(_) => LAMBDA_EXECUTOR_ERR_PANIC,
            Self::Credentials(_) => LAMBDA_EXECUTOR_ERR_CREDENTIALS,
            Self::Aws(_) => LAMBDA_EXECUTOR_ERR_AWS,
            Self::Io { .. } => LAMBDA_EXECUTOR_ERR_IO,
            Self::Unsupported(_) => LAMBDA_EXECUTOR_ERR_UNSUPPORTED,
            Self::PayloadTooLarge(_) => LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE,
        }
    }

    /// An argument that is wrong.
    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::InvalidArgument(message.into())
    }

    /// For `map_err` on what the operating system refused.
    pub(super) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Invalid(message) => Self::InvalidConfig(message),
            ConfigError::Unsupported(message) => Self::Unsupported(message),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error.fault {
            Fault::Identity => Self::Credentials(error.to_string()),
            Fault::Event | Fault::Route | Fault::Service | Fault::Account => Self::Aws(error.to_string()),
        }
    }
}

/// What a refused task means to the host: flow control is a status without an error object.
pub(super) fn refused(refusal: Refusal) -> Result<lambda_executor_status_t, Failure> {
    match refusal {
        Refusal::Duplicate { .. } => Ok(LAMBDA_EXECUTOR_DUPLICATE),
        Refusal::QueueFull { .. } => Ok(LAMBDA_EXECUTOR_QUEUE_FULL),
        Refusal::Closed => Err(Failure::Closed("the executor accepts no more tasks: it is draining or closed")),
        Refusal::PayloadTooLarge { .. } => Err(Failure::PayloadTooLarge(refusal.to_string())),
        Refusal::UnknownQueue { .. } | Refusal::BadOverride { .. } => {
            Err(Failure::InvalidArgument(refusal.to_string()))
        }
    }
}
