//! The operation Invoke.

use super::Lambda;
use super::error::ApiError;
use super::function::Function;
use super::job::{CallerAnswer, Job, Outcome};
use super::name::Named;
use super::settings::State;
use crate::server::{Answer, answer, set_header};
use bytes::Bytes;
use http::request::Parts;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Largest event of an asynchronous invoke, bytes.
const MAX_EVENT: usize = 1_048_576;
/// Largest payload of a synchronous invoke and of its answer, bytes; 6 MB and what Lambda allows beyond.
pub(crate) const MAX_SYNCHRONOUS: usize = 6_291_556;

const JSON: (&str, &str) = ("content-type", "application/json");

impl Lambda {
    pub(super) async fn invoke(
        &self,
        function: &Function,
        named: &Named,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Answer, ApiError> {
        let version = function.version(&self.0.world.place, named)?;
        let kind = parts.headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok());
        let limit = if kind == Some("Event") { MAX_EVENT } else { MAX_SYNCHRONOUS };
        if body.len() > limit {
            return Err(ApiError::too_large(limit));
        }
        let payload = checked(body)?;
        let state = function.settings().state;
        if state != State::Active {
            return Err(ApiError::conflict(format!(
                "The operation cannot be performed at this time. The function is currently in the following state: {}",
                state.name()
            )));
        }
        let request_id: Arc<str> = self.0.world.random.uuid().into();
        let mut job = Job {
            request_id: request_id.clone(),
            payload,
            arn: match &named.qualifier {
                None => function.arn.clone(),
                Some(_) => self.0.world.place.qualified_arn(named).into(),
            },
            version: version.clone(),
            trace_id: parts.headers.get("x-amzn-trace-id").and_then(|id| id.to_str().ok()).map(str::to_owned),
            accepted_ms: self.0.world.clock.now(),
            runs: 0,
            caller: None,
        };
        let mut answer = match kind {
            Some("Event") => {
                function.submit(job)?;
                answer(202, &[], Bytes::new())
            }
            None | Some("RequestResponse") => {
                let (caller, outcome) = oneshot::channel();
                job.caller = Some(caller);
                function.submit(job)?;
                let outcome = outcome.await.map_err(|_| ApiError::service("The function was deleted."))?;
                synchronous(outcome, &version)?
            }
            Some("DryRun") => answer(204, &[], Bytes::new()),
            Some(other) => {
                return Err(ApiError::parameter(format!(
                    "X-Amz-Invocation-Type: expected Event, RequestResponse or DryRun, found {other}"
                )));
            }
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

/// The event, which must be JSON; nothing at all counts as an empty object.
fn checked(body: Bytes) -> Result<Bytes, ApiError> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    // As text first: what is skipped over is not checked to be UTF-8.
    let text =
        std::str::from_utf8(&body).map_err(|_| ApiError::content(&serde::de::Error::custom("it is not UTF-8")))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| ApiError::content(&error))?;
    Ok(body)
}
