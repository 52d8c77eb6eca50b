//! Everything that can fail in a call, and its status.

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
        "the executor belongs to the parent of this process (pid {parent}), where it still works. Create one in this process"
    )]
    Forked { parent: u32 },
    #[error("{0}. This is a bug in lambda_executor; free the executor and create a new one")]
    Panic(String),
    #[error(
        "the host has closed descriptors of the executor, which cannot work without them. Free it, and create one after \
         the process has become a daemon"
    )]
    DescriptorsClosed,
    #[error("{0}")]
    Aws(CallError),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: std::io::Error },
    #[error("{0}")]
    Unsupported(String),
    #[error("{0}")]
    PayloadTooLarge(String),
    /// An entry of a batch call, such as `tasks[3]`.
    #[error("{entry}: {failure}")]
    Entry { entry: String, failure: Box<Failure> },
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
            Self::Aws(error) => match error.fault {
                Fault::Identity => LAMBDA_EXECUTOR_ERR_CREDENTIALS,
                Fault::Event | Fault::Route | Fault::Service | Fault::Account => LAMBDA_EXECUTOR_ERR_AWS,
            },
            Self::Io { .. } | Self::DescriptorsClosed => LAMBDA_EXECUTOR_ERR_IO,
            Self::Unsupported(_) => LAMBDA_EXECUTOR_ERR_UNSUPPORTED,
            Self::PayloadTooLarge(_) => LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE,
            Self::Entry { failure, .. } => failure.status(),
        }
    }

    /// AWS's error code; empty for errors that do not come from AWS.
    pub(super) fn aws_code(&self) -> &str {
        self.call_error().map_or("", |error| &error.code)
    }

    /// AWS's id of the failed request, if there is one.
    pub(super) fn request_id(&self) -> &str {
        self.call_error().map_or("", |error| &error.request_id)
    }

    /// Whether the same call may succeed later without a change by the operator.
    pub(super) fn is_retriable(&self) -> bool {
        self.call_error().is_some_and(|error| match error.fault {
            Fault::Service | Fault::Account => true,
            Fault::Event | Fault::Route | Fault::Identity => false,
        })
    }

    fn call_error(&self) -> Option<&CallError> {
        if let Self::Aws(error) = self { Some(error) } else { None }
    }

    /// An invalid argument.
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
        Self::Aws(error)
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
