//! Lambda and SQS through the AWS SDK: the only place that names it.

mod clients;
mod errors;
mod first_use;
mod function_name;
mod health;
mod identity;
mod lambda;
mod outcomes;
mod queue_fit;
mod queues;
mod region;
#[cfg(any())]
mod tests;
mod tls;

pub use first_use::first_use;
pub use function_name::FunctionName;
pub use identity::{Identity, Keys, Method, Role};
pub use queue_fit::QueueNeeds;

use crate::executor::ports::{CallError, Fault};
use clients::{Clients, Lazy};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
    /// Where the services are.
    pub endpoints: Endpoints,
    /// Who we are.
    pub identity: Identity,
    /// True: neither environment nor files are read, nor a proxy taken from them. For the local AWS, which nothing may
    /// pass by.
    pub isolated: bool,
    /// Certificates to trust, a PEM file, in place of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// For establishing a connection.
    pub connect_timeout: Duration,
    /// For a whole Invoke.
    pub invoke_timeout: Duration,
}

/// Endpoints of the services, each with what the environment (`AWS_ENDPOINT_URL*`) and the profile say as default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoints {
    /// Of Lambda.
    pub lambda: Option<String>,
    /// Of SQS.
    pub sqs: Option<String>,
    /// Of STS, where roles are assumed.
    pub sts: Option<String>,
}

impl Endpoints {
    /// One server for all services.
    pub fn all(url: &str) -> Self {
        Self { lambda: Some(url.into()), sqs: Some(url.into()), sts: Some(url.into()) }
    }

    /// True if nothing is spoken to over TLS.
    fn are_plain(&self) -> bool {
        let plain = |url: &Option<String>| url.as_ref().is_some_and(|url| url.starts_with("http://"));
        plain(&self.lambda) && plain(&self.sqs) && plain(&self.sts)
    }
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
        let clients = Lazy::new(settings.identity.clone());
        Self { settings, clients }
    }

    /// From the next call on these keys are used, in place of whatever credentials there were and of a role that was
    /// assumed with them.
    pub fn set_credentials(&self, keys: Keys) {
        let profile = self.settings.identity.profile.clone();
        self.clients.become_another(Identity { keys: Some(keys), profile, role: None });
    }

    /// Lets go of clients whose credentials were refused, so that the next call looks for new ones. Not of those that
    /// still wait for theirs: a slow program would be started again and again, and never be heard.
    fn noting_refused(&self, clients: &Arc<Clients>, failure: CallError) -> CallError {
        if failure.fault == Fault::Identity && failure.code != errors::CREDENTIALS_TIMED_OUT {
            self.clients.forget(clients);
        }
        failure
    }
}
