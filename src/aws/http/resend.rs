//! A server, a proxy or a NAT gateway closes connections that are idle. A request that is sent on such a connection at
//! that moment fails without an answer, and is sent again at once on a new connection.
//!
//! The connection pool knows whether a connection has carried a request before. The first request on a connection is
//! never sent again: it cannot have met a connection that was idle, so AWS may have taken it.

use super::delivery;
use crate::aws::connection_lost::ConnectionLost;
use aws_smithy_http_client::pool::Client;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::telemetry::{CaptureHttpAttemptTelemetry, ConnectionUsage};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use std::time::{Duration, Instant};

/// A connection that was closed while it was idle fails within a round trip. What fails later was probably taken by
/// the server before it failed, and is not sent again.
pub(in crate::aws) const ROUND_TRIP: Duration = Duration::from_secs(1);

/// A connection pool for each scheme; both may be the same.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub(super) https: Client,
    pub(super) http: Client,
}

/// An HTTP client over two sets of pools.
#[derive(Debug)]
pub(super) struct Resending {
    /// Connections are kept for further requests.
    pub(super) kept: Pools,
    /// Each request opens a connection.
    pub(super) once: Pools,
    /// See [`delivery`].
    pub(super) notes_delivery: bool,
}

impl HttpClient for Resending {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let both = |pools: &Pools| Connectors {
            https: pools.https.http_connector(settings, components),
            http: pools.http.http_connector(settings, components),
        };
        SharedHttpConnector::new(Connector {
            kept: both(&self.kept),
            once: both(&self.once),
            notes_delivery: self.notes_delivery,
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.kept.https.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.kept.https.connector_metadata()
    }
}

#[derive(Debug)]
struct Connectors {
    https: SharedHttpConnector,
    http: SharedHttpConnector,
}

impl Connectors {
    fn of(&self, request: &HttpRequest) -> &SharedHttpConnector {
        if request.uri().starts_with("http://") { &self.http } else { &self.https }
    }
}

#[derive(Debug)]
struct Connector {
    kept: Connectors,
    once: Connectors,
    notes_delivery: bool,
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let spare = request.try_clone();
        let once = self.once.of(&request).clone();
        let notes_delivery = self.notes_delivery;
        let telemetry = watch(&mut request, notes_delivery);
        let first = self.kept.of(&request).call(request);
        HttpConnectorFuture::new(async move {
            let began = Instant::now();
            let error = match first.await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(used) = telemetry.get().acquisition().copied() else { return Err(error) };
            let took = began.elapsed().saturating_sub(used.duration().unwrap_or_default());
            let was_idle = used.usage() == ConnectionUsage::Reused && took < ROUND_TRIP;
            let Some(mut spare) = spare.filter(|_| was_idle) else { return Err(lost(error)) };

            tracing::debug!("the peer had closed an idle connection ({error}); sending again on a new one");
            let telemetry = watch(&mut spare, notes_delivery);
            once.call(spare)
                .await
                .map_err(|error| if telemetry.get().acquisition().is_some() { lost(error) } else { error })
        })
    }
}

/// Adds to a request what records on which connection it is sent.
fn watch(request: &mut HttpRequest, notes_delivery: bool) -> CaptureHttpAttemptTelemetry {
    if notes_delivery {
        delivery::note(request);
    }
    request.extension::<CaptureHttpAttemptTelemetry>().cloned().unwrap_or_else(|| {
        let telemetry = CaptureHttpAttemptTelemetry::new();
        request.add_extension(telemetry.clone());
        telemetry
    })
}

fn lost(error: ConnectorError) -> ConnectorError {
    ConnectorError::io(Box::new(ConnectionLost(error)))
}
