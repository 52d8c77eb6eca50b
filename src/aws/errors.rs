//! What each failure of a call means: AWS's code looked up in the table of `outcomes.rs`, and the sentences for what never
//! reached AWS.
//!
//! Sorted by code and never by status, since Lambda answers 502 to what heals by itself and to what never will. Sources:
//! the errors of [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html), the
//! [common errors](https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html), and the errors in SQS's API
//! reference with the codes of its older query protocol, which the SDK reports in place of the newer ones.

use super::identity::Origin;
use super::outcomes::{Sort, TABLE};
use crate::executor::ports::{CallError, Fault, Sent};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::time::Duration;

/// The code without namespace and without the prefix of SQS's older protocol.
pub(super) fn bare(code: &str) -> &str {
    let code = code.rsplit_once('#').map_or(code, |(_, name)| name);
    code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)
}

/// What a code means, with the status for codes that nobody has told us of.
pub(super) fn classify(code: &str, status: u16) -> Fault {
    let known = TABLE.iter().find(|known| known.code == bare(code)).map(|known| known.sort);
    match known {
        Some(Sort::Throttled) => Fault::Account,
        Some(Sort::Transient) => Fault::Service,
        Some(Sort::Permanent) => Fault::Route,
        Some(Sort::Credentials) => Fault::Identity,
        None => match status {
            429 => Fault::Account,
            408 => Fault::Service,
            400..500 => Fault::Route,
            // Also what is no error at all: an answer that nobody understands came from something that is not AWS.
            _ => Fault::Service,
        },
    }
}

/// A failure that has no code of AWS's.
pub(super) fn own(fault: Fault, code: &str, message: String) -> CallError {
    CallError { fault, sent: Sent::No, code: code.into(), message, request_id: String::new(), retry_after_ms: None }
}

/// A call that took longer than it may.
pub(super) fn timed_out(what: &str, limit: Duration) -> CallError {
    let message = format!("{what}: no answer within {} ms", limit.as_millis());
    own(Fault::Service, "TimedOut", message)
}

/// Sorts a failed call. `what` names the function or queue for people.
pub(super) fn sort<E>(what: &str, error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let no_service = Fault::Service;
    match &error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(what, service.err().code(), service.err().message(), status, service.raw())
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let told = format!("the answer (status {status}) cannot be read: {}", chain(&error));
            answered(what, Some("UnreadableAnswer"), Some(&told), status, response.raw())
        }
        SdkError::TimeoutError(_) => own(no_service, "TimedOut", format!("{what}: {}", chain(&error))),
        SdkError::DispatchFailure(dispatch) => match find::<CredentialsError>(&error) {
            Some(credentials) => no_credentials(credentials),
            None => not_sent(what, dispatch.as_connector_error(), &error),
        },
        _ => match find::<CredentialsError>(&error) {
            Some(credentials) => no_credentials(credentials),
            None => own(Fault::Route, "InvalidRequest", format!("{what}: {}", chain(&error))),
        },
    }
}

fn answered(what: &str, code: Option<&str>, message: Option<&str>, status: u16, response: &HttpResponse) -> CallError {
    let code = code.map_or_else(|| format!("Http{status}"), |code| bare(code).to_owned());
    // Only the first line: after it, errors of signatures repeat the request's headers, token included.
    let told = message.and_then(|text| text.lines().next()).filter(|line| !line.is_empty());
    let told = told.map_or_else(|| format!("AWS answered with status {status} and no message"), str::to_owned);
    CallError {
        fault: classify(&code, status),
        sent: Sent::No,
        request_id: String::new(),
        code,
        message: format!("{what}: {told}"),
        retry_after_ms: response.headers().get("retry-after").and_then(retry_after_ms),
    }
}

/// Seconds, as Lambda writes them; the other form that HTTP allows, a date, is ignored.
fn retry_after_ms(text: &str) -> Option<u64> {
    text.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000))
}

/// Whoever has the credentials is still asked, and may answer the next who wants them.
pub(super) const CREDENTIALS_TIMED_OUT: &str = "CredentialsTimedOut";

fn no_credentials(error: &CredentialsError) -> CallError {
    let code = match error {
        CredentialsError::CredentialsNotLoaded(_) => "NoCredentials",
        CredentialsError::ProviderTimedOut(_) => CREDENTIALS_TIMED_OUT,
        _ => "CredentialsFailed",
    };
    // The SDK makes no provider at all where its chain is empty.
    let origin = find::<Origin>(error).map_or("the AWS default chain", |told| told.origin.as_str());
    let message = format!("no credentials from {origin}: {}", chain(error));
    own(Fault::Identity, code, message)
}

fn not_sent(what: &str, connector: Option<&ConnectorError>, error: &(dyn Error + 'static)) -> CallError {
    let (class, code) = match connector {
        Some(failed) if failed.is_user() => (Fault::Route, "InvalidRequest"),
        Some(failed) if failed.is_timeout() => (Fault::Service, "ConnectTimedOut"),
        _ => (Fault::Service, "ConnectionFailed"),
    };
    // The innermost cause says it all; those around it only name layers of the SDK.
    let cause = std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error);
    own(class, code, format!("{what} cannot be reached: {cause}"))
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// The error and its causes, each once: the SDK's outer errors say little.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |&error| error.source()) {
        let line = cause.to_string();
        if !told.iter().any(|before| before.contains(&line)) {
            told.push(line);
        }
    }
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_in_the_table_once() {
        let mut codes: Vec<&str> = TABLE.iter().map(|known| known.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn prefixes_do_not_matter() {
        for code in ["com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"] {
            assert_eq!(classify(code, 400), Fault::Route);
        }
        assert_eq!(classify("KMS.ThrottlingException", 400), Fault::Account);
    }

    #[test]
    fn unknown_codes_go_by_their_status() {
        for (status, class) in [
            (400, Fault::Route),
            (403, Fault::Route),
            (408, Fault::Service),
            (429, Fault::Account),
            (500, Fault::Service),
            (503, Fault::Service),
            (200, Fault::Service),
        ] {
            assert_eq!(classify("NeverHeardOf", status), class, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(retry_after_ms("3"), Some(3_000));
        assert_eq!(retry_after_ms(" 0 "), Some(0));
        assert_eq!(retry_after_ms("99999999999999999999"), None);
        assert_eq!(retry_after_ms("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(retry_after_ms(&u64::MAX.to_string()), Some(u64::MAX));
    }
}
