//! Lambda's API except Invoke of the first function, signatures and the admin paths.

mod support;

use lambda_executor_local::Options;
use serde_json::{Value, json};
use support::{Client, builtin, eventually, local};

const GET_FUNCTION: &str = "/2015-03-31/functions/lambda-executor-local";

#[test]
fn a_function_is_described() {
    let (_running, client) = builtin();
    let answer = client.lambda("GET", GET_FUNCTION, &[], b"");
    assert_eq!(answer.status, 200);
    let configuration = &answer.json()["Configuration"];
    assert_eq!(configuration["FunctionName"], "lambda-executor-local");
    assert_eq!(configuration["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:lambda-executor-local");
    assert_eq!((&configuration["State"], &configuration["Version"]), (&json!("Active"), &json!("$LATEST")));
    assert_eq!(configuration["Timeout"], 900);
    let by_arn =
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Alambda-executor-local";
    assert_eq!(client.lambda("GET", by_arn, &[], b"").status, 200);
}

#[test]
fn functions_and_qualifiers_that_do_not_exist_are_named() {
    let (_running, client) = builtin();
    let answer = client.invoke_of("other", "Event", &json!({}));
    assert_eq!(answer.error(), (404, "ResourceNotFoundException"));
    let arn = "arn:aws:lambda:us-east-1:000000000000:function";
    assert_eq!(answer.json()["Message"], format!("Function not found: {arn}:other"));
    let answer = client.lambda("GET", &format!("{GET_FUNCTION}?Qualifier=live"), &[], b"");
    assert_eq!(answer.json()["Message"], format!("Function not found: {arn}:lambda-executor-local:live"));
    assert_eq!(client.invoke_of("lambda-executor-local:1", "Event", &json!({})).status, 404);
    assert_eq!(client.invoke_of("a%20b", "Event", &json!({})).error(), (400, "InvalidParameterValueException"));
}

#[test]
fn versions_and_aliases_can_be_invoked() {
    let (_running, client) = builtin();
    assert_eq!(client.lambda("POST", &format!("{GET_FUNCTION}/versions"), &[], b"{}").json()["Version"], "1");
    let alias = json!({"Name": "live", "FunctionVersion": "1"}).to_string();
    let created = client.lambda("POST", &format!("{GET_FUNCTION}/aliases"), &[], alias.as_bytes());
    assert_eq!(created.status, 201);
    assert_eq!(client.lambda("GET", &format!("{GET_FUNCTION}/aliases/live"), &[], b"").json(), created.json());
    let again = client.lambda("POST", &format!("{GET_FUNCTION}/aliases"), &[], alias.as_bytes());
    assert_eq!(again.error(), (409, "ResourceConflictException"));
    let answer = client.invoke_of("lambda-executor-local:live", "RequestResponse", &json!({"task_key": "k"}));
    assert_eq!((answer.status, answer.header("x-amz-executed-version")), (200, "1"));
    let described = client.lambda("GET", &format!("{GET_FUNCTION}?Qualifier=live"), &[], b"").json();
    assert_eq!(described["Configuration"]["Version"], "1");
}

#[test]
fn functions_are_created_changed_and_deleted() {
    let (_running, client) = builtin();
    let letters = client.sqs("CreateQueue", &json!({"QueueName": "letters"})).json()["QueueUrl"].clone();
    let letters = letters.as_str().unwrap();
    let function = json!({
        "FunctionName": "mine",
        "Runtime": "provided.al2023",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Handler": "bootstrap",
        "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
        "Timeout": 5,
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:letters"},
        "Environment": {"Variables": {"LAMBDA_EXECUTOR_LOCAL_HANDLER": "/bin/sh -c 'exit 9'"}},
    });
    let create =
        |function: &Value| client.lambda("POST", "/2015-03-31/functions", &[], function.to_string().as_bytes());
    let created = create(&function);
    assert_eq!((created.status, &created.json()["Timeout"]), (201, &json!(5)));
    assert_eq!(create(&function).error(), (409, "ResourceConflictException"));
    let retries = json!({"MaximumRetryAttempts": 0}).to_string();
    let uri = "/2019-09-25/functions/mine/event-invoke-config";
    assert_eq!(client.lambda("PUT", uri, &[], retries.as_bytes()).json()["MaximumRetryAttempts"], 0);
    client.invoke_of("mine", "Event", &json!({"a": 1}));
    let letter = client.receive(letters);
    assert_eq!(letter["Body"], r#"{"a":1}"#);
    assert!(letter["MessageAttributes"]["ErrorMessage"]["StringValue"].as_str().unwrap().contains("exit status: 9"));
    let change = client.lambda("PUT", "/2015-03-31/functions/mine/configuration", &[], br#"{"Timeout": 7}"#);
    assert_eq!(change.json()["Timeout"], 7);
    assert_eq!(client.lambda("DELETE", "/2015-03-31/functions/mine", &[], b"").status, 204);
    assert_eq!(client.lambda("GET", "/2015-03-31/functions/mine", &[], b"").status, 404);
    let mut wrong = function.clone();
    wrong["Environment"]["Variables"]["LAMBDA_EXECUTOR_LOCAL_HANDLER"] = "no-such-program".into();
    let refused = create(&wrong);
    assert_eq!(refused.error(), (400, "InvalidParameterValueException"));
    assert!(refused.json()["message"].as_str().unwrap().contains("no-such-program is not on PATH"));
}

#[test]
fn the_handler_variable_has_effect_only_while_it_is_set() {
    let (_running, client) = builtin();
    let function = json!({
        "FunctionName": "mine",
        "Environment": {"Variables": {
            "LAMBDA_EXECUTOR_LOCAL_HANDLER": "/bin/false",
            "LAMBDA_EXECUTOR_LOCAL_STATE": "Pending",
        }},
    });
    client.lambda("POST", "/2015-03-31/functions", &[], function.to_string().as_bytes());
    let uri = "/2015-03-31/functions/mine/configuration";
    let changed = client.lambda("PUT", uri, &[], br#"{"Environment": {"Variables": {}}}"#);
    assert_eq!(changed.json()["State"], "Active");
    let described = client.lambda("GET", "/2015-03-31/functions/mine", &[], b"").json();
    assert_eq!(described["Code"]["Location"], "builtin");
}

#[test]
fn a_function_with_its_own_handler_has_the_default_concurrency_of_its_kind() {
    let running = local(json!({"handler": "builtin"}));
    let client = Client::of(&running);
    let function = json!({
        "FunctionName": "mine",
        "Environment": {"Variables": {"LAMBDA_EXECUTOR_LOCAL_HANDLER": "/bin/sleep 600"}},
    });
    client.lambda("POST", "/2015-03-31/functions", &[], function.to_string().as_bytes());
    let processors = std::thread::available_parallelism().unwrap().get();
    let events = 2 * processors + 3;
    for _ in 0..events {
        assert_eq!(client.invoke_of("mine", "Event", &json!({})).status, 202);
    }
    // Rejected because all slots are taken: by then waiting events would have started, too.
    eventually("all slots are taken", || client.invoke_of("mine", "RequestResponse", &json!({})).status == 429);
    assert_eq!(client.stats()["cold_starts"], 2 * processors);
}

#[test]
fn deleting_a_version_leaves_the_function() {
    let (_running, client) = builtin();
    for _ in 0..2 {
        client.lambda("POST", &format!("{GET_FUNCTION}/versions"), &[], b"{}");
    }
    let alias = json!({"Name": "live", "FunctionVersion": "2"}).to_string();
    client.lambda("POST", &format!("{GET_FUNCTION}/aliases"), &[], alias.as_bytes());
    let delete = |qualifier: &str| client.lambda("DELETE", &format!("{GET_FUNCTION}?Qualifier={qualifier}"), &[], b"");
    assert_eq!(delete("1").status, 204);
    assert_eq!(client.invoke_of("lambda-executor-local:1", "Event", &json!({"task_key": "k"})).status, 404);
    assert_eq!(delete("1").status, 404);
    assert_eq!(delete("2").error(), (409, "ResourceConflictException"));
    assert_eq!(delete("%24LATEST").error(), (400, "InvalidParameterValueException"));
    assert_eq!(delete("live").error(), (400, "InvalidParameterValueException"));
    assert_eq!(client.invoke_of("lambda-executor-local:live", "Event", &json!({"task_key": "k"})).status, 202);
    let published = client.lambda("POST", &format!("{GET_FUNCTION}/versions"), &[], b"{}").json();
    assert_eq!(published["Version"], "3", "a number is not reused");
}

#[test]
fn dead_letters_need_an_existing_standard_queue() {
    let (_running, client) = builtin();
    let fifo = json!({"QueueName": "letters.fifo", "Attributes": {"FifoQueue": "true"}});
    assert_eq!(client.sqs("CreateQueue", &fifo).status, 200);
    for (queue, why) in [("letters.fifo", "FIFO"), ("nowhere", "no such queue")] {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
        let function = json!({"FunctionName": "mine", "DeadLetterConfig": {"TargetArn": arn}}).to_string();
        let change = json!({"DeadLetterConfig": {"TargetArn": arn}}).to_string();
        let config = json!({"DestinationConfig": {"OnFailure": {"Destination": arn}}}).to_string();
        for (method, uri, body) in [
            ("POST", "/2015-03-31/functions".to_owned(), function),
            ("PUT", format!("{GET_FUNCTION}/configuration"), change),
            ("PUT", "/2019-09-25/functions/lambda-executor-local/event-invoke-config".to_owned(), config),
        ] {
            let refused = client.lambda(method, &uri, &[], body.as_bytes());
            assert_eq!(refused.error(), (400, "InvalidParameterValueException"), "{method} {uri}");
            let message = refused.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains(&arn) && message.contains(why), "{message}");
        }
    }
    assert_eq!(client.lambda("GET", "/2015-03-31/functions/mine", &[], b"").status, 404);
}

#[test]
fn a_function_that_is_not_active_cannot_be_invoked() {
    let (_running, client) = builtin();
    let function = json!({
        "FunctionName": "failed",
        "Environment": {"Variables": {"LAMBDA_EXECUTOR_LOCAL_STATE": "Failed"}},
    });
    client.lambda("POST", "/2015-03-31/functions", &[], function.to_string().as_bytes());
    let described = client.lambda("GET", "/2015-03-31/functions/failed", &[], b"").json();
    assert_eq!(described["Configuration"]["State"], "Failed");
    assert_eq!(client.invoke_of("failed", "Event", &json!({})).error(), (409, "ResourceConflictException"));
}

#[test]
fn reserved_concurrency_can_be_set_and_removed() {
    let (_running, client) = builtin();
    let uri = "/2017-10-31/functions/lambda-executor-local/concurrency";
    client.lambda("PUT", uri, &[], br#"{"ReservedConcurrentExecutions": 0}"#);
    assert_eq!(client.invoke("RequestResponse", &json!({"task_key": "k"})).status, 429);
    let described = client.lambda("GET", GET_FUNCTION, &[], b"").json();
    assert_eq!(described["Concurrency"]["ReservedConcurrentExecutions"], 0);
    client.lambda("DELETE", uri, &[], b"");
    assert_eq!(client.invoke("RequestResponse", &json!({"task_key": "k"})).status, 200);
}

#[test]
fn payloads_are_checked() {
    let (_running, client) = builtin();
    let uri = format!("{GET_FUNCTION}/invocations");
    let event = [("x-amz-invocation-type", "Event")];
    for payload in [&b"{"[..], b"nope", b"\"\xff\""] {
        let answer = client.lambda("POST", &uri, &event, payload);
        assert_eq!(answer.error(), (400, "InvalidRequestContentException"));
    }
    let string_of = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert_eq!(client.lambda("POST", &uri, &event, string_of(1_048_576).as_bytes()).status, 202);
    let answer = client.lambda("POST", &uri, &event, string_of(1_048_577).as_bytes());
    assert_eq!(answer.error(), (413, "RequestEntityTooLargeException"));
    let message = "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)";
    assert_eq!(answer.json(), json!({"Type": "User", "message": message}));
    assert_eq!(client.lambda("POST", &uri, &[], string_of(1_048_577).as_bytes()).status, 200);
    assert_eq!(
        client.lambda("POST", &uri, &[], string_of(6_300_000).as_bytes()).error(),
        (413, "RequestEntityTooLargeException")
    );
    let answer = client.lambda("POST", &uri, &[("x-amz-invocation-type", "Other")], b"");
    assert_eq!(answer.error(), (400, "InvalidParameterValueException"));
}

#[test]
fn unsigned_and_wrongly_signed_requests_are_refused_in_the_form_of_each_service() {
    let (_running, client) = builtin();
    let cases: [(&str, &str, Client); 4] = [
        (
            "UnrecognizedClientException",
            "InvalidClientTokenId;Sender",
            Client { access_key_id: "AKIAOTHER".into(), ..client.clone() },
        ),
        (
            "InvalidSignatureException",
            "SignatureDoesNotMatch;Sender",
            Client { secret_access_key: "guess".into(), ..client.clone() },
        ),
        (
            "InvalidSignatureException",
            "SignatureDoesNotMatch;Sender",
            Client { region: "eu-west-1".into(), ..client.clone() },
        ),
        ("InvalidSignatureException", "SignatureDoesNotMatch;Sender", Client { clock_skew_s: -600, ..client.clone() }),
    ];
    for (code, query_error, wrong) in cases {
        assert_eq!(wrong.invoke("Event", &json!({})).error(), (403, code));
        let answer = wrong.sqs("ListQueues", &json!({}));
        assert_eq!((answer.status, answer.header("x-amzn-query-error")), (403, query_error));
        assert!(answer.json()["__type"].as_str().unwrap().ends_with(code));
    }
    let unsigned = format!("GET {GET_FUNCTION} HTTP/1.1\r\nhost: {}\r\n\r\n", client.address);
    let answer = client.send(unsigned.as_bytes()).unwrap();
    assert_eq!(answer.error(), (403, "MissingAuthenticationTokenException"));
    assert_eq!(client.stats()["refused_signatures"], 9);
    assert_eq!(client.stats()["requests"], json!({}));
}

#[test]
fn half_a_pair_of_lasting_credentials_is_refused() {
    let error = Options::from_json(r#"{"lasting_access_key_id": "AKIALASTING"}"#).unwrap_err().to_string();
    assert!(error.contains("lasting_secret_access_key: expected text, as lasting_access_key_id is given"), "{error}");
}

#[test]
fn the_admin_paths_need_the_secret_key_and_valid_faults() {
    let (_running, client) = builtin();
    let other = Client { secret_access_key: "guess".into(), ..client.clone() };
    assert_eq!(other.admin("GET", "/_local/stats", &Value::Null).status, 403);
    let refused = client.admin("POST", "/_local/faults", &json!({"throtle": 1}));
    assert_eq!(refused.status, 400);
    assert!(refused.json()["message"].as_str().unwrap().contains("faults.throtle: no such option"));
    assert_eq!(client.admin("GET", "/_local/other", &Value::Null).status, 404);
}

#[test]
fn a_request_for_neither_service_is_refused() {
    let (_running, client) = builtin();
    let answer = client.lambda("POST", "/", &[], b"Action=ListQueues");
    assert_eq!(answer.error(), (404, "UnknownOperationException"));
    let answer = client.lambda("POST", "/2015-03-31/layers", &[], b"");
    assert_eq!(answer.error(), (404, "UnknownOperationException"));
}

#[test]
fn a_dry_run_has_the_checks_of_an_event_and_runs_nothing() {
    let (_running, client) = builtin();
    let event = json!({"task_key": "k"});
    let answer = client.invoke("DryRun", &event);
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(client.invoke_of("other", "DryRun", &event).error(), (404, "ResourceNotFoundException"));
    assert_eq!(client.invoke_of("lambda-executor-local:live", "DryRun", &event).status, 404);
    let uri = format!("{GET_FUNCTION}/invocations");
    let dry = [("x-amz-invocation-type", "DryRun")];
    assert_eq!(client.lambda("POST", &uri, &dry, b"{").error(), (400, "InvalidRequestContentException"));
    let large = format!("\"{}\"", "x".repeat(1_048_575));
    assert_eq!(client.lambda("POST", &uri, &dry, large.as_bytes()).error(), (413, "RequestEntityTooLargeException"));
    client.set_faults(&json!({"throttle": 1}));
    assert_eq!(client.invoke("DryRun", &event).status, 429);
    client.set_faults(&json!({}));
    client.invoke("Event", &event);
    assert_eq!(client.result()["task_key"], "k");
    client.invoke("RequestResponse", &event);
    let stats = client.stats();
    assert_eq!((&stats["dry_runs"], &stats["requests"]["Invoke"]), (&json!(5), &json!(2)));
    assert_eq!((&stats["events_accepted"], &stats["invocations"]), (&json!(1), &json!(2)));
}

#[test]
fn the_configuration_of_a_function_is_complete() {
    let (_running, client) = builtin();
    let letters = "arn:aws:sqs:us-east-1:000000000000:lambda-executor-dead-letters";
    for uri in [GET_FUNCTION.to_owned(), format!("{GET_FUNCTION}/configuration")] {
        let mut answer = client.lambda("GET", &uri, &[], b"").json();
        let configuration = match answer.get_mut("Configuration") {
            Some(configuration) => configuration.take(),
            None => answer,
        };
        assert_eq!(configuration["Timeout"], 900);
        assert_eq!(configuration["DeadLetterConfig"]["TargetArn"], letters);
        assert_eq!(configuration["Environment"]["Variables"]["QUEUE_URL"], client.queue_url);
    }
    let change = json!({
        "Timeout": 3,
        "DeadLetterConfig": {"TargetArn": ""},
        "Environment": {"Variables": {"QUEUE_URL": "http://127.0.0.1:1/000000000000/other"}},
    });
    let changed =
        client.lambda("PUT", &format!("{GET_FUNCTION}/configuration"), &[], change.to_string().as_bytes()).json();
    assert_eq!((&changed["Timeout"], changed.get("DeadLetterConfig")), (&json!(3), None));
    assert_eq!(changed["Environment"], change["Environment"]);
}

#[test]
fn the_state_of_a_function_can_be_changed_while_it_runs() {
    let (_running, client) = builtin();
    let uri = format!("{GET_FUNCTION}/configuration");
    let set = |variables: Value| {
        let change = json!({"Environment": {"Variables": variables}}).to_string();
        client.lambda("PUT", &uri, &[], change.as_bytes()).json()
    };
    let pending = set(json!({"LAMBDA_EXECUTOR_LOCAL_STATE": "Pending"}));
    assert_eq!((&pending["State"], &pending["StateReasonCode"]), (&json!("Pending"), &json!("Creating")));
    assert_eq!(client.invoke("Event", &json!({"task_key": "k"})).error(), (409, "ResourceConflictException"));
    assert_eq!(set(json!({}))["State"], "Active");
    assert_eq!(client.invoke("Event", &json!({"task_key": "k"})).status, 202);
}
