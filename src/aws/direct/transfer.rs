//! A request, sent on an idle connection or on a new one. A server, a proxy or a NAT gateway closes connections that
//! are idle; a request that is sent at that moment is sent again, once, by the rule of `aws/http/resend.rs`.

use super::connect::{Connector, Destination, NotConnected};
use super::connection::{Answer, Connection, Failed};
use super::head::Signed;
use super::pool::Pool;
use super::watched::Progress;
use crate::aws::http::ROUND_TRIP;
use crate::executor::ports::Sent;
use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// One address, and its connections.
#[derive(Debug)]
pub(super) struct Endpoint {
    destination: Destination,
    connector: Connector,
    pool: Arc<Pool>,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    NotConnected(NotConnected),
    /// The connection failed before an answer came. AWS may have taken the request.
    Lost(String),
    /// The answer began, and cannot be read to its end.
    Unreadable(StatusCode, Box<HeaderMap>, String),
}

/// The connection on which a call is sent at present, for a call that runs out of time.
#[derive(Debug, Default)]
pub(super) struct Delivery(Mutex<Option<Arc<Progress>>>);

impl Delivery {
    pub(super) fn sent(&self) -> Sent {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(progress) if progress.has_written() => Sent::Maybe,
            _ => Sent::No,
        }
    }

    fn is_on(&self, connection: Option<&Connection>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connection.map(Connection::progress);
    }
}

impl Endpoint {
    pub(super) fn new(destination: Destination, connector: Connector) -> Self {
        Self { destination, connector, pool: Arc::default() }
    }

    pub(super) async fn send(&self, call: &Signed<'_>, delivery: &Delivery) -> Result<Answer, Failure> {
        let Some(idle) = self.pool.take() else { return self.send_on_new(call, delivery, true).await };
        let began = Instant::now();
        match self.send_on(idle, call, delivery, true).await {
            Err(Failed::BeforeAnswer(why)) if began.elapsed() < ROUND_TRIP => {
                tracing::debug!("the peer had closed an idle connection ({why}); sending again on a new one");
                self.send_on_new(call, delivery, false).await
            }
            answer => answer.map_err(Failure::from),
        }
    }

    fn request(&self, call: &Signed<'_>) -> Request<Full<Bytes>> {
        let mut request = call.request(self.destination.is_forwarded());
        if let Some(value) = self.destination.proxy_authorization() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value.clone());
        }
        request
    }

    /// A connection that replaces one which was closed while it was idle serves only its request: others that are idle
    /// were probably closed with it, and this way none of them is left unnoticed.
    async fn send_on_new(&self, call: &Signed<'_>, delivery: &Delivery, is_kept: bool) -> Result<Answer, Failure> {
        delivery.is_on(None);
        let io = Box::pin(self.connector.connect(&self.destination)).await.map_err(Failure::NotConnected)?;
        let connection =
            Connection::new(io).await.map_err(|why| Failure::NotConnected(NotConnected::Failed(why.into())))?;
        Ok(self.send_on(connection, call, delivery, is_kept).await?)
    }

    async fn send_on(
        &self,
        mut connection: Box<Connection>,
        call: &Signed<'_>,
        delivery: &Delivery,
        is_kept: bool,
    ) -> Result<Answer, Failed> {
        delivery.is_on(Some(&connection));
        let answer = connection.exchange(self.request(call)).await?;
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
