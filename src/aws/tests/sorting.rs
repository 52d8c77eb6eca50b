//! Every error code of both services, end to end.

use super::*;
use crate::aws::errors;
use crate::aws::outcomes::{Sort, TABLE, Teller};
use crate::executor::ports::{Health, Queues, ReceiveRequest};

const RECEIVE: ReceiveRequest = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 0, visibility_s: 60 };

/// What is expected of a code with the status it comes with.
fn class(sort: Sort, status: u16) -> FailureClass {
    match sort {
        Sort::Throttled => FailureClass::Throttled,
        Sort::Transient => FailureClass::Transient { no_service: status >= 500 },
        Sort::Permanent => FailureClass::Permanent,
        Sort::Credentials => FailureClass::Credentials,
    }
}

/// The errors of Invoke and of identities, with the status that AWS's service model gives them.
const LAMBDA: &[(Sort, u16, &[&str])] = &[
    (Sort::Throttled, 429, &["TooManyRequestsException"]),
    (Sort::Throttled, 400, &["ThrottlingException"]),
    (Sort::Transient, 500, &["ServiceException"]),
    (
        Sort::Transient,
        502,
        &[
            "EC2ThrottledException",
            "EC2UnexpectedException",
            "ENILimitReachedException",
            "ENINotReadyException",
            "SubnetIPAddressLimitReachedException",
            "ResourceNotReadyException",
        ],
    ),
    (
        Sort::Transient,
        409,
        &["ResourceConflictException", "SnapStartNotReadyException", "CodeArtifactUserPendingException"],
    ),
    (
        Sort::Transient,
        408,
        &[
            "SnapStartTimeoutException",
            "EFSMountConnectivityException",
            "EFSMountTimeoutException",
            "S3FilesMountConnectivityException",
            "S3FilesMountTimeoutException",
        ],
    ),
    (Sort::Permanent, 404, &["ResourceNotFoundException"]),
    (
        Sort::Permanent,
        400,
        &[
            "InvalidRequestContentException",
            "InvalidParameterValueException",
            "NoPublishedVersionException",
            "ModeNotSupportedException",
            "RecursiveInvocationException",
            "SnapStartException",
        ],
    ),
    (Sort::Permanent, 413, &["RequestTooLargeException", "SerializedRequestEntityTooLargeException"]),
    (Sort::Permanent, 415, &["UnsupportedMediaTypeException"]),
    (Sort::Permanent, 402, &["ServiceQuotaExceededException"]),
    (Sort::Permanent, 403, &["EFSMountFailureException", "S3FilesMountFailureException", "AccessDeniedException"]),
    (Sort::Permanent, 410, &["EFSIOException"]),
    (
        Sort::Permanent,
        502,
        &[
            "KMSAccessDeniedException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
            "EC2AccessDeniedException",
            "InvalidRuntimeException",
            "InvalidSecurityGroupIDException",
            "InvalidSubnetIDException",
            "InvalidZipFileException",
        ],
    ),
    (
        Sort::Credentials,
        403,
        &[
            "ExpiredTokenException",
            "ExpiredToken",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "RequestTimeTooSkewed",
            "MissingAuthenticationToken",
            "NotSignedUp",
        ],
    ),
    (Sort::Credentials, 400, &["RequestExpired", "IncompleteSignature"]),
];

/// SQS's own errors as its JSON protocol names them, and their code in the query protocol where it differs.
const SQS: &[(Sort, u16, &str, Option<&str>)] = &[
    (Sort::Throttled, 400, "RequestThrottled", None),
    (Sort::Throttled, 400, "KmsThrottled", Some("KMS.ThrottlingException")),
    (Sort::Throttled, 403, "OverLimit", None),
    (Sort::Transient, 500, "InternalFailure", None),
    (Sort::Transient, 503, "ServiceUnavailable", None),
    (Sort::Permanent, 400, "QueueDoesNotExist", Some("AWS.SimpleQueueService.NonExistentQueue")),
    (Sort::Permanent, 400, "InvalidAddress", None),
    (Sort::Permanent, 400, "InvalidSecurity", None),
    (Sort::Permanent, 400, "KmsAccessDenied", Some("KMS.AccessDeniedException")),
    (Sort::Permanent, 400, "KmsDisabled", Some("KMS.DisabledException")),
    (Sort::Permanent, 400, "KmsNotFound", Some("KMS.NotFoundException")),
    (Sort::Permanent, 400, "UnsupportedOperation", Some("AWS.SimpleQueueService.UnsupportedOperation")),
    (Sort::Permanent, 400, "ReceiptHandleIsInvalid", None),
    (Sort::Permanent, 400, "KmsInvalidState", Some("KMS.InvalidStateException")),
    (Sort::Permanent, 400, "KmsInvalidKeyUsage", Some("KMS.InvalidKeyUsageException")),
    (Sort::Permanent, 400, "KmsOptInRequired", Some("KMS.OptInRequired")),
    (Sort::Permanent, 400, "QueueDeletedRecently", Some("AWS.SimpleQueueService.QueueDeletedRecently")),
    (Sort::Permanent, 400, "EmptyBatchRequest", Some("AWS.SimpleQueueService.EmptyBatchRequest")),
    (Sort::Permanent, 400, "TooManyEntriesInBatchRequest", Some("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")),
    (Sort::Permanent, 400, "BatchEntryIdsNotDistinct", Some("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")),
    (Sort::Permanent, 400, "BatchRequestTooLong", Some("AWS.SimpleQueueService.BatchRequestTooLong")),
    (Sort::Permanent, 400, "InvalidBatchEntryId", Some("AWS.SimpleQueueService.InvalidBatchEntryId")),
    (Sort::Permanent, 400, "MessageNotInflight", Some("AWS.SimpleQueueService.MessageNotInflight")),
    (Sort::Permanent, 403, "AccessDeniedException", Some("AccessDenied")),
    (Sort::Credentials, 403, "ExpiredTokenException", Some("ExpiredToken")),
    (Sort::Credentials, 403, "UnrecognizedClientException", Some("InvalidClientTokenId")),
    (Sort::Credentials, 403, "InvalidClientTokenId", None),
    (Sort::Credentials, 403, "InvalidSignatureException", Some("SignatureDoesNotMatch")),
];

#[tokio::test]
async fn every_error_of_invoke_has_its_class() {
    let rows: Vec<(Sort, u16, &'static str)> =
        LAMBDA.iter().flat_map(|(sort, status, codes)| codes.iter().map(|code| (*sort, *status, *code))).collect();
    let answers = rows.clone();
    let server = FakeServer::start(move |n, _| lambda_error(answers[n].1, answers[n].2)).await;
    let aws = aws(&server);
    for (sort, status, code) in rows {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!(error.class, class(sort, status), "{code}");
        assert_eq!(error.message, "function `run`: as told by AWS", "{code}");
    }
}

#[tokio::test]
async fn every_error_of_sqs_has_its_class() {
    let server = FakeServer::start(move |n, _| sqs_error(SQS[n].1, SQS[n].2)).await;
    let aws = aws(&server);
    for (sort, status, code, _) in SQS {
        let error = aws.receive(RECEIVE).await.unwrap_err();
        assert_eq!(error.code, *code);
        assert_eq!(error.class, class(*sort, *status), "{code}");
        assert_eq!(error.message, format!("queue {RESULTS}: as told by AWS"), "{code}");
    }
}

#[tokio::test]
async fn codes_of_the_older_protocol_have_the_same_class() {
    let rows: Vec<_> =
        SQS.iter().filter_map(|(sort, status, code, old)| Some((*sort, *status, *code, (*old)?))).collect();
    let answers = rows.clone();
    let server = FakeServer::start(move |n, _| match sqs_error(answers[n].1, answers[n].2) {
        Answer::Reply(status, mut headers, body) => {
            headers.push(("x-amzn-query-error", format!("{};Sender", answers[n].3)));
            Answer::Reply(status, headers, body)
        }
        other => other,
    })
    .await;
    let aws = aws(&server);
    for (sort, status, code, old) in rows {
        let error = aws.receive(RECEIVE).await.unwrap_err();
        assert_eq!(error.code, errors::bare(old), "{code}");
        assert_eq!(error.class, class(sort, status), "{code}");
    }
}

/// Every code of expired, invalid or missing credentials and of clock skew, whichever service says it and with
/// whatever status.
#[tokio::test]
async fn every_code_of_credentials_is_known_of_both_services() {
    let known: Vec<&str> =
        TABLE.iter().filter(|known| known.sort == Sort::Credentials).map(|known| known.code).collect();
    for code in [
        "ExpiredTokenException",
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "MissingAuthenticationToken",
        "IncompleteSignature",
        "NotSignedUp",
    ] {
        assert!(known.contains(&code), "{code}");
    }
    let answers: Vec<(u16, &str)> = known.iter().flat_map(|code| [(400, *code), (403, *code)]).collect();
    let rows = answers.clone();
    let server = FakeServer::start(move |n, seen| {
        // Five calls for each row.
        let (status, code) = answers[n / 5];
        if seen.header("x-amz-target").is_some() { sqs_error(status, code) } else { lambda_error(status, code) }
    })
    .await;
    let aws = aws(&server);
    for (status, code) in rows {
        for error in [
            invoke(&aws).await.unwrap_err(),
            aws.check().await.unwrap_err(),
            aws.receive(RECEIVE).await.unwrap_err(),
            aws.delete(0, vec!["r".into()]).await.unwrap_err(),
            aws.change_visibility(0, vec![("r".into(), 0)]).await.unwrap_err(),
        ] {
            assert_eq!((error.class, error.code.as_str()), (FailureClass::Credentials, code), "{status}: {error}");
        }
    }
}

/// Codes that either service may use are asked of Lambda: the way to the table is the same for both.
#[tokio::test]
async fn every_code_of_the_table_is_sorted_as_answered() {
    let server = FakeServer::start(|n, _| lambda_error(400, TABLE[n].code)).await;
    let aws = aws(&server);
    for known in TABLE {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class(known.sort, 400), known.code));
    }
}

/// A new code of one service comes with its row above, where its status is told.
#[test]
fn every_code_of_one_service_has_its_row() {
    let lambda: Vec<&str> = LAMBDA.iter().flat_map(|(.., codes)| codes.iter().copied()).collect();
    for known in TABLE {
        let has_row = match known.from {
            Teller::Lambda => lambda.contains(&known.code),
            Teller::Sqs => {
                let of_sqs = |row: &(Sort, u16, &str, Option<&str>)| {
                    row.2 == known.code || row.3.map(errors::bare) == Some(known.code)
                };
                SQS.iter().any(of_sqs)
            }
            Teller::Both => true,
        };
        assert!(has_row, "{}", known.code);
    }
}

#[tokio::test]
async fn throttling_tells_its_reason_and_how_long_to_wait() {
    let server = FakeServer::start(|_, _| {
        Answer::Reply(
            429,
            vec![("x-amzn-errortype", "TooManyRequestsException".into()), ("retry-after", "7".into())],
            r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#
                .into(),
        )
    })
    .await;
    let error = invoke(&aws(&server)).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Throttled);
    assert_eq!(error.retry_after_ms, Some(7_000));
    assert_eq!(error.message, "function `run`: Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded)");
    assert_eq!(server.seen().len(), 1, "the SDK must not try again by itself");
}

#[tokio::test]
async fn what_is_not_from_aws_goes_by_its_status() {
    let pages: &[(u16, FailureClass)] = &[
        (502, FailureClass::Transient { no_service: true }),
        (503, FailureClass::Transient { no_service: true }),
        (403, FailureClass::Permanent),
        (407, FailureClass::Permanent),
        (429, FailureClass::Throttled),
        (200, FailureClass::Transient { no_service: true }),
    ];
    let server = FakeServer::start(|n, _| Answer::Reply(pages[n].0, vec![], "<html>Bad Gateway</html>".into())).await;
    let aws = aws(&server);
    for (status, class) in pages {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!(error.class, *class, "{status}: {error}");
    }
}

#[tokio::test]
async fn errors_of_signatures_do_not_repeat_the_request() {
    let server = FakeServer::start(|_, _| {
        Answer::Reply(
            403,
            vec![("x-amzn-errortype", "InvalidSignatureException".into())],
            r#"{"message":"The signature does not match.\n\nThe Canonical String was\nx-amz-security-token:hunter2"}"#
                .into(),
        )
    })
    .await;
    let error = invoke(&aws(&server)).await.unwrap_err();
    assert_eq!(error.message, "function `run`: The signature does not match.");
}
