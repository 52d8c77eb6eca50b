//! The table of AWS's error codes: what each means, and whose fault it is. `docs/errors.md` is generated from it.

use crate::executor::ports::Fault;

/// Which service answers with a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// Lambda.
    Lambda,
    /// SQS.
    Sqs,
    /// Both of them.
    Either,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// AWS's code, without namespace and prefix.
    pub code: &'static str,
    /// Whose fault it is.
    pub fault: Fault,
    /// Which service uses it.
    pub service: Service,
    /// What it means: one sentence or two, in Markdown.
    pub meaning: &'static str,
}

/// The code without its namespace and without the prefix of SQS's older query protocol.
pub(super) fn bare(code: &str) -> &str {
    let code = code.rsplit_once('#').map_or(code, |(_, name)| name);
    code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)
}

/// Whose fault an error is: by its code, and by the HTTP status only where the code is not in the table.
pub(super) fn fault(code: &str, status: u16) -> Fault {
    let code = bare(code);
    match ERROR_CODES.iter().find(|row| row.code == code) {
        Some(row) => row.fault,
        None => fault_of_status(status),
    }
}

/// Whose fault an error with an unknown code is.
pub fn fault_of_status(status: u16) -> Fault {
    match status {
        429 => Fault::Account,
        413 => Fault::Event,
        408 => Fault::Service,
        400..500 => Fault::Route,
        // This includes statuses that are not errors: such an answer is not from AWS.
        _ => Fault::Service,
    }
}

const fn row(code: &'static str, fault: Fault, service: Service, meaning: &'static str) -> ErrorCode {
    ErrorCode { code, fault, service, meaning }
}

use Fault::{Account, Event, Identity, Route, Service as TheService};
use Service::{Either, Lambda, Sqs};

/// All codes that are known.
#[rustfmt::skip]
pub const ERROR_CODES: &[ErrorCode] = &[
    row("RequestEntityTooLargeException", Event, Lambda, "The event is too large."),
    row("InvalidRequestContentException", Event, Lambda, "The event is not JSON."),
    row("RequestTooLargeException", Event, Lambda, "The event is too large."),
    row("SerializedRequestEntityTooLargeException", Event, Lambda, "The event is too large."),
    row("UnsupportedMediaTypeException", Event, Lambda, "The content type is not JSON."),
    row("ReceiptHandleIsInvalid", Event, Sqs, "The receipt is too old. The message is left alone and recognised when it returns."),
    row("MessageNotInflight", Event, Sqs, "The message is visible again already. It is left alone."),

    row("EC2ThrottledException", Route, Lambda, "EC2 throttled Lambda while it prepared the network of the function."),
    row("EC2UnexpectedException", Route, Lambda, "EC2 failed while Lambda prepared the network of the function."),
    row("ENINotReadyException", Route, Lambda, "The network interface of the function is not ready."),
    row("ENILimitReachedException", Route, Lambda, "The VPC has no network interface left for the function."),
    row("SubnetIPAddressLimitReachedException", Route, Lambda, "The subnet has no address left for the function."),
    row("ResourceNotReadyException", Route, Lambda, "The function is inactive; Lambda is preparing it."),
    row("ResourceConflictException", Route, Lambda, "Another operation on the function is in progress, or its state is Pending."),
    row("SnapStartNotReadyException", Route, Lambda, "The snapshot of the function is not ready."),
    row("SnapStartTimeoutException", Route, Lambda, "The snapshot could not be restored in time."),
    row("EFSMountConnectivityException", Route, Lambda, "The file system of the function could not be reached."),
    row("EFSMountTimeoutException", Route, Lambda, "The file system of the function was not mounted in time."),
    row("S3FilesMountConnectivityException", Route, Lambda, "The S3 file system of the function could not be reached."),
    row("S3FilesMountTimeoutException", Route, Lambda, "The S3 file system of the function was not mounted in time."),
    row("CodeArtifactUserPendingException", Route, Lambda, "Lambda is preparing the code of the function."),
    row("ResourceNotFoundException", Route, Lambda, "No such function, version or alias. If only the task asked for the qualifier, the task alone fails."),
    row("InvalidParameterValueException", Route, Either, "A value in the request is not allowed."),
    row("InvalidParameterValue", Route, Either, "A value in the request is not allowed."),
    row("NoPublishedVersionException", Route, Lambda, "The function has no published version."),
    row("ModeNotSupportedException", Route, Lambda, "The function cannot be invoked in this way."),
    row("RecursiveInvocationException", Route, Lambda, "Lambda detected that the function invokes itself in a loop."),
    row("SnapStartException", Route, Lambda, "The snapshot of the function failed to start."),
    row("ServiceQuotaExceededException", Route, Lambda, "A quota of the account is exhausted."),
    row("EFSMountFailureException", Route, Lambda, "The file system of the function cannot be mounted."),
    row("S3FilesMountFailureException", Route, Lambda, "The S3 file system of the function cannot be mounted."),
    row("EFSIOException", Route, Lambda, "The file system of the function cannot be read or written."),
    row("KMSAccessDeniedException", Route, Lambda, "Lambda may not use the key that encrypts the environment of the function."),
    row("KMSDisabledException", Route, Lambda, "The key that encrypts the environment of the function is disabled."),
    row("KMSInvalidStateException", Route, Lambda, "The key that encrypts the environment of the function is in an unusable state."),
    row("KMSNotFoundException", Route, Lambda, "The key that encrypts the environment of the function does not exist."),
    row("EC2AccessDeniedException", Route, Lambda, "The role of the function may not prepare its network."),
    row("InvalidRuntimeException", Route, Lambda, "The runtime of the function is not supported."),
    row("InvalidSecurityGroupIDException", Route, Lambda, "A security group of the function is not valid."),
    row("InvalidSubnetIDException", Route, Lambda, "A subnet of the function is not valid."),
    row("InvalidZipFileException", Route, Lambda, "The archive of the function cannot be opened."),
    row("AccessDenied", Route, Either, "A permission is missing; the credentials are valid."),
    row("AccessDeniedException", Route, Either, "A permission is missing; the credentials are valid."),
    row("ValidationException", Route, Either, "A value in the request is not allowed."),
    row("ValidationError", Route, Either, "A value in the request is not allowed."),
    row("QueueDoesNotExist", Route, Sqs, "No such queue in this account and region."),
    row("NonExistentQueue", Route, Sqs, "`QueueDoesNotExist` in the older protocol."),
    row("QueueDeletedRecently", Route, Sqs, "The queue was deleted less than a minute ago."),
    row("InvalidAddress", Route, Sqs, "The URL is not the URL of a queue."),
    row("InvalidSecurity", Route, Sqs, "The queue accepts HTTPS only."),
    row("KmsAccessDenied", Route, Sqs, "We may not use the key of the queue."),
    row("KMS.AccessDeniedException", Route, Sqs, "`KmsAccessDenied` in the older protocol."),
    row("KmsDisabled", Route, Sqs, "The key of the queue is disabled."),
    row("KMS.DisabledException", Route, Sqs, "`KmsDisabled` in the older protocol."),
    row("KmsNotFound", Route, Sqs, "The key of the queue does not exist."),
    row("KMS.NotFoundException", Route, Sqs, "`KmsNotFound` in the older protocol."),
    row("KmsInvalidState", Route, Sqs, "The key of the queue is in an unusable state."),
    row("KMS.InvalidStateException", Route, Sqs, "`KmsInvalidState` in the older protocol."),
    row("KmsInvalidKeyUsage", Route, Sqs, "The key of the queue is of the wrong kind."),
    row("KMS.InvalidKeyUsageException", Route, Sqs, "`KmsInvalidKeyUsage` in the older protocol."),
    row("KmsOptInRequired", Route, Sqs, "The account may not use KMS."),
    row("KMS.OptInRequired", Route, Sqs, "`KmsOptInRequired` in the older protocol."),
    row("UnsupportedOperation", Route, Sqs, "The queue does not support this operation."),
    row("EmptyBatchRequest", Route, Sqs, "A batch without entries."),
    row("TooManyEntriesInBatchRequest", Route, Sqs, "A batch with more than ten entries."),
    row("BatchEntryIdsNotDistinct", Route, Sqs, "Two entries of a batch have the same id."),
    row("BatchRequestTooLong", Route, Sqs, "A batch that is too long."),
    row("InvalidBatchEntryId", Route, Sqs, "An entry of a batch has an id that is not allowed."),

    row("ServiceException", TheService, Lambda, "An error inside Lambda."),
    row("InternalFailure", TheService, Either, "An error inside AWS."),
    row("InternalError", TheService, Either, "An error inside AWS."),
    row("InternalServerError", TheService, Either, "An error inside AWS."),
    row("InternalServiceError", TheService, Either, "An error inside AWS."),
    row("ServiceUnavailable", TheService, Either, "The service is temporarily unavailable."),
    row("ServiceUnavailableException", TheService, Either, "The service is temporarily unavailable."),
    row("RequestTimeout", TheService, Either, "The request did not arrive in time."),
    row("RequestTimeoutException", TheService, Either, "The request did not arrive in time."),

    row("TooManyRequestsException", Account, Lambda, "Too many events or calls at a time; the `Reason` names the limit. `Retry-After` is honoured."),
    row("Throttling", Account, Either, "Too many calls."),
    row("ThrottlingException", Account, Either, "Too many calls."),
    row("ThrottledException", Account, Either, "Too many calls."),
    row("RequestThrottled", Account, Sqs, "Too many calls to the queue."),
    row("RequestThrottledException", Account, Either, "Too many calls."),
    row("RequestLimitExceeded", Account, Either, "Too many calls."),
    row("BandwidthLimitExceeded", Account, Either, "Too much data."),
    row("SlowDown", Account, Either, "Too many calls."),
    row("PriorRequestNotComplete", Account, Either, "The previous call is still in progress."),
    row("KmsThrottled", Account, Sqs, "Too many calls to KMS for the key of the queue."),
    row("KMS.ThrottlingException", Account, Sqs, "`KmsThrottled` in the older protocol."),
    row("OverLimit", Account, Sqs, "Too many messages are in flight (about 120,000)."),

    row("ExpiredTokenException", Identity, Either, "The temporary credentials have expired."),
    row("ExpiredToken", Identity, Either, "The temporary credentials have expired."),
    row("InvalidToken", Identity, Either, "The session token is not valid."),
    row("TokenRefreshRequired", Identity, Either, "The session token must be renewed."),
    row("InvalidClientTokenId", Identity, Either, "The access key does not exist."),
    row("UnrecognizedClientException", Identity, Either, "The access key does not exist."),
    row("InvalidAccessKeyId", Identity, Either, "The access key does not exist."),
    row("AuthFailure", Identity, Either, "The credentials are not accepted."),
    row("SignatureDoesNotMatch", Identity, Either, "The secret key does not belong to the access key, or our clock is wrong."),
    row("InvalidSignatureException", Identity, Either, "The secret key does not belong to the access key, or our clock is wrong."),
    row("RequestExpired", Identity, Either, "Our clock is several minutes slow."),
    row("RequestTimeTooSkewed", Identity, Either, "Our clock is wrong by several minutes."),
    row("MissingAuthenticationToken", Identity, Either, "The request was not signed."),
    row("MissingAuthenticationTokenException", Identity, Either, "The request was not signed."),
    row("IncompleteSignature", Identity, Either, "The signature is incomplete."),
    row("IncompleteSignatureException", Identity, Either, "The signature is incomplete."),
    row("NotSignedUp", Identity, Either, "The account may not use the service."),
    row("OptInRequired", Identity, Either, "The account may not use the service."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_in_the_table_once() {
        let mut codes: Vec<&str> = ERROR_CODES.iter().map(|row| row.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn each_meaning_is_a_sentence_that_fits_into_a_table() {
        for row in ERROR_CODES {
            assert!(row.meaning.ends_with('.') && !row.meaning.contains('|'), "{}", row.code);
        }
    }

    #[test]
    fn prefixes_are_ignored() {
        for code in ["com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"] {
            assert_eq!(fault(code, 500), Fault::Route);
        }
        assert_eq!(fault("KMS.ThrottlingException", 400), Fault::Account);
    }

    #[test]
    fn an_unknown_code_is_classified_by_its_status() {
        for (status, expected) in [
            (400, Fault::Route),
            (403, Fault::Route),
            (408, Fault::Service),
            (413, Fault::Event),
            (429, Fault::Account),
            (500, Fault::Service),
            (503, Fault::Service),
            (302, Fault::Service),
            (200, Fault::Service),
        ] {
            assert_eq!(fault("NewException", status), expected, "{status}");
        }
    }
}
