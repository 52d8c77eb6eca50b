//! A request, sent on an idle connection or on a new one.
//!
//! A server, a proxy or a NAT gateway closes connections that are idle. A request that is sent on such a connection at
//! that moment fails without an answer, and is sent again at once, on a new connection: it counts as not taken. The first request on a connection
//! is never sent again: it cannot have met a connection that was idle, so AWS may have taken it.

use super::connect::{Connector, Destination, NotConnected};
use super::connection::{Answer, Connection, Failed, Request};
use super::delivery::Delivery;
use super::pool::Pool;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection that was closed while it was idle fails within a round trip. What fails later was probably taken by the
/// server before it failed, and is not sent again.
const ROUND_TRIP: Duration = Duration::from_secs(1);

/// One address, and its connections.
#[derive(Debug)]
pub(in crate::aws) struct Endpoint {
    destination: Destination,
    connector: Connector,
    pool: Arc<Pool>,
}

/// Makes the request, as often as it is sent. A proxy that forwards it (true) needs the whole address in it.
pub(in crate::aws) type MakeRequest<'a> = &'a (dyn Fn(bool) -> Request + Sync);

/// Why a request has no answer.
#[derive(Debug)]
pub(in crate::aws) enum Failure {
    NotConnected(NotConnected),
    /// The connection failed before an answer came. AWS may have taken the request.
    Lost(String),
    /// The answer began, and cannot be read to its end.
    Unreadable(StatusCode, Box<HeaderMap>, String),
}

impl Endpoint {
    pub(super) fn new(destination: Destination, connector: Connector) -> Self {
        Self { destination, connector, pool: Arc::default() }
    }

    /// `connect_limit` is that of a new connection.
    pub(in crate::aws) async fn send(
        &self,
        request: MakeRequest<'_>,
        connect_limit: Option<Duration>,
        delivery: &Delivery,
    ) -> Result<Answer, Failure> {
        let Some(idle) = self.pool.take() else {
            return self.send_on_new(request, connect_limit, delivery, true).await;
        };
        let began = Instant::now();
        match self.send_on(idle, request, delivery, true).await {
            Err(Failed::BeforeAnswer(why)) if began.elapsed() < ROUND_TRIP => {
                tracing::debug!("the peer had closed an idle connection ({why}); sending again on a new one");
                self.send_on_new(request, connect_limit, delivery, false).await
            }
            answer => answer.map_err(Failure::from),
        }
    }

    /// A connection that replaces one which was closed while it was idle serves only its request: others that are idle
    /// were probably closed with it, and this way none of them is left unnoticed.
    async fn send_on_new(
        &self,
        request: MakeRequest<'_>,
        connect_limit: Option<Duration>,
        delivery: &Delivery,
        is_kept: bool,
    ) -> Result<Answer, Failure> {
        delivery.now_on(None);
        let connect = self.connector.connect(&self.destination, connect_limit);
        let io = Box::pin(connect).await.map_err(Failure::NotConnected)?;
        let refused = |why: String| Failure::NotConnected(self.destination.not_connected(false, &why));
        let connection = Connection::new(io).await.map_err(refused)?;
        Ok(self.send_on(connection, request, delivery, is_kept).await?)
    }

    async fn send_on(
        &self,
        mut connection: Box<Connection>,
        request: MakeRequest<'_>,
        delivery: &Delivery,
        is_kept: bool,
    ) -> Result<Answer, Failed> {
        delivery.now_on(Some(connection.progress()));
        let mut request = request(self.destination.is_forwarded());
        if let Some(value) = self.destination.proxy_authorization() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value.clone());
        }
        let answer = connection.exchange(request).await?;
        if is_kept {
            self.pool.put(connection);
        }
        Ok(answer)
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::BeforeAnswer(why) | Failed::InHead(why) => Self::Lost(why),
            Failed::InBody(status, headers, why) => Self::Unreadable(status, headers, why),
        }
    }
}
