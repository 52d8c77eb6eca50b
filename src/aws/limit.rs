//! The time limit of one call. It includes making the clients: the SDK reads files for that, which may be on a network's
//! file system that does not answer.

use super::clients::Clients;
use super::errors;
use super::http::Delivery;
use crate::executor::ports::{CallError, Fault, Sent};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A limit that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    whole: Duration,
    ends: Instant,
}

impl Limit {
    pub(super) fn from_now(whole: Duration) -> Self {
        Self { whole, ends: Instant::now() + whole }
    }

    /// Waits for clients. That there are none is the fault of [`Fault::Identity`]: no task fails for it.
    pub(super) async fn clients(
        &self,
        clients: impl Future<Output = Result<Arc<Clients>, CallError>>,
    ) -> Result<Arc<Clients>, CallError> {
        timeout_at(self.ends, clients).await.unwrap_or_else(|_| {
            let message = format!(
                "AWS's files of profiles, the CA bundle, or the region could not be read within {} ms",
                self.whole.as_millis()
            );
            Err(errors::call_error(Fault::Identity, "ConfigurationTimedOut", message))
        })
    }

    /// Waits for the answer of a call. `what` names the function or queue for people.
    pub(super) async fn call<T>(
        &self,
        what: impl FnOnce() -> String,
        call: impl Future<Output = T>,
    ) -> Result<T, CallError> {
        let delivery = Arc::<Delivery>::default();
        self.within(what, Arc::clone(&delivery).watch(call), || delivery.sent()).await
    }

    /// The same for a call that notes its progress by itself: `sent` is asked for it when the time is over.
    pub(super) async fn within<T>(
        &self,
        what: impl FnOnce() -> String,
        call: impl Future<Output = T>,
        sent: impl FnOnce() -> Sent,
    ) -> Result<T, CallError> {
        let answer = timeout_at(self.ends, call).await;
        answer.map_err(|_| errors::timed_out(&what(), self.whole, sent()))
    }
}
