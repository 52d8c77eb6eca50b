//! HTTP connections to AWS: trusted certificates, proxies, and what happens when a connection ends.
//!
//! | file | |
//! |---|---|
//! | `tls.rs` | the certificates that are trusted |
//! | `proxy.rs` | the proxy variables of the environment |
//! | `resend.rs` | a request that met a connection which the peer had closed is sent again |
//! | `delivery.rs` | whether a call that ran out of time may have reached AWS |

mod delivery;
mod proxy;
mod resend;
mod tls;

pub(super) use delivery::Delivery;
pub(super) use proxy::Proxies;
pub(super) use resend::ROUND_TRIP;
pub(super) use tls::{Trusted, read_system_certificates};

use super::{Settings, errors};
use crate::executor::ports::{CallError, Fault};
use aws_smithy_http_client::pool::{Client, ConnectionPool, DriverSpawner, Partition, PartitionId};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use resend::{Pools, Resending};
use std::time::Duration;

/// Connections that are kept for the next request end after this long without one.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(90);
/// A connection that is opened to send a request again is not kept: it serves that request only.
const USED_ONCE: Duration = Duration::from_millis(1);

/// The HTTP clients of one set of settings. They share their connections.
#[derive(Clone, Debug)]
pub(super) struct Http {
    /// For Lambda and SQS: notes in the [`Delivery`] of a call when its request is handed to a connection.
    pub(super) calls: SharedHttpClient,
    /// For credentials: STS, SSO, and metadata services.
    pub(super) credentials: SharedHttpClient,
    /// For connections that are not made by these clients.
    pub(super) proxies: Proxies,
    pub(super) trusted: Trusted,
}

impl Http {
    /// Connections as the settings ask for them, on the runtime of the caller. Nothing is connected yet.
    pub(super) fn new(settings: &Settings) -> Result<Self, CallError> {
        let proxies = if settings.isolated { Proxies::none() } else { Proxies::of(&settings.environment) };
        let trusted = match &settings.ca_bundle {
            Some(path) => tls::bundle(path)?,
            // To read the system's certificates takes longer than to start the local AWS, which uses no TLS.
            None if settings.isolated && settings.endpoints.are_plain() => Trusted::Nothing,
            None => tls::system()?,
        };
        Self::build(trusted, proxies)
    }

    /// Clients that cannot speak TLS and use no proxy.
    pub(super) fn without_roots() -> Result<Self, CallError> {
        Self::build(Trusted::Nothing, Proxies::none())
    }

    fn build(trusted: Trusted, proxies: Proxies) -> Result<Self, CallError> {
        let pools = |idle| -> Result<Pools, CallError> {
            let https = pool(&trusted, proxies.https.clone(), idle)?;
            // One pool serves both schemes, unless they have different proxies.
            let http = match proxies.differ {
                true => pool(&trusted, proxies.http.clone(), idle)?,
                false => https.clone(),
            };
            Ok(Pools { https, http })
        };
        let (kept, once) = (pools(IDLE_LIMIT)?, pools(USED_ONCE)?);
        let client = |notes_delivery| {
            SharedHttpClient::new(Resending { kept: kept.clone(), once: once.clone(), notes_delivery })
        };
        let (calls, credentials) = (client(true), client(false));
        Ok(Self { calls, credentials, proxies, trusted })
    }
}

fn pool(
    trusted: &Trusted,
    proxy: aws_smithy_http_client::proxy::ProxyConfig,
    idle: Duration,
) -> Result<Client, CallError> {
    let failed = |error: String| errors::call_error(Fault::Identity, "NoHttpClient", error);
    let runtime = tokio::runtime::Handle::current();
    let here = DriverSpawner::from_fn(move |connection| drop(runtime.spawn(connection)));
    let id = PartitionId::from_index(0);
    let pool = ConnectionPool::builder()
        .partitions([Partition::new(id, here)])
        .idle_timeout(idle)
        .proxy_config(proxy)
        .tls_provider(tls::provider())
        .tls_context(tls::context(&trusted.store()).map_err(failed)?)
        .build_https()
        .map_err(|error| failed(error.to_string()))?;
    Client::from_partition(&pool, id).map_err(|error| failed(error.to_string()))
}
