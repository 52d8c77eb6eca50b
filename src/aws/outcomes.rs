//! The table of AWS's error codes: what each means, and so what is done about it. `docs/errors.md` is made from it.

/// The class of a code in the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sort {
    /// Slow down.
    Throttled,
    /// May pass; with a status of 5xx perhaps the whole service is away.
    Transient,
    /// Will not pass.
    Permanent,
    /// Who we are.
    Credentials,
}

/// Who answers with a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Teller {
    Lambda,
    Sqs,
    Both,
}

/// One code, without what AWS puts before it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) code: &'static str,
    pub(super) sort: Sort,
    /// For the page, as the next.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) from: Teller,
    /// A sentence.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) about: &'static str,
}

const fn known(code: &'static str, sort: Sort, from: Teller, about: &'static str) -> Known {
    Known { code, sort, from, about }
}

use Sort::{Credentials, Permanent, Throttled, Transient};
use Teller::{Both, Lambda, Sqs};

/// Every code that is known.
#[rustfmt::skip]
pub(super) const TABLE: &[Known] = &[
    known("TooManyRequestsException", Throttled, Lambda, "Too many events or calls at a time; its `Reason` says which limit. `Retry-After` is honoured."),
    known("Throttling", Throttled, Both, "Too many calls."),
    known("ThrottlingException", Throttled, Both, "Too many calls."),
    known("ThrottledException", Throttled, Both, "Too many calls."),
    known("RequestThrottled", Throttled, Sqs, "Too many calls to the queue."),
    known("RequestThrottledException", Throttled, Both, "Too many calls."),
    known("RequestLimitExceeded", Throttled, Both, "Too many calls."),
    known("BandwidthLimitExceeded", Throttled, Both, "Too much data."),
    known("SlowDown", Throttled, Both, "Too many calls."),
    known("PriorRequestNotComplete", Throttled, Both, "The call before is still under way."),
    known("KmsThrottled", Throttled, Sqs, "Too many calls to KMS for the queue's key."),
    known("KMS.ThrottlingException", Throttled, Sqs, "The same, in the older protocol."),
    known("OverLimit", Throttled, Sqs, "Too many messages are in flight (about 120,000)."),

    known("ServiceException", Transient, Lambda, "An error inside Lambda."),
    known("EC2ThrottledException", Transient, Lambda, "EC2 slows Lambda down while it prepares the function's network."),
    known("EC2UnexpectedException", Transient, Lambda, "EC2 failed while Lambda prepared the function's network."),
    known("ENINotReadyException", Transient, Lambda, "The function's network interface is not ready."),
    known("ENILimitReachedException", Transient, Lambda, "The VPC has no network interface left for the function."),
    known("SubnetIPAddressLimitReachedException", Transient, Lambda, "The subnet has no address left for the function."),
    known("ResourceNotReadyException", Transient, Lambda, "The function is inactive and is being made ready."),
    known("ResourceConflictException", Transient, Lambda, "Another operation on the function is under way."),
    known("SnapStartNotReadyException", Transient, Lambda, "The snapshot of the function is not ready."),
    known("SnapStartTimeoutException", Transient, Lambda, "The snapshot could not be restored in time."),
    known("EFSMountConnectivityException", Transient, Lambda, "The function's file system could not be reached."),
    known("EFSMountTimeoutException", Transient, Lambda, "The function's file system was not mounted in time."),
    known("S3FilesMountConnectivityException", Transient, Lambda, "The function's S3 file system could not be reached."),
    known("S3FilesMountTimeoutException", Transient, Lambda, "The function's S3 file system was not mounted in time."),
    known("CodeArtifactUserPendingException", Transient, Lambda, "The function's code is being prepared."),
    known("InternalFailure", Transient, Both, "An error inside AWS."),
    known("InternalError", Transient, Both, "An error inside AWS."),
    known("InternalServerError", Transient, Both, "An error inside AWS."),
    known("InternalServiceError", Transient, Both, "An error inside AWS."),
    known("ServiceUnavailable", Transient, Both, "The service is away for the moment."),
    known("ServiceUnavailableException", Transient, Both, "The service is away for the moment."),
    known("RequestTimeout", Transient, Both, "The request did not arrive in time."),
    known("RequestTimeoutException", Transient, Both, "The request did not arrive in time."),

    known("ResourceNotFoundException", Permanent, Lambda, "There is no such function, version or alias."),
    known("InvalidRequestContentException", Permanent, Lambda, "The event is not JSON."),
    known("InvalidParameterValueException", Permanent, Both, "A value in the request is not allowed."),
    known("InvalidParameterValue", Permanent, Both, "A value in the request is not allowed."),
    known("NoPublishedVersionException", Permanent, Lambda, "The function has no published version."),
    known("ModeNotSupportedException", Permanent, Lambda, "The function cannot be invoked in this way."),
    known("RecursiveInvocationException", Permanent, Lambda, "Lambda found the function invoking itself in a loop."),
    known("SnapStartException", Permanent, Lambda, "The snapshot of the function failed to start."),
    known("RequestTooLargeException", Permanent, Lambda, "The event is too large."),
    known("SerializedRequestEntityTooLargeException", Permanent, Lambda, "The event is too large."),
    known("UnsupportedMediaTypeException", Permanent, Lambda, "The content type is not JSON."),
    known("ServiceQuotaExceededException", Permanent, Lambda, "A quota of the account is used up."),
    known("EFSMountFailureException", Permanent, Lambda, "The function's file system cannot be mounted."),
    known("S3FilesMountFailureException", Permanent, Lambda, "The function's S3 file system cannot be mounted."),
    known("EFSIOException", Permanent, Lambda, "The function's file system cannot be read or written."),
    known("KMSAccessDeniedException", Permanent, Lambda, "Lambda may not use the key of the function's environment."),
    known("KMSDisabledException", Permanent, Lambda, "The key of the function's environment is disabled."),
    known("KMSInvalidStateException", Permanent, Lambda, "The key of the function's environment is in a state in which it cannot be used."),
    known("KMSNotFoundException", Permanent, Lambda, "The key of the function's environment is not there."),
    known("EC2AccessDeniedException", Permanent, Lambda, "The function's role may not prepare its network."),
    known("InvalidRuntimeException", Permanent, Lambda, "The function's runtime is not supported."),
    known("InvalidSecurityGroupIDException", Permanent, Lambda, "A security group of the function's network is not valid."),
    known("InvalidSubnetIDException", Permanent, Lambda, "A subnet of the function's network is not valid."),
    known("InvalidZipFileException", Permanent, Lambda, "The function's archive cannot be opened."),
    known("AccessDenied", Permanent, Both, "A permission is missing; the identity is fine."),
    known("AccessDeniedException", Permanent, Both, "A permission is missing; the identity is fine."),
    known("ValidationException", Permanent, Both, "A value in the request is not allowed."),
    known("ValidationError", Permanent, Both, "A value in the request is not allowed."),
    known("QueueDoesNotExist", Permanent, Sqs, "There is no such queue in this account and region."),
    known("NonExistentQueue", Permanent, Sqs, "The same, in the older protocol."),
    known("QueueDeletedRecently", Permanent, Sqs, "The queue was deleted less than a minute ago."),
    known("InvalidAddress", Permanent, Sqs, "The URL is none of a queue."),
    known("InvalidSecurity", Permanent, Sqs, "The queue wants HTTPS."),
    known("KmsAccessDenied", Permanent, Sqs, "We may not use the queue's key."),
    known("KMS.AccessDeniedException", Permanent, Sqs, "The same, in the older protocol."),
    known("KmsDisabled", Permanent, Sqs, "The queue's key is disabled."),
    known("KMS.DisabledException", Permanent, Sqs, "The same, in the older protocol."),
    known("KmsNotFound", Permanent, Sqs, "The queue's key is not there."),
    known("KMS.NotFoundException", Permanent, Sqs, "The same, in the older protocol."),
    known("KmsInvalidState", Permanent, Sqs, "The queue's key is in a state in which it cannot be used."),
    known("KMS.InvalidStateException", Permanent, Sqs, "The same, in the older protocol."),
    known("KmsInvalidKeyUsage", Permanent, Sqs, "The queue's key is of the wrong kind."),
    known("KMS.InvalidKeyUsageException", Permanent, Sqs, "The same, in the older protocol."),
    known("KmsOptInRequired", Permanent, Sqs, "The account may not use KMS."),
    known("KMS.OptInRequired", Permanent, Sqs, "The same, in the older protocol."),
    known("UnsupportedOperation", Permanent, Sqs, "The queue cannot do this."),
    known("ReceiptHandleIsInvalid", Permanent, Sqs, "The receipt is too old: the message is left, and known when it comes back."),
    known("MessageNotInflight", Permanent, Sqs, "The message is visible again already: it is left."),
    known("EmptyBatchRequest", Permanent, Sqs, "A batch without entries."),
    known("TooManyEntriesInBatchRequest", Permanent, Sqs, "A batch with more than ten entries."),
    known("BatchEntryIdsNotDistinct", Permanent, Sqs, "Two entries of a batch with one id."),
    known("BatchRequestTooLong", Permanent, Sqs, "A batch that is too long."),
    known("InvalidBatchEntryId", Permanent, Sqs, "An entry of a batch with an id that is not allowed."),

    known("ExpiredTokenException", Credentials, Both, "The temporary credentials have expired."),
    known("ExpiredToken", Credentials, Both, "The temporary credentials have expired."),
    known("InvalidToken", Credentials, Both, "The session token is not valid."),
    known("TokenRefreshRequired", Credentials, Both, "The session token has to be renewed."),
    known("InvalidClientTokenId", Credentials, Both, "The access key is not known."),
    known("UnrecognizedClientException", Credentials, Both, "The access key is not known."),
    known("InvalidAccessKeyId", Credentials, Both, "The access key is not known."),
    known("AuthFailure", Credentials, Both, "The credentials are not accepted."),
    known("SignatureDoesNotMatch", Credentials, Both, "The secret key is not the one of the access key, or the clock is wrong."),
    known("InvalidSignatureException", Credentials, Both, "The secret key is not the one of the access key, or the clock is wrong."),
    known("RequestExpired", Credentials, Both, "Our clock is behind by more than minutes."),
    known("RequestTimeTooSkewed", Credentials, Both, "Our clock differs by more than minutes."),
    known("MissingAuthenticationToken", Credentials, Both, "The request was not signed."),
    known("MissingAuthenticationTokenException", Credentials, Both, "The request was not signed."),
    known("IncompleteSignature", Credentials, Both, "The signature is not complete."),
    known("IncompleteSignatureException", Credentials, Both, "The signature is not complete."),
    known("NotSignedUp", Credentials, Both, "The account may not use the service."),
    known("OptInRequired", Credentials, Both, "The account may not use the service."),
];

#[cfg(any())]
mod page;
