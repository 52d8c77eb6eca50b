//! Lambda and SQS through the AWS SDK: the only place that names it.

mod clients;
mod errors;
mod function_name;
mod health;
mod identity;
mod lambda;
mod queue_fit;
mod queues;
mod region;
#[cfg(test)]
mod tests;

pub use function_name::FunctionName;
pub use queue_fit::QueueNeeds;

use crate::executor::ports::{CallError, FailureClass};
use clients::{Clients, Lazy};
use std::sync::Arc;
use std::time::Duration;

/// Who we are to AWS.
#[derive(Clone)]
pub enum Identity {
    /// The SDK's default chain: environment, profile, SSO, web identity, ECS, IMDS.
    DefaultChain,
    /// Given keys; nothing else is read (used with `local`).
    Static {
        /// Access key id.
        access_key_id: String,
        /// Secret access key.
        secret_access_key: String,
        /// Session token, if any.
        session_token: Option<String>,
    },
}

// By hand, so that no key can get into a log.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DefaultChain => f.write_str("DefaultChain"),
            Self::Static { .. } => f.write_str("Static { .. }"),
        }
    }
}

/// Where functions and queues are, and how to reach them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name or ARN of the function of each route, in the order of the executor's routes, with its qualifier.
    pub functions: Vec<Function>,
    /// URL of each queue, in the order of the executor's queues.
    pub queue_urls: Vec<String>,
    /// What they are used for.
    pub queue_needs: QueueNeeds,
    /// Region, else the default chain's.
    pub region: Option<String>,
    /// Endpoint for all services; `AWS_ENDPOINT_URL*` otherwise.
    pub endpoint_url: Option<String>,
    /// Who we are.
    pub identity: Identity,
    /// For establishing a connection.
    pub connect_timeout: Duration,
    /// For a whole Invoke.
    pub invoke_timeout: Duration,
}

/// A function, as configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Function {
    /// Name, `name:alias`, or ARN.
    pub name: String,
    /// Version or alias.
    pub qualifier: Option<String>,
}

impl Function {
    /// For messages.
    fn what(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => named(&self.name, qualifier),
            None => format!("function `{}`", self.name),
        }
    }
}

fn named(name: &str, qualifier: &str) -> String {
    format!("function `{name}` with qualifier `{qualifier}`")
}

/// AWS, as the executor's ports need it. Nothing is read and nobody asked before the first call.
#[derive(Debug)]
pub struct Aws {
    settings: Settings,
    clients: Lazy,
}

impl Aws {
    /// With these settings; whether they are right shows on the first call.
    pub fn new(settings: Settings) -> Self {
        Self { settings, clients: Lazy::default() }
    }

    /// Lets go of clients whose credentials were refused, so that the next call looks for new ones. Given keys cannot
    /// change.
    fn noting_refused(&self, clients: &Arc<Clients>, failure: CallError) -> CallError {
        if failure.class == FailureClass::Credentials && matches!(self.settings.identity, Identity::DefaultChain) {
            self.clients.forget(clients);
        }
        failure
    }
}
