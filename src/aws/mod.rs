//! Lambda and SQS: the only module that names the AWS SDK and HTTP.
//!
//! | file | |
//! |---|---|
//! | `lambda.rs`, `queues.rs`, `health.rs` | the executor's ports |
//! | `direct/` | the calls of each task, without the SDK |
//! | `clients.rs`, `sdk_config.rs` | the SDK's clients, made on the first call, and their configuration |
//! | `http/` | connections, TLS and proxies, for `direct/` and the SDK |
//! | `identity/` | credentials |
//! | `errors.rs`, `error_codes.rs` | whose fault a failed call is |
//! | `function_name.rs`, `region.rs` | the forms of names and URLs |
//! | `function_warnings.rs`, `queue_warnings.rs` | what works and still does not fit |
//! | `environment.rs`, `quiet.rs` | the environment is read once |
//! | `first_use.rs` | what the SDK makes once a process |
//!
//! Calls of the SDK end in `customize().send()` in place of `send()`. An `async fn` of another crate is compiled in the crate
//! that awaits it, with all that it awaits and with that crate's optimisation; behind `customize()` is a boxed future, which
//! is compiled in the SDK's crate, for size.

mod clients;
mod direct;
mod environment;
mod error_codes;
mod errors;
mod first_use;
mod function_name;
mod function_warnings;
mod health;
mod http;
mod identity;
mod lambda;
mod limit;
mod queue_warnings;
mod queues;
mod quiet;
mod region;
mod sdk_config;
#[cfg(test)]
mod tests;

pub use error_codes::{ERROR_CODES, ErrorCode, Service, fault_of_status};
pub use first_use::first_use;
pub use function_name::FunctionName;
pub use identity::{Identity, Keys, Method, Role};
pub use queue_warnings::QueueNeeds;

use crate::executor::ports::{CallError, Fault};
use crate::runtime::environment::Environment;
use clients::{ClientCache, Clients};
use limit::Limit;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What sends the calls of each task: Invoke, and receiving, deleting and hiding messages. All others are the SDK's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Transport {
    /// We do: sign a request that the SDK has prepared once, and read the answer.
    #[default]
    Direct,
    /// The AWS SDK, on the same kind of connections. It is slower and has the same behaviour.
    Sdk,
}

/// Where functions and queues are, and how to reach them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Function of each route, in the order of the executor's routes.
    pub functions: Vec<Function>,
    /// URL of each queue, in the order of the executor's queues.
    pub queue_urls: Vec<String>,
    /// What the queues are used for.
    pub queue_needs: QueueNeeds,
    /// Region; without one the default chain's.
    pub region: Option<String>,
    /// Endpoints of the services.
    pub endpoints: Endpoints,
    /// Credentials.
    pub identity: Identity,
    /// True: neither environment nor files are read, and no proxy is used. For the local AWS.
    pub isolated: bool,
    /// The environment, for everything that AWS's tools read from it.
    pub environment: Environment,
    /// Certificates to trust, a PEM file, in place of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// What sends the calls of each task.
    pub transport: Transport,
    /// Limit for establishing a connection.
    pub connect_timeout: Duration,
    /// Limit for a whole Invoke.
    pub invoke_timeout: Duration,
}

/// Endpoints of the services. The defaults are those of the environment (`AWS_ENDPOINT_URL*`) and of the profile.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoints {
    /// Lambda.
    pub lambda: Option<String>,
    /// SQS.
    pub sqs: Option<String>,
    /// STS, which is called where a role is assumed.
    pub sts: Option<String>,
}

impl Endpoints {
    /// One server for all services.
    pub fn all(url: &str) -> Self {
        Self { lambda: Some(url.into()), sqs: Some(url.into()), sts: Some(url.into()) }
    }

    /// True if no endpoint uses TLS.
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
    /// It gets several tasks in one event.
    pub gets_batches: bool,
}

impl Function {
    /// Version or alias, whether it is configured by itself or at the end of the name.
    fn configured_qualifier(&self) -> Option<String> {
        self.qualifier.clone().or_else(|| FunctionName::parse(&self.name).ok()?.qualifier)
    }

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

/// AWS, as the executor's ports need it. Nothing is read and no call is made before the first call of a port.
#[derive(Debug)]
pub struct Aws {
    settings: Arc<Settings>,
    clients: ClientCache,
}

impl Aws {
    /// Uses these settings. Whether they are right shows on the first call.
    pub fn new(settings: Settings) -> Self {
        let clients = ClientCache::new(settings.identity.clone());
        Self { settings: Arc::new(settings), clients }
    }

    /// Uses these keys from the next call on, in place of all other credentials and of a role that was assumed with them.
    pub fn set_credentials(&self, keys: Keys) {
        let profile = self.settings.identity.profile.clone();
        self.clients.set_identity(Identity { keys: Some(keys), profile, role: None });
    }

    /// The clients, made now if there are none.
    async fn clients(&self, limit: &Limit) -> Result<Arc<Clients>, CallError> {
        limit.clients(self.clients.get(&self.settings)).await
    }

    /// Drops clients whose credentials were rejected, so that the next call looks for new ones. Clients that still wait
    /// for credentials are kept: a slow program would otherwise be started again and again, and its answer never used. So
    /// are those that have just learnt AWS's time.
    fn drop_rejected_clients(&self, clients: &Arc<Clients>, failure: CallError) -> CallError {
        if failure.fault == Fault::Identity
            && ![errors::CREDENTIALS_TIMED_OUT, errors::CLOCK_SKEWED].contains(&failure.code.as_str())
        {
            self.clients.drop_rejected(clients);
        }
        failure
    }
}
