//! Invoke, and its dry run.

use super::direct::Kind;
use super::{Aws, FunctionName, Limit, errors, named};
use crate::executor::ports::{Accepted, CallError, Fault, InvokeRequest, Lambda, RouteId};
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use bytes::Bytes;

/// Lambda's status for an asynchronous invocation that it has accepted.
const ACCEPTED: u16 = 202;
/// Lambda's status for a dry run that succeeded.
const MAY_INVOKE: u16 = 204;

impl Lambda for Aws {
    async fn invoke(&self, request: InvokeRequest) -> Result<Accepted, CallError> {
        let target = self.target(request.route, request.qualifier.as_deref())?;
        let answer = self.send(&target, Kind::Event, Bytes::from_owner(request.payload)).await?;
        target.expect(&answer, ACCEPTED)?;
        Ok(Accepted { request_id: answer.request_id })
    }

    async fn probe(&self, route: RouteId) -> Result<(), CallError> {
        let target = self.target(route, None)?;
        let answer = self.send(&target, Kind::DryRun, Bytes::new()).await?;
        target.expect(&answer, MAY_INVOKE)
    }
}

/// Lambda's answer, where it is not an error.
struct Reply {
    status: u16,
    request_id: String,
}

/// What is invoked.
struct Target<'a> {
    route: RouteId,
    /// Name or ARN.
    name: &'a str,
    qualifier: Option<&'a str>,
    /// True if only this task asked for the qualifier.
    own_qualifier: bool,
}

impl Target<'_> {
    /// For messages.
    fn what(&self) -> String {
        match self.qualifier {
            Some(qualifier) if self.own_qualifier => format!("{}, as the task asks for", named(self.name, qualifier)),
            Some(qualifier) => named(self.name, qualifier),
            None => format!("function `{}`", self.name),
        }
    }

    /// Any other status comes from a gateway or a captive portal.
    fn expect(&self, answer: &Reply, status: u16) -> Result<(), CallError> {
        match answer.status {
            found if found == status => Ok(()),
            found => Err(errors::unexpected_answer(&self.what(), &format!("status {found} (expected {status})"))),
        }
    }

    /// A qualifier that does not exist, or that we may not invoke, is the fault of the only task that asked for it.
    fn fault(&self, failure: &CallError) -> Fault {
        let of_qualifier = matches!(
            failure.code.as_str(),
            "ResourceNotFoundException"
                | "AccessDenied"
                | "AccessDeniedException"
                | "InvalidParameterValueException"
                | "ValidationException"
                | "InvalidRequest"
        );
        if self.own_qualifier && of_qualifier { Fault::Event } else { failure.fault }
    }
}

impl Aws {
    fn target<'a>(&'a self, route: RouteId, own: Option<&'a str>) -> Result<Target<'a>, CallError> {
        let Some(function) = self.settings.functions.get(route) else {
            return Err(errors::call_error(Fault::Route, "InvalidRequest", format!("there is no route {route}")));
        };
        Ok(match own {
            Some(own) => Target {
                route,
                name: FunctionName::without_qualifier(&function.name),
                qualifier: Some(own),
                own_qualifier: function.configured_qualifier().as_deref() != Some(own),
            },
            None => {
                Target { route, name: &function.name, qualifier: function.qualifier.as_deref(), own_qualifier: false }
            }
        })
    }

    async fn send(&self, target: &Target<'_>, kind: Kind, payload: Bytes) -> Result<Reply, CallError> {
        let limit = Limit::from_now(self.settings.invoke_timeout);
        let clients = self.clients(&limit).await?;
        let Some(client) = clients.lambda.get(target.route) else {
            return Err(errors::call_error(Fault::Route, "InvalidRequest", "the route has no client".into()));
        };
        let rejected = |mut failure: CallError| {
            failure.fault = target.fault(&failure);
            self.drop_rejected_clients(&clients, failure)
        };
        let Target { route, name, qualifier, own_qualifier } = *target;
        if let Some(direct) = &clients.direct
            && let Some(head) = direct.invoke_head(client, route, kind, name, qualifier, own_qualifier).await
        {
            let answer = direct.invoke(&head, payload, limit, &|| target.what()).await.map_err(rejected);
            return answer.map(|(status, request_id)| Reply { status, request_id });
        }
        let payload = (kind == Kind::Event).then(|| Blob::new(payload));
        let call = client
            .invoke()
            .function_name(name)
            .set_qualifier(qualifier.map(str::to_owned))
            .invocation_type(kind.into())
            .set_payload(payload);
        // Only failures need a name, and this is the most frequent call of all.
        match limit.call(|| target.what(), Box::pin(call.customize().send())).await? {
            Ok(answer) => Ok(Reply {
                status: u16::try_from(answer.status_code()).unwrap_or_default(),
                request_id: answer.request_id().unwrap_or_default().to_owned(),
            }),
            Err(error) => {
                let reason = error.as_service_error().and_then(throttle_reason);
                let mut failure = errors::from_sdk(&target.what(), error);
                if let Some(reason) = reason {
                    failure.message = format!("{} ({reason})", failure.message);
                }
                Err(rejected(failure))
            }
        }
    }
}

/// Which of Lambda's limits was reached.
fn throttle_reason(error: &InvokeError) -> Option<String> {
    match error {
        InvokeError::TooManyRequestsException(throttled) => throttled.reason().map(|reason| reason.as_str().to_owned()),
        _ => None,
    }
}
