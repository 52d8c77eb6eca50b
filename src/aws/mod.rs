//! Lambda and SQS through the AWS SDK: the only place that names it.

mod function_name;
mod region;

pub use function_name::FunctionName;

use std::time::Duration;

/// Who we are to AWS.
#[derive(Clone, Debug)]
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

/// Where functions and queues are, and how to reach them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name or ARN of the function of each route, in the order of the executor's routes, with its qualifier.
    pub functions: Vec<Function>,
    /// URL of each queue, in the order of the executor's queues.
    pub queue_urls: Vec<String>,
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
#[derive(Clone, Debug)]
pub struct Function {
    /// Name, `name:alias`, or ARN.
    pub name: String,
    /// Version or alias.
    pub qualifier: Option<String>,
}
