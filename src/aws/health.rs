//! Whether what the configuration names is there and usable: every function with its version or alias, every queue.

use super::queue_fit::{Found, misfits};
use super::queues::CALL_LIMIT;
use super::{Aws, Function, FunctionName, errors};
use crate::executor::ports::{CallError, Fault, Health};
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, State};
use aws_sdk_sqs::types::QueueAttributeName;
use std::collections::HashMap;

impl Health for Aws {
    async fn check_function(&self, route: usize) -> Result<Vec<String>, CallError> {
        Aws::check_function(self, route).await.map(|()| Vec::new())
    }

    async fn check_queues(&self) -> Result<Vec<String>, CallError> {
        let mut failures = Vec::new();
        let mut queues = Vec::new();
        for queue in 0..self.settings.queue_urls.len() {
            queues.extend(collect(self.check_queue(queue).await, &mut failures)?);
        }
        together(failures)?;
        Ok(misfits(&queues, &self.settings.queue_needs))
    }
}

/// Goes on after a failure, so that the operator learns of all at once, but not without an identity: then every
/// further call would say the same.
fn collect<T>(result: Result<T, CallError>, failures: &mut Vec<CallError>) -> Result<Option<T>, CallError> {
    match result {
        Err(error) if error.fault == Fault::Identity => Err(error),
        Err(error) => {
            failures.push(error);
            Ok(None)
        }
        Ok(found) => Ok(Some(found)),
    }
}

/// One error of many: the class of what is least likely to pass, every sentence.
fn together(mut failures: Vec<CallError>) -> Result<(), CallError> {
    let sentences: Vec<String> = failures.iter().map(|failure| failure.message.clone()).collect();
    failures.sort_by_key(|failure| match failure.fault {
        Fault::Identity => 0,
        Fault::Route | Fault::Event => 1,
        Fault::Service => 2,
        Fault::Account => 3,
    });
    match failures.into_iter().next() {
        Some(worst) => Err(CallError { message: sentences.join("; "), ..worst }),
        None => Ok(()),
    }
}

impl Aws {
    async fn check_function(&self, route: usize) -> Result<(), CallError> {
        let clients = self.clients.get(&self.settings).await?;
        let (Some(function), Some(client), Some(region)) =
            (self.settings.functions.get(route), clients.lambda.get(route), clients.function_regions.get(route))
        else {
            return Ok(());
        };
        let what = function.what();
        let call = client.get_function().function_name(&function.name).set_qualifier(function.qualifier.clone()).send();
        let answer = match tokio::time::timeout(CALL_LIMIT, call).await {
            Err(_) => return Err(errors::timed_out(&what, CALL_LIMIT)),
            Ok(Err(error)) => {
                let failure = self.noting_refused(&clients, errors::sort(&what, error));
                return Err(explained(failure, &what, region));
            }
            Ok(Ok(answer)) => answer,
        };
        match answer.configuration() {
            Some(found) => judge(function, &what, found),
            None => Err(errors::own(
                Fault::Service,
                "UnreadableAnswer",
                format!("{what}: the answer to GetFunction describes no function"),
            )),
        }
    }

    async fn check_queue(&self, id: usize) -> Result<Found, CallError> {
        let clients = self.clients.get(&self.settings).await?;
        let (Some(url), Some(client)) = (self.settings.queue_urls.get(id), clients.sqs.get(id)) else {
            return Ok(Found::default());
        };
        let what = format!("queue {url}");
        let call = client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send();
        match tokio::time::timeout(CALL_LIMIT, call).await {
            Err(_) => Err(errors::timed_out(&what, CALL_LIMIT)),
            Ok(Err(error)) => {
                let failure = self.noting_refused(&clients, errors::sort(&what, error));
                Err(match failure.code.as_str() {
                    "QueueDoesNotExist" | "NonExistentQueue" => {
                        CallError { message: format!("{what} does not exist ({})", failure.code), ..failure }
                    }
                    _ => failure,
                })
            }
            Ok(Ok(answer)) => Ok(Found::new(url, answer.attributes().unwrap_or(&HashMap::new()))),
        }
    }
}

/// A missing function or version is the commonest mistake: say where it was looked for.
fn explained(failure: CallError, what: &str, region: &str) -> CallError {
    match failure.code.as_str() {
        "ResourceNotFoundException" => {
            CallError { message: format!("{what} was not found in {region} ({})", failure.message), ..failure }
        }
        _ => failure,
    }
}

/// States: <https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>
fn judge(function: &Function, what: &str, found: &FunctionConfiguration) -> Result<(), CallError> {
    let unusable = |code: &str, message: String| Err(errors::own(Fault::Route, code, message));
    let arn = found.function_arn().unwrap_or_default();
    if !FunctionName::parse(&function.name).is_ok_and(|meant| meant.is(arn)) {
        return unusable("WrongFunction", format!("{what}: AWS answered with another function, `{arn}`"));
    }
    let reason = found.state_reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    match found.state() {
        // Pending and Inactive heal by themselves; Lambda keeps asynchronous events until then.
        None | Some(State::Active) => {}
        Some(state @ (State::Pending | State::Inactive)) => {
            tracing::info!("{what} is {}{reason}; its first runs start late", state.as_str());
        }
        Some(state) => {
            return unusable("FunctionNotUsable", format!("{what} is in state {}{reason}", state.as_str()));
        }
    }
    if found.last_update_status() == Some(&LastUpdateStatus::Failed) {
        let reason = found.last_update_status_reason().unwrap_or("no reason given");
        tracing::warn!("{what}: its last update failed ({reason}); Lambda goes on with the version before it");
    }
    Ok(())
}
