//! What messages are read as.

use super::*;

const ID: &str = "11111111-1111-4111-8111-111111111111";

fn message(body: &str) -> Message {
    Message { body: body.into(), ..Message::default() }
}

fn outcome(body: &str) -> Outcome {
    match read(message(body)).content {
        Content::Outcome(outcome) => outcome,
        other => panic!("{body}: {other:?}"),
    }
}

fn result(body: &str) -> CommandResult {
    match outcome(body).report {
        Report::Result(result) => *result,
        other => panic!("{body}: {other:?}"),
    }
}

fn malformed(message: Message) -> String {
    match read(message).content {
        Content::Malformed(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_two_members_of_airflows_handler_are_a_result() {
    let read = outcome(r#"{"task_key": "k", "return_code": 3, "extra": [1]}"#);
    assert_eq!((&*read.key, read.attempt), ("k", Attempt::Absent));
    assert!(matches!(read.report, Report::Result(r) if r.return_code == 3));
}

#[test]
fn s17_integral_numbers_are_return_codes_and_everything_else_is_reported() {
    for (written, code) in [
        ("0", 0),
        ("-0", 0),
        ("0.0", 0),
        ("-0.0", 0),
        ("1e0", 1),
        ("2.0", 2),
        ("-9", -9),
        ("9223372036854775808", i32::MAX),
        ("-9223372036854775809", i32::MIN),
        ("1e300", i32::MAX),
    ] {
        let body = format!(r#"{{"task_key": "k", "attempt_id": "{ID}", "return_code": {written}}}"#);
        assert_eq!(result(&body).return_code, code, "{written}");
    }
    for (written, what) in [
        ("1.5", "the number 1.5"),
        (r#""0""#, "a string"),
        ("true", "a boolean"),
        ("false", "a boolean"),
        ("null", "null"),
        ("[0]", "a list"),
        ("{}", "an object"),
        ("1e999", "the number 1e999"),
    ] {
        let read = outcome(&format!(r#"{{"task_key": "k", "attempt_id": "{ID}", "return_code": {written}}}"#));
        let Report::Unreadable(why) = read.report else { panic!("{written}: {read:?}") };
        assert_eq!(why, format!("`return_code` in the result is {what}, not an integer"));
    }
}

#[test]
fn s17_without_an_id_the_outcome_is_the_one_that_airflow_gives() {
    assert_eq!(result(r#"{"task_key": "k", "return_code": false}"#).return_code, 0);
    assert_eq!(result(r#"{"task_key": "k", "return_code": 0.0}"#).return_code, 0);
    for failed in [r#""0""#, "null", "true", "[0]"] {
        let read = outcome(&format!(r#"{{"task_key": "k", "return_code": {failed}}}"#));
        assert!(matches!(read.report, Report::Unreadable(_)), "{failed}");
    }
}

#[test]
fn s17_a_result_with_a_byte_order_mark_a_control_character_or_a_bad_escape_is_read() {
    let bom = format!("\u{feff}{{\"task_key\": \"k\", \"attempt_id\": \"{ID}\", \"return_code\": 4}}");
    assert_eq!(result(&bom).return_code, 4);
    let control = format!(
        "{{\"task_key\": \"k\", \"attempt_id\": \"{ID}\", \"output_tail\": \"a\tb\u{1}\", \"return_code\": 4}}"
    );
    assert_eq!((result(&control).return_code, result(&control).output_tail.as_str()), (4, "a\tb\u{1}"));
    let escape =
        format!(r#"{{"task_key": "k", "attempt_id": "{ID}", "output_tail": "C:\dir \u12 \"x\"", "return_code": 4}}"#);
    assert_eq!((result(&escape).return_code, result(&escape).output_tail.as_str()), (4, r#"C:\dir \u12 "x""#));
}

#[test]
fn s17_text_that_is_not_json_but_names_an_attempt_is_reported_and_not_malformed() {
    let read = outcome(&format!(r#"{{"task_key": "k", "attempt_id": "{ID}", "return_code": "#));
    assert_eq!((&*read.key, read.attempt), ("k", Attempt::Id(AttemptId::parse(ID).unwrap())));
    assert!(matches!(read.report, Report::Unreadable(why) if why.starts_with("the result is not JSON")));
}

#[test]
fn a_message_names_only_reasons_that_a_function_decides() {
    let reason = |name: &str, code: i32| {
        result(&format!(r#"{{"task_key": "k", "return_code": {code}, "reason": "{name}", "signal": 9}}"#)).reason
    };
    for of_the_library in
        ["lost", "never_invoked", "abandoned", "expired", "dead_letter", "invoke_failed", "bad_result"]
    {
        assert_eq!(reason(of_the_library, 1), None, "{of_the_library}");
    }
    for of_the_function in [Reason::Signal, Reason::Timeout, Reason::SetupFailed, Reason::BadEvent] {
        assert_eq!(reason(of_the_function.name(), 1), Some(of_the_function));
        assert_eq!(reason(of_the_function.name(), 0), None, "a return code of 0 is a success");
    }
    assert_eq!(result(r#"{"task_key": "k", "return_code": 0, "signal": 9}"#).signal, 0);
}

#[test]
fn what_was_cut_or_dropped_is_read() {
    let read = result(
        r#"{"task_key": "k", "return_code": 1, "reason": "value_too_large", "value_dropped": true, "output_tail": "end",
            "output_length": 588895, "output_truncated": true}"#,
    );
    assert_eq!((read.output_length, read.output_truncated, read.value_dropped), (588_895, true, true));
    assert_eq!(read.reason, Some(Reason::ValueTooLarge));
    let old = result(r#"{"task_key": "k", "return_code": 0, "output_tail": "all"}"#);
    assert_eq!((old.output_length, old.output_truncated, old.value_dropped), (0, false, false));
}

#[test]
fn times_beyond_the_year_9999_are_not_known() {
    for (written, known) in [
        ("0", 0),
        ("1764000000000", 1_764_000_000_000),
        ("253402300799999", 253_402_300_799_999),
        ("253402300800000", 0),
        ("9223372036854775807", 0),
        ("-1", 0),
        (r#""soon""#, 0),
    ] {
        let read = result(&format!(
            r#"{{"task_key": "k", "return_code": 0, "started_at_ms": {written}, "finished_at_ms": {written}}}"#
        ));
        assert_eq!((read.started_at_ms, read.finished_at_ms), (known, known), "{written}");
    }
}

#[test]
fn an_event_is_a_dead_letter_with_the_reason_in_its_attributes() {
    let dead = Message {
        dead_request_id: Some("r-1".into()),
        dead_error_code: Some("200".into()),
        dead_error_message: Some("boom".into()),
        ..message(r#"{"task_key": "k", "command": ["x"], "executor_config": {}}"#)
    };
    let Content::Outcome(read) = read(dead).content else { panic!("not a dead letter") };
    assert_eq!(&*read.request_id, "r-1");
    assert!(matches!(read.report, Report::DeadLetter(why) if why == "boom (error code 200)"));
}

#[test]
fn the_record_of_an_on_failure_destination_is_a_dead_letter() {
    let read = outcome(
        r#"{"version":"1.0","requestContext":{"requestId":"r-2","condition":"RetriesExhausted",
            "approximateInvokeCount":3},"requestPayload":{"task_key":"k","command":"x"},
            "responseContext":{"statusCode":200,"functionError":"Unhandled"},"responsePayload":{"errorMessage":"boom"}}"#,
    );
    assert_eq!((&*read.key, &*read.request_id), ("k", "r-2"));
    let Report::DeadLetter(why) = read.report else { panic!("not a dead letter") };
    assert_eq!(why, "RetriesExhausted: Unhandled: boom (after 3 invocations)");
}

#[test]
fn s8_the_record_of_an_on_success_destination_is_no_failure() {
    let record = r#"{"version":"1.0","requestContext":{"requestId":"r-2","condition":"Success"},
        "requestPayload":{"task_key":"k","command":"x"},"responseContext":{"statusCode":200},"responsePayload":null}"#;
    assert!(matches!(read(message(record)).content, Content::SuccessRecord));
}

#[test]
fn anything_else_is_malformed_and_says_why() {
    for body in ["", "5", "null", "[]", "{}", r#"{"task_key": []}"#, r#"{"task_key": [], "return_code": 0}"#] {
        malformed(message(body));
    }
    for (body, why) in [
        ("1e999", "not a JSON object"),
        (r#""\ud800""#, "not a JSON object"),
        ("[1", "not JSON: EOF while parsing a list at line 1 column 2"),
        (r#"{"a":1} x"#, "not JSON: trailing characters at line 1 column 9"),
        (r#"{1:2}"#, "not JSON: key must be a string at line 1 column 2"),
    ] {
        assert_eq!(malformed(message(body)), why, "{body}");
    }
    let headless = Message { dead_request_id: Some("r".into()), ..message(r#"{"task_key": "k"}"#) };
    assert_eq!(malformed(headless), "a dead letter whose event has no `command`");
}

#[test]
fn of_a_member_that_comes_twice_the_last_counts() {
    let read = outcome(r#"{"return_code": 1, "task_key": "a", "return_code": 0, "task_key": "b"}"#);
    assert_eq!(&*read.key, "b");
    assert!(matches!(read.report, Report::Result(result) if result.return_code == 0));
}

#[test]
fn names_and_text_may_be_escaped_and_need_not_be_characters() {
    let body = r#"{"task\u005fkey": "\u006b", "return\u005fcode": 3, "output_tail": "\ud800x\n", "\udc00": 1}"#;
    let read = outcome(body);
    assert_eq!(&*read.key, "k");
    let Report::Result(result) = read.report else { panic!("{read:?}") };
    assert_eq!(result.return_code, 3);
    assert!(result.output_tail.starts_with('\u{fffd}') && result.output_tail.ends_with("x\n"), "{result:?}");
}

#[test]
fn a_message_full_of_members_is_read() {
    let objects = "{},".repeat(300_000);
    let body = format!(r#"{{"results": [{objects}{{"task_key": "k", "attempt_id": "{ID}", "return_code": 0}}]}}"#);
    assert_eq!(outcomes(message(&body)).len(), 1);
    let members = r#""":0,"#.repeat(200_000);
    assert_eq!(result(&format!(r#"{{{members}"task_key": "k", "return_code": 7}}"#)).return_code, 7);
}

#[test]
fn an_id_that_this_library_cannot_have_made_is_foreign() {
    assert_eq!(outcome(r#"{"task_key": "k", "return_code": 0, "attempt_id": 7}"#).attempt, Attempt::Foreign);
}

fn outcomes(message: Message) -> Vec<Outcome> {
    match read(message).content {
        Content::Outcomes(outcomes) => outcomes,
        other => panic!("{other:?}"),
    }
}

const OTHER: &str = "22222222-2222-4222-8222-222222222222";

#[test]
fn results_of_several_tasks_are_read_one_by_one() {
    let body = format!(
        r#"{{"results": [{{"task_key": "a", "attempt_id": "{ID}", "return_code": 3}}, {{"return_code": 0}}, 5,
            {{"task_key": "b", "attempt_id": "{OTHER}", "return_code": 126, "not_started": true}}]}}"#
    );
    let read = outcomes(message(&body));
    assert_eq!(read.iter().map(|outcome| &*outcome.key).collect::<Vec<_>>(), ["a", "b"], "what is none is left out");
    assert!(matches!(&read[0].report, Report::Result(result) if result.return_code == 3));
    assert!(matches!(read[1].report, Report::NotStarted(_)));
    malformed(message(r#"{"results": [5]}"#));
    malformed(message(r#"{"results": []}"#));
    // A handler's own member of that name.
    assert_eq!(result(r#"{"task_key": "k", "return_code": 0, "results": [1]}"#).return_code, 0);
}

#[test]
fn the_dead_letter_of_a_batch_names_all_its_members_in_both_forms() {
    let member = |key: &str, id: &str| format!(r#"{{"task_key": "{key}", "attempt_id": "{id}", "command": "x"}}"#);
    let event = format!(r#"{{"task_key": "batch", "batch": [{}, {}]}}"#, member("a", ID), member("b", OTHER));
    let attributes =
        Message { dead_request_id: Some("r".into()), dead_error_message: Some("boom".into()), ..message(&event) };
    let record =
        format!(r#"{{"requestContext": {{"requestId": "r", "condition": "boom"}}, "requestPayload": {event}}}"#);
    for letter in [attributes, message(&record)] {
        let read = outcomes(letter);
        assert_eq!(read.iter().map(|outcome| &*outcome.key).collect::<Vec<_>>(), ["a", "b"]);
        for (outcome, id) in read.iter().zip([ID, OTHER]) {
            assert_eq!((outcome.attempt, &*outcome.request_id), (Attempt::Id(AttemptId::parse(id).unwrap()), "r"));
            assert!(matches!(&outcome.report, Report::DeadBatch(why) if why == "boom"), "{outcome:?}");
        }
    }
}

#[test]
fn what_is_reported_of_the_key_of_a_batch_is_about_all_its_members() {
    let ids = [ID, OTHER].map(|id| id.replace('-', "")).join(",");
    let read = outcomes(message(&format!(r#"{{"task_key": "lambda-executor-batch:{ids}", "return_code": 1}}"#)));
    let attempts: Vec<Attempt> = read.iter().map(|outcome| outcome.attempt).collect();
    assert_eq!(attempts, [ID, OTHER].map(|id| Attempt::Id(AttemptId::parse(id).unwrap())));
    assert!(read.iter().all(|outcome| matches!(outcome.report, Report::BatchRefused(_))));
}
