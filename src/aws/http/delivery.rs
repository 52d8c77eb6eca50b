//! Whether a call that ran out of time may have reached AWS. A future that is dropped cannot report how far it got, so
//! the request's connection is noted while the call runs.

use crate::executor::ports::Sent;
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static CURRENT: Delivery;
}

/// The progress of one call.
#[derive(Clone, Debug, Default)]
pub(in crate::aws) struct Delivery(Arc<Mutex<Option<CaptureSmithyConnection>>>);

impl Delivery {
    /// Runs a call and notes its progress.
    pub(in crate::aws) async fn watch<F: Future>(&self, call: F) -> F::Output {
        CURRENT.scope(self.clone(), call).await
    }

    /// `Maybe` once the request was handed to a connection, whether or not it was written.
    pub(in crate::aws) fn sent(&self) -> Sent {
        let captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match captured.as_ref().and_then(CaptureSmithyConnection::get) {
            Some(_) => Sent::Maybe,
            None => Sent::No,
        }
    }
}

/// Watches this request for the call that runs now. Without such a call it does nothing.
pub(super) fn note(request: &mut HttpRequest) {
    let Ok(current) = CURRENT.try_with(Delivery::clone) else { return };
    // The SDK puts one in for its own purposes.
    let captured = request.extension::<CaptureSmithyConnection>().cloned().unwrap_or_else(|| {
        let captured = CaptureSmithyConnection::new();
        request.add_extension(captured.clone());
        captured
    });
    *current.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(captured);
}
