//! Sends a result to SQS, and retries until SQS accepts it, the time is up, or a retry cannot help.

use crate::aws_error;
use crate::digest::hex_digest;
use crate::log::{self, Level};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message::SendMessageError;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Time limit of one try. SQS answers in milliseconds. A lost connection must not use up the time of the other tries.
const TRY_LIMIT: Duration = Duration::from_secs(5);

/// AWS's codes of errors that no retry can fix. Others, and failures that never reached AWS, may pass. SQS also answers
/// with the codes of its older protocol, which the SDK prefers: the list has both.
const PERMANENT: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "InvalidAddress",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "InvalidSecurity",
    "KMS.AccessDeniedException",
    "KMS.DisabledException",
    "KMS.InvalidKeyUsageException",
    "KMS.InvalidStateException",
    "KMS.NotFoundException",
    "KMS.OptInRequired",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsInvalidKeyUsage",
    "KmsInvalidState",
    "KmsNotFound",
    "KmsOptInRequired",
    "MissingParameter",
    "OptInRequired",
    "QueueDoesNotExist",
    "UnsupportedOperation",
    // Lambda passes credentials to a sandbox only once.
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotSignedUp",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// One result to deliver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) queue_url: &'a str,
    pub(crate) body: &'a str,
    pub(crate) task_key: &'a str,
    /// The attempt id, else the request id.
    pub(crate) submission: &'a str,
}

/// Why the result was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDelivered {
    #[error("the result was not sent: {queue_url} rejects it permanently: {reason}")]
    Refused { queue_url: String, reason: String },
    #[error("the result was not sent: {queue_url} was tried {tries} times until the function's time was up: {reason}")]
    TimeUp { queue_url: String, tries: u32, reason: String },
}

/// Sends the result, trying until `until`.
pub(crate) async fn deliver(client: &Client, delivery: Delivery<'_>, until: Instant) -> Result<(), NotDelivered> {
    let mut pause = FIRST_PAUSE;
    let mut tries = 0;
    let mut reason = "no time was left for the first try".to_owned();
    let queue_url = delivery.queue_url.to_owned();
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        tries += 1;
        let limit = TRY_LIMIT.min(left);
        match tokio::time::timeout(limit, request(client, delivery).send()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => {
                reason = aws_error::describe(&error);
                if is_permanent(&error) {
                    return Err(NotDelivered::Refused { queue_url, reason });
                }
            }
            Err(_) => reason = format!("no answer within {} ms", limit.as_millis()),
        }
        let wait = jittered(pause);
        if Instant::now() + wait >= until {
            break;
        }
        log::write(
            Level::Warn,
            &format!("the result cannot be sent yet, next try in {} ms: {reason}", wait.as_millis()),
            &[("task_key", delivery.task_key.into()), ("queue_url", queue_url.as_str().into())],
        );
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(NotDelivered::TimeUp { queue_url, tries, reason })
}

fn request(
    client: &Client,
    delivery: Delivery<'_>,
) -> aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder {
    let request = client.send_message().queue_url(delivery.queue_url).message_body(delivery.body);
    if delivery.queue_url.ends_with(".fifo") {
        // One group for each task: results of different tasks need no order. A key may be longer than a group id.
        request.message_group_id(hex_digest(delivery.task_key)).message_deduplication_id(delivery.submission)
    } else {
        request
    }
}

fn is_permanent(error: &SdkError<SendMessageError>) -> bool {
    // A request that cannot be built fails the same way again.
    matches!(error, SdkError::ConstructionFailure(_))
        || error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| PERMANENT.contains(&code))
}

/// `pause` times a factor from 0.75 to 1, so that many functions do not retry at the same moment.
fn jittered(pause: Duration) -> Duration {
    // Each `RandomState` has a new seed: random enough for this.
    let random = RandomState::new().build_hasher().finish() % 256;
    pause * 3 / 4 + pause / 4 * u32::try_from(random).unwrap_or(0) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_bounds() {
        for _ in 0..1_000 {
            let pause = jittered(LONGEST_PAUSE);
            assert!((LONGEST_PAUSE * 3 / 4..=LONGEST_PAUSE).contains(&pause), "{pause:?}");
        }
    }
}
