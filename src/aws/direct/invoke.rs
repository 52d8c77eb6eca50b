//! Invoke: the heads of a route, and the answer.

use super::head::Capture;
use super::{Direct, Prepared, lock, request_id};
use crate::aws::Limit;
use crate::executor::ports::{CallError, RouteId};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::types::InvocationType;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

/// Qualifiers of single tasks whose heads are kept, for each route.
const QUALIFIERS: usize = 256;

/// What is asked of Lambda.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::aws) enum Kind {
    Event,
    DryRun,
}

impl From<Kind> for InvocationType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Event => Self::Event,
            Kind::DryRun => Self::DryRun,
        }
    }
}

/// The heads of one route. `None` is a head that cannot be prepared.
#[derive(Debug, Default)]
pub(super) struct InvokeHeads {
    event: OnceCell<Option<Arc<Prepared>>>,
    dry_run: OnceCell<Option<Arc<Prepared>>>,
    /// With qualifiers that single tasks ask for.
    qualified: Mutex<HashMap<String, Option<Arc<Prepared>>>>,
}

impl Direct {
    /// The head of an Invoke. `own` is true for a qualifier that the task asks for.
    pub(in crate::aws) async fn invoke_head(
        &self,
        client: &Client,
        route: RouteId,
        kind: Kind,
        name: &str,
        qualifier: Option<&str>,
        own: bool,
    ) -> Option<Arc<Prepared>> {
        let heads = self.invokes.get(route)?;
        let make = || async { self.prepare(&self.to_lambda, &capture(client, kind, name, qualifier).await) };
        match (kind, qualifier) {
            (Kind::Event, Some(qualifier)) if own => {
                if let Some(known) = lock(&heads.qualified).get(qualifier) {
                    return known.clone();
                }
                let head = make().await;
                let mut qualified = lock(&heads.qualified);
                if qualified.len() >= QUALIFIERS {
                    qualified.clear();
                }
                qualified.insert(qualifier.to_owned(), head.clone());
                head
            }
            (Kind::Event, _) => heads.event.get_or_init(make).await.clone(),
            (Kind::DryRun, _) => heads.dry_run.get_or_init(make).await.clone(),
        }
    }

    /// Status and request id.
    pub(in crate::aws) async fn invoke(
        &self,
        prepared: &Prepared,
        payload: Bytes,
        limit: Limit,
        what: &(impl Fn() -> String + Sync),
    ) -> Result<(u16, String), CallError> {
        let answer = self.call(prepared, payload, limit, what).await?;
        Ok((answer.status.as_u16(), request_id(&answer.headers).to_owned()))
    }
}

async fn capture(client: &Client, kind: Kind, name: &str, qualifier: Option<&str>) -> Capture {
    let capture = Capture::default();
    let call = client
        .invoke()
        .function_name(name)
        .set_qualifier(qualifier.map(str::to_owned))
        .invocation_type(kind.into())
        .customize()
        .interceptor(capture.clone())
        .config_override(Builder::new().credentials_provider(Capture::credentials()))
        .send();
    // Fails, as intended.
    _ = Box::pin(call).await;
    capture
}
