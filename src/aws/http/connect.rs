//! New connections: directly, through a proxy that forwards plain HTTP, or through a tunnel that a proxy opens. Names
//! are resolved for each connection, so that a change in DNS takes effect with the next one.

use super::connection::cause;
use super::origin::Origin;
use super::proxy::Proxies;
use super::tls::Trusted;
use http::{HeaderValue, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tower_service::Service;

/// An established connection.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Why there is no connection: nothing was sent.
#[derive(Debug)]
pub(in crate::aws) struct NotConnected {
    /// The limit was reached.
    pub(in crate::aws) timed_out: bool,
    /// What is wrong, and with which server.
    message: String,
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Makes connections.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    /// TCP, and TLS where the address asks for it.
    any: HttpsConnector<HttpConnector>,
    tls: Arc<ClientConfig>,
}

/// Where the connections for an address lead to.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    address: Uri,
    proxy: Option<Intercept>,
}

impl Destination {
    pub(super) fn new(address: Uri, proxies: &Proxies) -> Self {
        Self { proxy: proxies.of_address(&address), address }
    }

    /// There is no connection, since `why`.
    pub(super) fn not_connected(&self, timed_out: bool, why: &str) -> NotConnected {
        NotConnected { timed_out, message: format!("{why} (connecting to {self})") }
    }

    fn is_https(&self) -> bool {
        self.address.scheme_str() == Some("https")
    }

    /// A proxy that requests are handed to. A proxy that opens a tunnel sees none of them.
    fn forwarding(&self) -> Option<&Intercept> {
        self.proxy.as_ref().filter(|_| !self.is_https())
    }

    pub(super) fn is_forwarded(&self) -> bool {
        self.forwarding().is_some()
    }

    /// The name and password that each request carries.
    pub(super) fn proxy_authorization(&self) -> Option<&HeaderValue> {
        self.forwarding()?.basic_auth()
    }
}

/// Without the password of a proxy.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = |address: &Uri| Origin::of(address).map_or_else(|wrong| wrong, |origin| origin.url);
        f.write_str(&server(&self.address))?;
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {}", server(proxy.uri())),
            None => Ok(()),
        }
    }
}

impl Connector {
    pub(super) fn new(trusted: &Trusted) -> Self {
        let config = trusted.client_config();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self { any: HttpsConnector::from((tcp, Arc::clone(&config))), tls: config }
    }

    pub(super) async fn connect(&self, to: &Destination, limit: Option<Duration>) -> Result<Box<dyn Io>, NotConnected> {
        let connect = self.connect_unlimited(to);
        let connected = match limit {
            Some(limit) => timeout(limit, connect)
                .await
                .map_err(|_| to.not_connected(true, &format!("no connection within {} ms", limit.as_millis())))?,
            None => connect.await,
        };
        connected.map_err(|error| to.not_connected(false, &cause(&*error)))
    }

    async fn connect_unlimited(&self, to: &Destination) -> Result<Box<dyn Io>, Box<dyn Error + Send + Sync>> {
        let mut any = self.any.clone();
        let plain = |stream| -> Box<dyn Io> { Box::new(TokioIo::new(stream)) };
        let Some(proxy) = &to.proxy else { return Ok(plain(any.call(to.address.clone()).await?)) };
        if to.is_forwarded() {
            return Ok(plain(any.call(proxy.uri().clone()).await?));
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), any);
        if let Some(authorization) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        let tunnelled = tunnel.call(to.address.clone()).await?;
        let host = to.address.host().ok_or("an address without a host")?;
        // Addresses of version 6 stand in brackets.
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
        let tls = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        Ok(Box::new(tls.connect(name, TokioIo::new(tunnelled)).await?))
    }
}
