//! The operation Invoke.

use super::Lambda;
use super::error::ApiError;
use super::function::Function;
use super::name::Named;
use crate::function_state::FunctionState;
use crate::job::{CallerAnswer, Job, MAX_SYNCHRONOUS, Outcome};
use crate::server::{Answer, answer, set_header};
use bytes::Bytes;
use http::request::Parts;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Largest event of an asynchronous invoke, bytes.
const MAX_EVENT: usize = 1_048_576;

const JSON: (&str, &str) = ("content-type", "application/json");

/// The header `X-Amz-Invocation-Type`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Event,
    RequestResponse,
    DryRun,
}

impl Kind {
    fn of(parts: &Parts) -> Result<Self, ApiError> {
        let Some(kind) = parts.headers.get("x-amz-invocation-type") else { return Ok(Self::RequestResponse) };
        match kind.as_bytes() {
            b"Event" => Ok(Self::Event),
            b"RequestResponse" => Ok(Self::RequestResponse),
            b"DryRun" => Ok(Self::DryRun),
            other => Err(ApiError::parameter(format!(
                "X-Amz-Invocation-Type: expected Event, RequestResponse or DryRun, found {}",
                String::from_utf8_lossy(other)
            ))),
        }
    }

    /// Largest payload, and the name of the kind in the error. A dry run makes the checks of an event.
    fn limit(self) -> (usize, &'static str) {
        match self {
            Self::Event => (MAX_EVENT, "Event"),
            Self::DryRun => (MAX_EVENT, "DryRun"),
            Self::RequestResponse => (MAX_SYNCHRONOUS, "RequestResponse"),
        }
    }
}

/// True if the request asks for the checks only.
pub(super) fn is_dry_run(parts: &Parts) -> bool {
    Kind::of(parts) == Ok(Kind::DryRun)
}

impl Lambda {
    pub(super) async fn invoke(
        &self,
        function: &Function,
        named: &Named,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Answer, ApiError> {
        let world = &self.0.world;
        let version = function.version(&world.place, named)?;
        let kind = Kind::of(parts)?;
        let (limit, name) = kind.limit();
        if body.len() > limit {
            return Err(ApiError::payload_too_large(body.len(), name, limit));
        }
        let payload = checked(body)?;
        let state = function.state(world);
        if state != FunctionState::Active {
            if kind != Kind::DryRun {
                world.faults.active().wake(&named.name);
            }
            return Err(ApiError::conflict(format!(
                "The operation cannot be performed at this time. The function is currently in the following state: {}",
                state.name()
            )));
        }
        let request_id: Arc<str> = world.host.random.uuid().into();
        let mut job = Job {
            request_id: request_id.clone(),
            payload,
            arn: match &named.qualifier {
                None => function.arn.clone(),
                Some(_) => world.place.qualified_arn(named).into(),
            },
            qualifier: named.config_key().into(),
            version: version.clone(),
            trace_id: parts.headers.get("x-amzn-trace-id").and_then(|id| id.to_str().ok()).map(str::to_owned),
            accepted_ms: world.host.clock.now(),
            runs: 0,
            caller: None,
        };
        let mut answer = match kind {
            Kind::Event => {
                function.submit(job)?;
                world.host.stats.events_accepted.add();
                answer(202, &[], Bytes::new())
            }
            Kind::RequestResponse => {
                let (caller, outcome) = oneshot::channel();
                job.caller = Some(caller);
                function.submit(job)?;
                let outcome = outcome.await.map_err(|_| ApiError::service("The function was deleted."))?;
                synchronous(outcome, &version)?
            }
            Kind::DryRun => answer(204, &[], Bytes::new()),
        };
        set_header(&mut answer, "x-amzn-requestid", &request_id);
        Ok(answer)
    }
}

fn synchronous(outcome: CallerAnswer, version: &str) -> Result<Answer, ApiError> {
    let executed = ("x-amz-executed-version", version);
    match outcome {
        CallerAnswer::Ran(Outcome::Success(body)) => Ok(answer(200, &[JSON, executed], body)),
        CallerAnswer::Ran(Outcome::Error(error)) => {
            Ok(answer(200, &[JSON, executed, ("x-amz-function-error", "Unhandled")], error.payload))
        }
        CallerAnswer::Throttled => {
            Err(ApiError::throttled("ReservedFunctionConcurrentInvocationLimitExceeded", "Rate Exceeded."))
        }
    }
}

/// The event, which must be JSON. An empty body counts as an empty object.
fn checked(body: Bytes) -> Result<Bytes, ApiError> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    // Check UTF-8 first: serde does not check the parts that it skips.
    let text =
        std::str::from_utf8(&body).map_err(|_| ApiError::content(&serde::de::Error::custom("it is not UTF-8")))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| ApiError::content(&error))?;
    Ok(body)
}
