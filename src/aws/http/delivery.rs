//! Whether a call that ran out of time may have reached AWS. A future that is dropped cannot report how far it got, so
//! the connection of its request is noted while the call runs.

use super::watched::Progress;
use crate::executor::ports::Sent;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static CURRENT: Arc<Delivery>;
}

/// The connection on which a call is sent at present.
#[derive(Debug, Default)]
pub(in crate::aws) struct Delivery(Mutex<Option<Arc<Progress>>>);

impl Delivery {
    /// Runs a call of the SDK. What it sends through [`super::Http::for_calls`] is noted here.
    pub(in crate::aws) async fn watch<F: Future>(self: Arc<Self>, call: F) -> F::Output {
        CURRENT.scope(self, call).await
    }

    /// The one of the call that runs now, if it is watched.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// `Maybe` once a byte of the request was written.
    pub(in crate::aws) fn sent(&self) -> Sent {
        match self.progress() {
            Some(progress) if progress.has_written() => Sent::Maybe,
            _ => Sent::No,
        }
    }

    pub(super) fn progress(&self) -> Option<Arc<Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn now_on(&self, connection: Option<Arc<Progress>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}
