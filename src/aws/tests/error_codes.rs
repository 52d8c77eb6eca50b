//! Every error code of both services, end to end.

use super::*;
use crate::aws::error_codes::bare;
use crate::executor::ports::{Queues, ReceiveRequest};

const RECEIVE: ReceiveRequest = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 0, visibility_s: 60 };

/// The errors of Invoke and of identities, with the status that AWS's service model gives them.
const LAMBDA: &[(Fault, u16, &[&str])] = &[
    (Fault::Account, 429, &["TooManyRequestsException"]),
    (Fault::Account, 400, &["ThrottlingException"]),
    (Fault::Service, 500, &["ServiceException"]),
    (
        Fault::Route,
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
        Fault::Route,
        409,
        &["ResourceConflictException", "SnapStartNotReadyException", "CodeArtifactUserPendingException"],
    ),
    (
        Fault::Route,
        408,
        &[
            "SnapStartTimeoutException",
            "EFSMountConnectivityException",
            "EFSMountTimeoutException",
            "S3FilesMountConnectivityException",
            "S3FilesMountTimeoutException",
        ],
    ),
    (Fault::Route, 404, &["ResourceNotFoundException"]),
    (
        Fault::Route,
        400,
        &[
            "InvalidParameterValueException",
            "NoPublishedVersionException",
            "ModeNotSupportedException",
            "RecursiveInvocationException",
            "SnapStartException",
        ],
    ),
    (Fault::Event, 400, &["InvalidRequestContentException"]),
    (
        Fault::Event,
        413,
        &["RequestEntityTooLargeException", "RequestTooLargeException", "SerializedRequestEntityTooLargeException"],
    ),
    (Fault::Event, 415, &["UnsupportedMediaTypeException"]),
    (Fault::Route, 402, &["ServiceQuotaExceededException"]),
    (Fault::Route, 403, &["EFSMountFailureException", "S3FilesMountFailureException", "AccessDeniedException"]),
    (Fault::Route, 410, &["EFSIOException"]),
    (
        Fault::Route,
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
        Fault::Identity,
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
    (Fault::Identity, 400, &["RequestExpired", "IncompleteSignature"]),
];

/// SQS's own errors as its JSON protocol names them, and their code in the query protocol where it differs.
const SQS: &[(Fault, u16, &str, Option<&str>)] = &[
    (Fault::Account, 400, "RequestThrottled", None),
    (Fault::Account, 400, "KmsThrottled", Some("KMS.ThrottlingException")),
    (Fault::Account, 403, "OverLimit", None),
    (Fault::Service, 500, "InternalFailure", None),
    (Fault::Service, 503, "ServiceUnavailable", None),
    (Fault::Route, 400, "QueueDoesNotExist", Some("AWS.SimpleQueueService.NonExistentQueue")),
    (Fault::Route, 400, "InvalidAddress", None),
    (Fault::Route, 400, "InvalidSecurity", None),
    (Fault::Route, 400, "KmsAccessDenied", Some("KMS.AccessDeniedException")),
    (Fault::Route, 400, "KmsDisabled", Some("KMS.DisabledException")),
    (Fault::Route, 400, "KmsNotFound", Some("KMS.NotFoundException")),
    (Fault::Route, 400, "UnsupportedOperation", Some("AWS.SimpleQueueService.UnsupportedOperation")),
    (Fault::Event, 400, "ReceiptHandleIsInvalid", None),
    (Fault::Route, 400, "KmsInvalidState", Some("KMS.InvalidStateException")),
    (Fault::Route, 400, "KmsInvalidKeyUsage", Some("KMS.InvalidKeyUsageException")),
    (Fault::Route, 400, "KmsOptInRequired", Some("KMS.OptInRequired")),
    (Fault::Route, 400, "QueueDeletedRecently", Some("AWS.SimpleQueueService.QueueDeletedRecently")),
    (Fault::Route, 400, "EmptyBatchRequest", Some("AWS.SimpleQueueService.EmptyBatchRequest")),
    (Fault::Route, 400, "TooManyEntriesInBatchRequest", Some("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")),
    (Fault::Route, 400, "BatchEntryIdsNotDistinct", Some("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")),
    (Fault::Route, 400, "BatchRequestTooLong", Some("AWS.SimpleQueueService.BatchRequestTooLong")),
    (Fault::Route, 400, "InvalidBatchEntryId", Some("AWS.SimpleQueueService.InvalidBatchEntryId")),
    (Fault::Event, 400, "MessageNotInflight", Some("AWS.SimpleQueueService.MessageNotInflight")),
    (Fault::Route, 403, "AccessDeniedException", Some("AccessDenied")),
    (Fault::Identity, 403, "ExpiredTokenException", Some("ExpiredToken")),
    (Fault::Identity, 403, "UnrecognizedClientException", Some("InvalidClientTokenId")),
    (Fault::Identity, 403, "InvalidClientTokenId", None),
    (Fault::Identity, 403, "InvalidSignatureException", Some("SignatureDoesNotMatch")),
];

#[tokio::test]
async fn every_error_of_invoke_has_its_fault() {
    let rows: Vec<(Fault, u16, &'static str)> =
        LAMBDA.iter().flat_map(|(fault, status, codes)| codes.iter().map(|code| (*fault, *status, *code))).collect();
    let answers = rows.clone();
    let server = FakeServer::start(move |n, _| lambda_error(answers[n].1, answers[n].2)).await;
    let aws = aws(&server);
    for (fault, _, code) in rows {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!((error.fault, error.sent), (fault, Sent::Rejected), "{code}");
        assert_eq!(error.request_id, "0002", "{code}");
        assert_eq!(error.message, "function `run`: the message of AWS", "{code}");
    }
}

#[tokio::test]
async fn every_error_of_sqs_has_its_fault() {
    let server = FakeServer::start(move |n, _| sqs_error(SQS[n].1, SQS[n].2)).await;
    let aws = aws(&server);
    for (fault, _, code, _) in SQS {
        let error = aws.receive(RECEIVE).await.unwrap_err();
        assert_eq!(error.code, *code);
        assert_eq!((error.fault, error.sent), (*fault, Sent::Rejected), "{code}");
        assert_eq!(error.message, format!("queue {RESULTS}: the message of AWS"), "{code}");
    }
}

#[tokio::test]
async fn codes_of_the_older_protocol_have_the_same_fault() {
    let rows: Vec<_> =
        SQS.iter().filter_map(|(fault, status, code, old)| Some((*fault, *status, *code, (*old)?))).collect();
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
    for (fault, _, code, old) in rows {
        let error = aws.receive(RECEIVE).await.unwrap_err();
        assert_eq!(error.code, bare(old), "{code}");
        assert_eq!(error.fault, fault, "{code}");
    }
}

/// Every code of expired, invalid or missing credentials and of a wrong clock, for both services and statuses.
#[tokio::test]
async fn every_code_of_credentials_is_recognised_from_both_services() {
    let known: Vec<&str> = ERROR_CODES.iter().filter(|row| row.fault == Fault::Identity).map(|row| row.code).collect();
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
            check(&aws).await.unwrap_err(),
            aws.receive(RECEIVE).await.unwrap_err(),
            aws.delete(0, vec!["r".into()]).await.unwrap_err(),
            aws.change_visibility(0, vec![("r".into(), 0)]).await.unwrap_err(),
        ] {
            assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, code), "{status}: {error}");
        }
    }
}

/// Through Lambda also for codes of SQS: both use the same table.
#[tokio::test]
async fn every_code_of_the_table_is_classified_by_it() {
    let server = FakeServer::start(|n, _| lambda_error(400, ERROR_CODES[n].code)).await;
    let aws = aws(&server);
    for row in ERROR_CODES {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!((error.fault, error.code.as_str()), (row.fault, row.code));
    }
}

/// A new code of one service needs a row above, with its status.
#[test]
fn every_code_of_one_service_has_its_row() {
    let lambda: Vec<&str> = LAMBDA.iter().flat_map(|(.., codes)| codes.iter().copied()).collect();
    for code in ERROR_CODES {
        let has_row = match code.service {
            Service::Lambda => lambda.contains(&code.code),
            Service::Sqs => SQS.iter().any(|row| row.2 == code.code || row.3.map(bare) == Some(code.code)),
            Service::Either => true,
        };
        assert!(has_row, "{}", code.code);
    }
}

/// A version or alias that only one task asks for is that task's fault, and that of the route's own is the route's.
#[tokio::test]
async fn a_missing_qualifier_is_the_fault_of_the_task_that_asked_for_it() {
    let server = FakeServer::start(|_, seen| {
        let code = if seen.line.ends_with("=busy") { "ServiceException" } else { "ResourceNotFoundException" };
        lambda_error(404, code)
    })
    .await;
    let mut settings = settings(&server);
    settings.functions[0].name = "run:live".into();
    let aws = Aws::new(settings);
    for (qualifier, fault) in
        [(None, Fault::Route), (Some("live"), Fault::Route), (Some("7"), Fault::Event), (Some("busy"), Fault::Service)]
    {
        assert_eq!(invoke_qualified(&aws, qualifier).await.unwrap_err().fault, fault, "{qualifier:?}");
    }
}

#[tokio::test]
async fn throttling_comes_with_its_reason_and_how_long_to_wait() {
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
    assert_eq!(error.fault, Fault::Account);
    assert_eq!(error.retry_after_ms, Some(7_000));
    assert_eq!(error.message, "function `run`: Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded)");
    assert_eq!(server.seen().len(), 1, "the SDK must not try again by itself");
}

#[tokio::test]
async fn an_answer_without_a_code_is_classified_by_its_status() {
    let pages: &[(u16, Fault, Sent)] = &[
        (502, Fault::Service, Sent::Maybe),
        (504, Fault::Service, Sent::Maybe),
        (503, Fault::Service, Sent::Rejected),
        (403, Fault::Route, Sent::Rejected),
        (407, Fault::Route, Sent::Rejected),
        (413, Fault::Event, Sent::Rejected),
        (429, Fault::Account, Sent::Rejected),
        (200, Fault::Service, Sent::Maybe),
    ];
    let server = FakeServer::start(|n, _| Answer::Reply(pages[n].0, vec![], "<html>Bad Gateway</html>".into())).await;
    let aws = aws(&server);
    for (status, fault, sent) in pages {
        let error = invoke(&aws).await.unwrap_err();
        assert_eq!((error.fault, error.sent), (*fault, *sent), "{status}: {error}");
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
