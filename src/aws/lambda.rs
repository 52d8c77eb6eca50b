//! Invoke.

use super::{Aws, FunctionName, errors, named};
use crate::executor::ports::{Accepted, CallError, Fault, InvokeRequest, Lambda};
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;

/// Lambda's answer to an asynchronous invocation that it has taken.
const ACCEPTED: i32 = 202;

impl Lambda for Aws {
    async fn invoke(&self, request: InvokeRequest) -> Result<Accepted, CallError> {
        let Some(function) = self.settings.functions.get(request.route) else {
            return Err(errors::own(Fault::Route, "InvalidRequest", format!("there is no route {}", request.route)));
        };
        let clients = self.clients.get(&self.settings).await?;
        let Some(client) = clients.lambda.get(request.route) else {
            return Err(errors::own(Fault::Route, "InvalidRequest", "the route has no client".into()));
        };
        // Only failures need it, and this is the busiest call of all.
        let what = || match &request.qualifier {
            Some(own) => {
                format!("{}, as the task asks for", named(FunctionName::without_qualifier(&function.name), own))
            }
            None => function.what(),
        };
        let (name, qualifier) = match &request.qualifier {
            Some(own) => (FunctionName::without_qualifier(&function.name), Some(own.to_string())),
            None => (function.name.as_str(), function.qualifier.clone()),
        };
        let call = client
            .invoke()
            .function_name(name)
            .set_qualifier(qualifier)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(request.payload.as_ref()));
        let answer = match tokio::time::timeout(self.settings.invoke_timeout, call.send()).await {
            Err(_) => return Err(errors::timed_out(&what(), self.settings.invoke_timeout)),
            Ok(Err(error)) => {
                let reason = error.as_service_error().and_then(throttle_reason);
                let mut failure = errors::sort(&what(), error);
                if let Some(reason) = reason {
                    failure.message = format!("{} ({reason})", failure.message);
                }
                return Err(self.noting_refused(&clients, failure));
            }
            Ok(Ok(answer)) => answer,
        };
        // Anything else would be a gateway or a captive portal that answers in Lambda's place.
        if answer.status_code() != ACCEPTED {
            let message = format!("{}: status {} in place of {ACCEPTED}", what(), answer.status_code());
            return Err(errors::own(Fault::Service, "UnexpectedAnswer", message));
        }
        Ok(Accepted { request_id: answer.request_id().unwrap_or_default().to_owned() })
    }

    async fn probe(&self, _route: usize) -> Result<(), CallError> {
        Err(errors::own(Fault::Service, "Unsupported", "dry runs are not implemented".into()))
    }
}

/// Which of Lambda's limits was reached.
fn throttle_reason(error: &InvokeError) -> Option<String> {
    match error {
        InvokeError::TooManyRequestsException(throttled) => throttled.reason().map(|reason| reason.as_str().to_owned()),
        _ => None,
    }
}
