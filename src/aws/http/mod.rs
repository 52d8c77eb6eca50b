//! HTTP connections to AWS: for the calls of `aws/direct/`, and for the SDK's.
//!
//! | file | |
//! |---|---|
//! | `sdk.rs` | the SDK's calls on these connections |
//! | `connections.rs` | the connections of one client, by address |
//! | `transfer.rs` | on which connection a request is sent, and when it is sent again |
//! | `delivery.rs` | whether a call that ran out of time may have reached AWS |
//! | `pool.rs` | idle connections |
//! | `connection.rs`, `watched.rs` | one connection, and how far its request has come |
//! | `connect.rs` | new connections: DNS, TLS, proxies |
//! | `origin.rs` | scheme, host and port of an address |
//! | `proxy.rs` | the proxy variables of the environment |
//! | `tls.rs` | the certificates that are trusted |

mod connect;
mod connection;
mod connections;
mod delivery;
mod origin;
mod pool;
mod proxy;
mod sdk;
mod tls;
mod transfer;
mod watched;

pub(super) use connection::{Answer, Request};
pub(super) use connections::Connections;
pub(super) use delivery::Delivery;
pub(super) use origin::Origin;
pub(super) use sdk::ConnectionLost;
pub(super) use tls::read_system_certificates;
pub(super) use transfer::{Endpoint, Failure};

use super::Settings;
use crate::executor::ports::CallError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use connect::Connector;
use proxy::Proxies;
use sdk::{Client, Notes};
use tls::Trusted;

/// Makes the HTTP clients of one set of settings.
#[derive(Debug)]
pub(super) struct Http {
    connector: Connector,
    proxies: Proxies,
}

impl Http {
    /// Connections as the settings ask for them. Nothing is connected yet.
    pub(super) fn new(settings: &Settings) -> Result<Self, CallError> {
        let proxies = if settings.isolated { Proxies::none() } else { Proxies::of(&settings.environment) };
        let trusted = match &settings.ca_bundle {
            Some(path) => Trusted::bundle(path)?,
            // To read the system's certificates takes longer than to start the local AWS, which uses no TLS.
            None if settings.isolated && settings.endpoints.are_plain() => Trusted::nothing(),
            None => Trusted::system()?,
        };
        Ok(Self { connector: Connector::new(&trusted), proxies })
    }

    /// Connections that cannot speak TLS and use no proxy.
    pub(super) fn without_roots() -> Self {
        Self { connector: Connector::new(&Trusted::nothing()), proxies: Proxies::none() }
    }

    /// Connections that no other client uses.
    pub(super) fn connections(&self) -> Connections {
        Connections::new(self.connector.clone(), self.proxies.clone())
    }

    /// For the SDK's client of Lambda or SQS: notes in the [`Delivery`] of a call how far its request has come.
    pub(super) fn for_calls(&self) -> SharedHttpClient {
        SharedHttpClient::new(Client::new(self.connections(), Notes::Delivery))
    }

    /// For the SDK's clients that find credentials: STS, SSO, and metadata services.
    pub(super) fn for_credentials(&self) -> SharedHttpClient {
        SharedHttpClient::new(Client::new(self.connections(), Notes::Nothing))
    }
}
