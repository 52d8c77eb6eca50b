//! Reads a message: a result or several, a dead letter in one of its forms, or nothing that is understood.

use super::batch;
use super::fields::Fields;
use super::repair;
use crate::executor::message::{Attempt, CommandResult, Content, Outcome, Received, Report};
use crate::executor::ports::Message;
use crate::executor::task::{AttemptId, Reason};
use base64::Engine as _;

/// Reads a message. Unknown members are skipped without validation, so that they cannot make a result unreadable.
pub fn read(message: Message) -> Received {
    let content = content(&message).unwrap_or_else(Content::Malformed);
    Received {
        bytes: message.body.len(),
        message_id: message.message_id.into(),
        receipt: message.receipt.into(),
        receive_count: message.receive_count,
        sent_at_ms: message.sent_at_ms,
        first_received_at_ms: message.first_received_at_ms,
        content,
    }
}

fn content(message: &Message) -> Result<Content, String> {
    let text = message.body.trim_start_matches('\u{feff}');
    match Fields::read(text) {
        Ok(body) => parse(&body, message),
        Err(why) => match repair::strings(text) {
            Some(repaired) => match Fields::read(&repaired) {
                Ok(body) => parse(&body, message),
                Err(_) => unreadable(text, &why),
            },
            None => unreadable(text, &why),
        },
    }
}

/// A text that is not JSON, but names a submission: its task must not wait for ever.
fn unreadable(text: &str, why: &str) -> Result<Content, String> {
    let Some(attempt) = repair::find_text(text, "attempt_id").and_then(AttemptId::parse) else {
        return Err(why.into());
    };
    Ok(Content::Outcome(Outcome {
        key: repair::find_text(text, "task_key").unwrap_or_default().into(),
        attempt: Attempt::Id(attempt),
        request_id: "".into(),
        report: Report::Unreadable(format!("the result is {why}")),
    }))
}

fn parse(body: &Fields<'_>, message: &Message) -> Result<Content, String> {
    if body.has("requestContext") && body.has("requestPayload") {
        return parse_destination_record(body);
    }
    // Before `command`: a handler may answer with the whole event and the return code.
    if body.has("return_code") {
        return parse_result(body);
    }
    if let Some(results) = body.list("results") {
        return parse_results(results);
    }
    if body.has("command") || body.has("batch") {
        return parse_dead_event(body, message);
    }
    if message.dead_request_id.is_some() {
        return Err("a dead letter whose event has no `command`".into());
    }
    Err("neither a result (`task_key`, `return_code`) nor a dead letter".into())
}

/// The reports of several tasks. One that cannot be read is no reason to lose the others.
fn parse_results<'a>(results: impl Iterator<Item = Fields<'a>>) -> Result<Content, String> {
    let (mut read, mut wrong) = (Vec::new(), String::new());
    for result in results {
        match result_of(&result) {
            Ok(outcome) => read.push(outcome),
            Err(why) => wrong = why,
        }
    }
    if read.is_empty() { Err(format!("`results` without a result: {wrong}")) } else { Ok(Content::Outcomes(read)) }
}

/// The function's report of one task. Of a batch that it did not understand it is about the members that the key names.
fn parse_result(body: &Fields<'_>) -> Result<Content, String> {
    let outcome = result_of(body)?;
    let refused = (outcome.attempt == Attempt::Absent).then(|| batch::members_of_key(&outcome.key)).flatten();
    match (refused, &outcome.report) {
        (Some(members), Report::Result(result)) => {
            let of_member = |attempt| Outcome {
                key: "".into(),
                attempt: Attempt::Id(attempt),
                request_id: outcome.request_id.clone(),
                report: Report::BatchRefused(result.clone()),
            };
            Ok(Content::Outcomes(members.into_iter().map(of_member).collect()))
        }
        _ => Ok(Content::Outcome(outcome)),
    }
}

/// `task_key` and `return_code`, and what our function adds.
fn result_of(body: &Fields<'_>) -> Result<Outcome, String> {
    let attempt = body.attempt();
    let key = match (body.task_key(), attempt) {
        (Ok(key), _) => key,
        // The id alone says whose it is.
        (Err(_), Attempt::Id(_)) => "".into(),
        (Err(why), _) => return Err(why),
    };
    let report = match return_code(body, attempt) {
        Ok(return_code) => {
            let result = Box::new(command_result(body, &key, return_code));
            let not_started = return_code != 0 && body.get::<bool>("not_started").unwrap_or(false);
            if not_started { Report::NotStarted(result) } else { Report::Result(result) }
        }
        Err(what) => Report::Unreadable(format!("`return_code` in the result is {what}, not an integer")),
    };
    Ok(Outcome { key: key.into(), attempt, request_id: body.text("request_id").into(), report })
}

/// An integer, also one written as a float (`0.0`, `1e0`); one beyond 32 bits becomes the nearest. Otherwise what it is.
/// Airflow's executor compares with Python's `==`, for which `false` is 0: a handler without an id keeps that outcome.
fn return_code(body: &Fields<'_>, attempt: Attempt) -> Result<i32, String> {
    let written = body.written("return_code").unwrap_or_default();
    if let Ok(integer) = written.parse::<i64>() {
        return Ok(i32::try_from(integer).unwrap_or(if integer < 0 { i32::MIN } else { i32::MAX }));
    }
    match (body.kind("return_code"), written.parse::<f64>()) {
        // The conversion saturates.
        ("a number", Ok(number)) if number.is_finite() && number.fract() == 0.0 => Ok(number as i32),
        ("a number", _) => Err(format!("the number {}", shortened(written))),
        ("a boolean", _) if written == "false" && attempt == Attempt::Absent => Ok(0),
        (kind, _) => Err(kind.into()),
    }
}

fn shortened(text: &str) -> &str {
    text.get(..40).unwrap_or(text)
}

fn command_result(body: &Fields<'_>, key: &str, return_code: i32) -> CommandResult {
    let reason = Reason::from_name(&body.text("reason")).filter(|reason| may_report(*reason, return_code));
    let value =
        base64::engine::general_purpose::STANDARD.decode(body.text("value").as_bytes()).unwrap_or_else(|error| {
            // A handler's own `value`. The return code counts all the same.
            tracing::debug!(task_key = key, "the result's `value` is not base64 and is left out: {error}");
            Vec::new()
        });
    CommandResult {
        return_code,
        reason,
        signal: if return_code == 0 { 0 } else { body.integer("signal").try_into().unwrap_or(0) },
        output_tail: body.text("output_tail").into_owned(),
        output_length: body.integer("output_length").try_into().unwrap_or(0),
        output_truncated: body.get::<bool>("output_truncated").unwrap_or(false),
        value,
        value_dropped: body.get::<bool>("value_dropped").unwrap_or(false) || reason == Some(Reason::ValueTooLarge),
        log_stream: body.text("log_stream").into_owned(),
        started_at_ms: body.unix_ms("started_at_ms"),
        finished_at_ms: body.unix_ms("finished_at_ms"),
    }
}

/// True for a reason that the function decides. The others are this library's, whatever a message says; and a return code
/// of 0 means that the command ended by itself.
fn may_report(reason: Reason, return_code: i32) -> bool {
    match reason {
        Reason::Exit | Reason::ValueTooLarge => true,
        Reason::Signal | Reason::Timeout | Reason::SetupFailed | Reason::BadEvent | Reason::ReplyToRefused => {
            return_code != 0
        }
        Reason::Expired
        | Reason::DeadLetter
        | Reason::InvokeFailed
        | Reason::Lost
        | Reason::NeverInvoked
        | Reason::Abandoned
        | Reason::BadResult => false,
    }
}

/// Lambda's dead letter queue: the event itself, the error in message attributes.
fn parse_dead_event(event: &Fields<'_>, message: &Message) -> Result<Content, String> {
    let mut why = message.dead_error_message.clone().unwrap_or_default();
    if why.is_empty() {
        why = "no error message".into();
    }
    if let Some(code) = &message.dead_error_code {
        why = format!("{why} (error code {code})");
    }
    dead(event, message.dead_request_id.as_deref().unwrap_or_default(), why)
}

/// What Lambda gave up: the event of a task, or of several.
fn dead(event: &Fields<'_>, request_id: &str, why: String) -> Result<Content, String> {
    let of = |event: &Fields<'_>, report| {
        Ok(Outcome { key: event.task_key()?.into(), attempt: event.attempt(), request_id: request_id.into(), report })
    };
    let Some(members) = event.list("batch").filter(|_| !event.has("command")) else {
        return of(event, Report::DeadLetter(why)).map(Content::Outcome);
    };
    let outcomes: Result<Vec<Outcome>, String> =
        members.map(|member| of(&member, Report::DeadBatch(why.clone()))).collect();
    match outcomes? {
        none if none.is_empty() => Err("a dead letter whose batch is empty".into()),
        outcomes => Ok(Content::Outcomes(outcomes)),
    }
}

/// The record of a destination: around the event. `condition` is `Success` for an on-success destination, which reports
/// nothing that the function's own result does not.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
fn parse_destination_record(record: &Fields<'_>) -> Result<Content, String> {
    let part = |name: &str| record.part(name).unwrap_or_default();
    let (context, response, answer) = (part("requestContext"), part("responseContext"), part("responsePayload"));
    let mut why = context.text("condition").into_owned();
    if why == "Success" {
        return Ok(Content::SuccessRecord);
    }
    let Some(event) = record.part("requestPayload") else {
        return Err("a destination record whose `requestPayload` is not an object".into());
    };
    if why.is_empty() {
        why = "no condition named".into();
    }
    for detail in [response.text("functionError"), answer.text("errorType"), answer.text("errorMessage")] {
        if !detail.is_empty() {
            why.push_str(": ");
            why.push_str(&detail);
        }
    }
    let tries = context.integer("approximateInvokeCount");
    if tries > 0 {
        why.push_str(&format!(" (after {tries} invocations)"));
    }
    dead(&event, &context.text("requestId"), why)
}

#[cfg(test)]
mod tests;
