//! Whether the functions and queues of the configuration exist and can be used.

use super::function_warnings;
use super::queue_warnings::{self, Found};
use super::queues::CALL_LIMIT;
use super::{Aws, Function, FunctionName, Limit, errors};
use crate::executor::ports::{CallError, Fault, Health, Lambda, QueueId, RouteId};
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, State};
use aws_sdk_sqs::types::QueueAttributeName;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::task::Poll;

impl Health for Aws {
    async fn check_function(&self, route: RouteId) -> Result<Vec<String>, CallError> {
        let Some(function) = self.settings.functions.get(route) else { return Ok(Vec::new()) };
        let what = function.what();
        match self.get_function(route, function).await {
            Ok(found) => {
                let mut warnings = check_state(function, &what, &found)?;
                warnings.extend(function_warnings::of(&what, &found, function.gets_batches, &self.settings));
                Ok(warnings)
            }
            Err(denied) if is_denied(&denied) => {
                self.probe(route).await?;
                Ok(vec![format!(
                    "{what}: we may invoke it, but not call GetFunction, so that its state and configuration are not \
                     checked; allow lambda:GetFunction"
                )])
            }
            Err(error) => Err(error),
        }
    }

    async fn check_queues(&self) -> Result<Vec<String>, CallError> {
        let checks = (0..self.settings.queue_urls.len()).map(|queue| self.check_queue(queue));
        let mut failures = Vec::new();
        let mut queues = Vec::new();
        for checked in all(checks).await {
            match checked {
                Ok(found) => queues.push(found),
                // Every other call reports the same.
                Err(error) if error.fault == Fault::Identity => return Err(error),
                Err(error) => failures.push(error),
            }
        }
        CallError::worst_of(failures).map_or(Ok(()), Err)?;
        Ok(queue_warnings::of(&queues, &self.settings.queue_needs))
    }
}

/// Runs futures at the same time; results are in their order.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        for (future, output) in &mut running {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(cx)
            {
                *output = Some(ready);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

fn is_denied(error: &CallError) -> bool {
    matches!(error.code.as_str(), "AccessDenied" | "AccessDeniedException")
}

impl Aws {
    async fn get_function(&self, route: RouteId, function: &Function) -> Result<FunctionConfiguration, CallError> {
        let what = function.what();
        let limit = Limit::from_now(CALL_LIMIT);
        let clients = self.clients(&limit).await?;
        let (Some(client), Some(region)) = (clients.lambda.get(route), clients.function_regions.get(route)) else {
            return Err(errors::call_error(Fault::Route, "InvalidRequest", "the route has no client".into()));
        };
        let call = client
            .get_function()
            .function_name(&function.name)
            .set_qualifier(function.qualifier.clone())
            .customize()
            .send();
        let answer = limit.call(|| what.clone(), call).await?.map_err(|error| {
            let failure = self.drop_rejected_clients(&clients, errors::from_sdk(&what, error));
            explained(failure, &what, region)
        })?;
        let described = answer.configuration.ok_or_else(|| {
            errors::unexpected_answer(&what, "the answer to GetFunction does not describe a function")
        })?;
        Ok(described)
    }

    async fn check_queue(&self, id: QueueId) -> Result<Found, CallError> {
        let queue = self.queue(id, Limit::from_now(CALL_LIMIT)).await?;
        let call = queue.client.get_queue_attributes().queue_url(queue.url);
        let answer = self.call(&queue, call.attribute_names(QueueAttributeName::All).customize().send()).await;
        let answer = answer.map_err(|failure| match failure.code.as_str() {
            "QueueDoesNotExist" | "NonExistentQueue" => {
                CallError { message: format!("queue {} does not exist ({})", queue.url, failure.code), ..failure }
            }
            _ => failure,
        })?;
        Ok(Found::new(queue.url, answer.attributes().unwrap_or(&HashMap::new())))
    }
}

/// A missing function or version is the most frequent mistake: the message names the region.
fn explained(failure: CallError, what: &str, region: &str) -> CallError {
    match failure.code.as_str() {
        "ResourceNotFoundException" => {
            CallError { message: format!("{what} was not found in {region} ({})", failure.message), ..failure }
        }
        _ => failure,
    }
}

/// Warnings, or why the function cannot be invoked.
/// States: <https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>
fn check_state(function: &Function, what: &str, found: &FunctionConfiguration) -> Result<Vec<String>, CallError> {
    let unusable = |code: &str, message: String| Err(errors::call_error(Fault::Route, code, message));
    let arn = found.function_arn().unwrap_or_default();
    if !FunctionName::parse(&function.name).is_ok_and(|meant| meant.is(arn)) {
        return unusable("WrongFunction", format!("{what}: AWS answered with another function, `{arn}`"));
    }
    let reason = found.state_reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut warnings = Vec::new();
    match found.state() {
        None | Some(State::Active) => {}
        // Only an Invoke makes Lambda prepare the function again, so tasks must be submitted to it.
        Some(State::Inactive) => warnings.push(format!(
            "{what} is in state Inactive{reason}: Lambda prepares it again at the first Invoke, so that the first tasks \
             start later"
        )),
        Some(State::Pending) => return unusable("FunctionPending", format!("{what} is in state Pending{reason}")),
        Some(state) => {
            return unusable("FunctionNotUsable", format!("{what} is in state {}{reason}", state.as_str()));
        }
    }
    if found.last_update_status() == Some(&LastUpdateStatus::Failed) {
        let reason = found.last_update_status_reason().unwrap_or("no reason given");
        warnings.push(format!("{what}: its last update failed ({reason}); Lambda runs the version before the update"));
    }
    Ok(warnings)
}
