//! Failed calls as [`CallError`]s: whose fault they are, by the table of `error_codes.rs`, and whether AWS may have
//! carried out the call.
//!
//! The code decides, the HTTP status only where there is no code: Lambda answers 502 to faults that pass and to faults
//! that do not. Sources: the errors of [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html), the
//! [common errors](https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html), and the errors in SQS's API
//! reference with the codes of its older query protocol, which the SDK reports in place of the newer ones.

use super::error_codes::{bare, fault};
use super::http::ConnectionLost;
use super::identity::Origin;
use crate::executor::ports::{CallError, Fault, Sent};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::error::Error;
use std::time::{Duration, SystemTime};

/// AWS rejects our signatures because of the time in them. The SDK has learnt AWS's time from this answer, and its client
/// signs with it from now on.
pub(super) const CLOCK_SKEWED: &str = "ClockSkewed";
/// AWS accepts signatures that are up to five minutes old; the SDK takes a skew for the cause from four minutes on.
const SKEW: Duration = Duration::from_secs(4 * 60);
/// The provider of credentials is still running; the next caller may get its result.
pub(super) const CREDENTIALS_TIMED_OUT: &str = "CredentialsTimedOut";

/// A failure of our own making: AWS has not seen the call.
pub(super) fn call_error(fault: Fault, code: &str, message: String) -> CallError {
    CallError { fault, sent: Sent::No, code: code.into(), message, request_id: String::new(), retry_after_ms: None }
}

/// A call without an answer within its limit.
pub(super) fn timed_out(what: &str, limit: Duration, sent: Sent) -> CallError {
    let message = format!("{what}: no answer within {} ms", limit.as_millis());
    CallError { sent, ..call_error(Fault::Service, "TimedOut", message) }
}

/// An answer that is not from AWS, such as that of a captive portal, or that lacks what AWS always sends.
pub(super) fn unexpected_answer(what: &str, why: &str) -> CallError {
    CallError { sent: Sent::Maybe, ..call_error(Fault::Service, "UnexpectedAnswer", format!("{what}: {why}")) }
}

/// A failed call of the SDK. `what` names the function or queue for people.
pub(super) fn from_sdk<E>(what: &str, error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(what, service.err().code(), service.err().message(), status, header_of(service.raw()))
        }
        SdkError::ResponseError(response) => {
            unreadable_answer(what, response.raw().status().as_u16(), &chain(&error), header_of(response.raw()))
        }
        SdkError::TimeoutError(_) => CallError {
            sent: Sent::Maybe,
            ..call_error(Fault::Service, "TimedOut", format!("{what}: {}", chain(&error)))
        },
        SdkError::DispatchFailure(dispatch) => match find::<CredentialsError>(&error) {
            Some(credentials) => no_credentials(credentials),
            None => not_answered(what, dispatch.as_connector_error(), &error),
        },
        _ => match find::<CredentialsError>(&error) {
            Some(credentials) => no_credentials(credentials),
            None => call_error(Fault::Route, "InvalidRequest", format!("{what}: {}", chain(&error))),
        },
    }
}

/// An error answer means that the call was not carried out. Exceptions: a status that is not an error, since such an
/// answer is not from AWS; and a gateway that lost the answer of the service behind it.
fn sent(status: u16, has_code: bool) -> Sent {
    match status {
        ..400 => Sent::Maybe,
        502 | 504 if !has_code => Sent::Maybe,
        _ => Sent::Rejected,
    }
}

fn header_of<'a>(response: &'a HttpResponse) -> impl Fn(&str) -> Option<&'a str> {
    move |name| response.headers().get(name)
}

/// An answer with an error. Without a code and a message it is not from AWS, or it is unreadable.
pub(super) fn answered<'a>(
    what: &str,
    code: Option<&str>,
    message: Option<&str>,
    status: u16,
    header: impl Fn(&str) -> Option<&'a str>,
) -> CallError {
    rejected(what, code, message, status, sent(status, code.is_some()), header)
}

/// An answer that is cut short, or is not what the service sends.
pub(super) fn unreadable_answer<'a>(
    what: &str,
    status: u16,
    why: &str,
    header: impl Fn(&str) -> Option<&'a str>,
) -> CallError {
    let message = format!("the answer (status {status}) cannot be read: {why}");
    rejected(what, Some("UnreadableAnswer"), Some(&message), status, sent(status, false), header)
}

fn rejected<'a>(
    what: &str,
    code: Option<&str>,
    message: Option<&str>,
    status: u16,
    sent: Sent,
    header: impl Fn(&str) -> Option<&'a str>,
) -> CallError {
    let code = code.map_or_else(|| format!("Http{status}"), |code| bare(code).to_owned());
    // Only the first line: after it, errors of signatures repeat the request's headers, token included.
    let line = message.and_then(|text| text.lines().next()).filter(|line| !line.is_empty());
    let line = line.map_or_else(|| format!("AWS answered with status {status} and no message"), str::to_owned);
    let fault = fault(&code, status);
    // Not for other errors of credentials: the clock may be wrong and corrected for long when they expire.
    let skew = header("date").filter(|_| is_about_time(&code, &line)).and_then(|date| skewed(date, SystemTime::now()));
    let (code, message) = match skew {
        Some(skew) => {
            let message =
                format!("{what}: {skew}: calls are signed with AWS's time from now on. AWS said {code}: {line}");
            (CLOCK_SKEWED.to_owned(), message)
        }
        None => (code, format!("{what}: {line}")),
    };
    CallError {
        fault,
        sent,
        code,
        message,
        request_id: header("x-amzn-requestid").unwrap_or_default().to_owned(),
        retry_after_ms: header("retry-after").and_then(retry_after_ms),
    }
}

/// Whether AWS rejects a signature for its time, not for its key.
fn is_about_time(code: &str, line: &str) -> bool {
    ["RequestTimeTooSkewed", "RequestExpired"].contains(&code)
        || ["Signature expired", "Signature not yet current"].iter().any(|start| line.starts_with(start))
}

/// How far the clock of this machine is from AWS's, if so far that signatures are not accepted.
fn skewed(date: &str, ours: SystemTime) -> Option<String> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?;
    let aws = SystemTime::try_from(date).ok()?;
    let (skew, direction) = match ours.duration_since(aws) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    (skew >= SKEW).then(|| format!("the clock of this machine is {} s {direction} AWS's", skew.as_secs()))
}

/// Seconds, as Lambda writes them. The other form that HTTP allows, a date, is ignored.
fn retry_after_ms(text: &str) -> Option<u64> {
    text.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000))
}

/// No credentials can be had.
pub(super) fn no_credentials(error: &CredentialsError) -> CallError {
    let code = match error {
        CredentialsError::CredentialsNotLoaded(_) => "NoCredentials",
        CredentialsError::ProviderTimedOut(_) => CREDENTIALS_TIMED_OUT,
        _ => "CredentialsFailed",
    };
    // The SDK makes no provider at all where its chain is empty.
    let origin = find::<Origin>(error).map_or("the AWS default chain", |origin| origin.origin.as_str());
    call_error(Fault::Identity, code, format!("no credentials from {origin}: {}", chain(error)))
}

fn not_answered(what: &str, connector: Option<&ConnectorError>, error: &(dyn Error + 'static)) -> CallError {
    // The innermost cause is the useful one; those around it only name layers of the SDK.
    let cause = std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string();
    if connector.is_some_and(ConnectorError::is_user) {
        return call_error(Fault::Route, "InvalidRequest", format!("{what} cannot be reached: {cause}"));
    }
    match find::<ConnectionLost>(error) {
        Some(_) => connection_lost(what, &cause),
        None => not_connected(what, connector.is_some_and(ConnectorError::is_timeout), &cause),
    }
}

/// No connection could be made, so that AWS has not seen the call.
pub(super) fn not_connected(what: &str, timed_out: bool, cause: &str) -> CallError {
    let code = if timed_out { "ConnectTimedOut" } else { "ConnectionFailed" };
    // What rustls says when the first bytes are not TLS.
    let cause = match cause.contains("InvalidContentType") {
        true => "the server does not speak TLS (is its URL http:// in place of https://?)",
        false => cause,
    };
    call_error(Fault::Service, code, format!("{what} cannot be reached: {cause}"))
}

/// A connection that ended before an answer came: AWS may have taken the call.
pub(super) fn connection_lost(what: &str, cause: &str) -> CallError {
    let message = format!("{what}: the connection ended before an answer came: {cause}");
    CallError { sent: Sent::Maybe, ..call_error(Fault::Service, "ConnectionFailed", message) }
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// The error and its causes, without repetitions: the SDK's outer errors say little.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |&error| error.source()) {
        let line = cause.to_string();
        if !lines.iter().any(|before| before.contains(&line)) {
            lines.push(line);
        }
    }
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_answer_was_not_carried_out_unless_a_gateway_gave_it() {
        for (status, has_code, expected) in [
            (400, true, Sent::Rejected),
            (403, false, Sent::Rejected),
            (500, false, Sent::Rejected),
            (503, false, Sent::Rejected),
            (502, true, Sent::Rejected),
            (502, false, Sent::Maybe),
            (504, false, Sent::Maybe),
            (200, false, Sent::Maybe),
            (302, false, Sent::Maybe),
        ] {
            assert_eq!(sent(status, has_code), expected, "{status} {has_code}");
        }
    }

    #[test]
    fn only_errors_of_the_signatures_time_are_the_clocks() {
        assert!(is_about_time(
            "InvalidSignatureException",
            "Signature expired: 20260101T000000Z is now earlier than ..."
        ));
        assert!(is_about_time(
            "SignatureDoesNotMatch",
            "Signature not yet current: 20260101T000000Z is still later than"
        ));
        assert!(is_about_time("RequestTimeTooSkewed", ""));
        assert!(!is_about_time("ExpiredTokenException", "The security token included in the request is expired"));
        assert!(!is_about_time("SignatureDoesNotMatch", "The request signature we calculated does not match"));
    }

    #[test]
    fn a_clock_that_is_minutes_off_is_named() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let date = "Fri, 31 Dec 1999 23:59:59 GMT";
        let aws = 946_684_799;
        assert_eq!(skewed(date, at(aws + 3_600)).unwrap(), "the clock of this machine is 3600 s ahead of AWS's");
        assert_eq!(skewed(date, at(aws - 300)).unwrap(), "the clock of this machine is 300 s behind AWS's");
        assert_eq!(skewed(date, at(aws + 200)), None);
        assert_eq!(skewed("yesterday", at(aws)), None);
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
