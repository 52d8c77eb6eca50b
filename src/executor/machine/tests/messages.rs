//! Whose a message is.

use super::*;
use TaskState::{Cancelled, Failed, Running, Succeeded};

#[test]
fn a_result_before_the_answer_to_invoke_ends_the_task_and_the_late_answer_changes_nothing() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.queue("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    let events = stage.take();
    assert_eq!(events.iter().map(|event| event.state).collect::<Vec<_>>(), [Running, Succeeded]);
    assert_eq!(events[0].request_id, "");
    stage.answer_invoke(Ok(Accepted { request_id: "late".into() }));
    assert_eq!((stage.take().len(), stage.machine.remaining()), (0, 0));
    assert_eq!(stage.machine.snapshot().late_answers, 1);
}

#[test]
fn a_result_without_an_id_matches_by_key() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Running, Succeeded]);
}

#[test]
fn a_result_without_an_id_sent_before_the_first_invoke_is_unmatched_even_with_clocks_apart() {
    for ahead_ms in [0, 60_000, -60_000] {
        let mut stage = Stage::new(|_| {});
        let mut stale = stage.result_without_id("k");
        stale.sent_at_ms += ahead_ms;
        stage.after(1_000);
        stage.running("k");
        stale.first_received_at_ms = stage.now.unix_ms + ahead_ms;
        stage.deliver(RESULTS, stale);
        assert_eq!(stage.states(), [Running], "queue's clock {ahead_ms} ms ahead");
        stage.after(1_000);
        let mut fresh = stage.result_without_id("k");
        stage.after(1_000);
        fresh.sent_at_ms += ahead_ms;
        fresh.first_received_at_ms = stage.now.unix_ms + ahead_ms;
        stage.deliver(RESULTS, fresh);
        assert_eq!(stage.states(), [Succeeded], "queue's clock {ahead_ms} ms ahead");
    }
}

#[test]
fn c7_a_wall_clock_that_is_set_back_while_a_task_runs_changes_nothing() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let queue_ms = stage.now.unix_ms;
    stage.now.unix_ms -= 3_600_000;
    stage.after(1_000);
    let mut result = stage.result_without_id("k");
    (result.sent_at_ms, result.first_received_at_ms) = (queue_ms + 900, queue_ms + 1_000);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Running, Succeeded]);
}

#[test]
fn c7_a_clock_that_is_ahead_is_learnt_from_a_message_that_another_reader_received_first() {
    let mut stage = Stage::new(|_| {});
    stage.now.unix_ms += 3_000;
    stage.running("k");
    stage.after(1_000);
    let mut result = stage.result_without_id("k");
    result.receive_count = 2;
    result.sent_at_ms = stage.now.unix_ms - 3_000 - 200;
    result.first_received_at_ms = stage.now.unix_ms - 3_000 - 100;
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Running, Succeeded]);
}

#[test]
fn s20_an_old_result_ends_the_next_use_of_its_key_only_within_the_tolerance_of_clocks() {
    let ends_the_next = |ms_between: u64| {
        let mut stage = Stage::new(|_| {});
        stage.running("k");
        let (first, second) = (stage.result_without_id("k"), stage.result_without_id("k"));
        stage.deliver(RESULTS, first.clone());
        stage.take();
        stage.acknowledge_all();
        stage.after(ms_between);
        stage.running("k");
        let again = Message { receive_count: 2, receipt: "again".into(), ..first };
        stage.deliver(RESULTS, again);
        assert_eq!(stage.state("k"), Some(Running), "the same message is recognised by its id");
        stage.deliver(RESULTS, Message { first_received_at_ms: stage.now.unix_ms, ..second });
        stage.state("k") == Some(Succeeded)
    };
    assert!(ends_the_next(0), "two uses of a key within 10 ms cannot be distinguished by the time of a message");
    assert!(!ends_the_next(11));
}

#[test]
fn all_three_forms_of_a_dead_letter_end_the_task() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("dlq");
    let mut dead = stage.message(format!(r#"{{"task_key":"dlq","command":["true"],"attempt_id":"{attempt}"}}"#));
    dead.dead_error_message = Some("boom".into());
    stage.deliver(DEAD, dead);
    stage.running("destination");
    // Only the request id says whose it is.
    let record = r#"{"requestContext":{"requestId":"request-destination","condition":"EventAgeExceeded"},
        "requestPayload":{"task_key":"other","command":"x"}}"#;
    let record = stage.message(record.into());
    stage.deliver(DEAD, record);
    let attempt = stage.running("redriven");
    let result = stage.result("redriven", attempt);
    stage.deliver(DEAD, result);
    let ends: Vec<_> = stage.take().into_iter().filter(|event| event.state != Running).collect();
    assert_eq!(ends.iter().map(|event| event.state).collect::<Vec<_>>(), [Failed, Failed, Succeeded]);
    assert_eq!(ends[0].message, "Lambda gave up on the event: boom");
    assert_eq!(ends[1].reason, Some(Reason::DeadLetter));
    assert_eq!(stage.machine.snapshot().total_dead_letters, 2);
}

#[test]
fn s8_a_record_of_an_on_success_destination_is_deleted_counted_and_ends_no_task() {
    for queue in [RESULTS, DEAD] {
        let mut stage = Stage::new(|_| {});
        let attempt = stage.running("k");
        let record = format!(
            r#"{{"version":"1.0","requestContext":{{"requestId":"request-k","condition":"Success"}},
                "requestPayload":{{"task_key":"k","command":["true"],"attempt_id":"{attempt}"}},
                "responseContext":{{"statusCode":200}},"responsePayload":null}}"#
        );
        let record = stage.message(record);
        stage.deliver(queue, record);
        assert_eq!((stage.states(), stage.machine.snapshot().success_records), (vec![Running], 1));
        assert_eq!(stage.deleted(), ["receipt-1"]);
        let result = stage.result("k", attempt);
        stage.deliver(RESULTS, result);
        assert_eq!(stage.states(), [Succeeded]);
    }
}

#[test]
fn a_second_result_of_a_run_is_deleted_and_the_first_kept_until_it_is_acknowledged() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.running("other");
    let (first, second) = (stage.result("k", attempt), stage.result("k", attempt));
    stage.deliver(RESULTS, first);
    stage.deliver(RESULTS, second);
    assert_eq!(stage.states(), [Running, Running, Succeeded]);
    assert_eq!(stage.deleted(), ["receipt-2"]);
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["receipt-1"]);
}

#[test]
fn a_message_that_comes_back_while_its_event_waits_is_kept_by_its_new_receipt() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.running("other");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result.clone());
    stage.after(12 * 3_600_000);
    stage.deliver(RESULTS, Message { receipt: "newer".into(), receive_count: 2, ..result });
    assert_eq!(stage.states(), [Running, Running, Succeeded]);
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["newer"]);
}

#[test]
fn a_message_of_a_waiting_event_that_comes_back_does_not_end_the_next_use_of_its_key() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result.clone());
    assert_eq!(stage.states(), [Running, Succeeded]);
    stage.adopt("k");
    stage.deliver(RESULTS, Message { receipt: "newer".into(), receive_count: 2, ..result });
    assert_eq!((stage.states().len(), stage.hidden().len()), (0, 0), "neither an event nor a release");
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["newer"]);
}

#[test]
fn a_result_moved_to_the_dead_letter_queue_while_its_event_waits_is_not_deleted_early() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.running("other");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result.clone());
    stage.deliver(DEAD, Message { receipt: "moved".into(), ..result });
    assert!(stage.deleted().is_empty());
    assert_eq!(stage.states(), [Running, Running, Succeeded]);
    stage.acknowledge_all();
    stage.after(100);
    let Some(Action::Delete { queue, entries }) = stage.remove_action(|a| matches!(a, Action::Delete { .. })) else {
        panic!("not deleted")
    };
    assert_eq!((queue, entries[0].receipt.as_str()), (DEAD, "moved"));
}

#[test]
fn a_message_that_comes_back_after_its_delete_is_deleted_again_even_without_an_id() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result.clone());
    stage.take();
    stage.acknowledge_all();
    stage.running("k");
    assert_eq!(stage.deleted(), ["receipt-1"]);
    // Sent after the second Invoke, as far as it says: only the message id shows whose it is.
    let later = stage.now.unix_ms + 1;
    stage.deliver(RESULTS, Message { receipt: "again".into(), sent_at_ms: later, receive_count: 2, ..result });
    assert_eq!(stage.deleted(), ["again"]);
    assert_eq!(stage.state("k"), Some(Running));
}

#[test]
fn c6_by_key_alone_a_message_is_deleted_only_while_a_report_of_the_key_is_missing() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    stage.running("other");
    assert!(stage.cancel("k"));
    assert_eq!(stage.states(), [Running, Running, Cancelled]);
    stage.acknowledge_all();
    let (late, of_another) = (stage.result_without_id("k"), stage.result_without_id("k"));
    stage.deliver(RESULTS, late);
    assert_eq!(stage.deleted(), ["receipt-1"], "the late result of the cancelled task");
    stage.deliver(RESULTS, of_another);
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)], "another executor's: released");
    assert!(stage.deleted().is_empty());
}

#[test]
fn c6_a_message_of_another_executor_is_not_deleted_because_a_task_of_the_key_has_ended_here() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    stage.running("other");
    let own = stage.result_without_id("k");
    stage.deliver(RESULTS, own);
    stage.take();
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["receipt-1"]);
    let of_another = stage.result_without_id("k");
    stage.deliver(RESULTS, of_another);
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)]);
    assert!(stage.deleted().is_empty());
}

#[test]
fn c6_a_try_that_may_not_have_arrived_does_not_allow_to_delete_a_message_of_another_executor() {
    let mut stage = Stage::new(|_| {});
    stage.running("other");
    stage.take();
    stage.queue("k");
    stage.fail_invoke(LOST_ANSWER);
    stage.after(10_000);
    stage.accept_invoke();
    let ours = stage.result_without_id("k");
    stage.deliver(RESULTS, ours);
    assert_eq!(stage.states(), [Running, Succeeded]);
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["receipt-1"]);
    let theirs = stage.result_without_id("k");
    stage.deliver(RESULTS, theirs);
    assert_eq!(stage.deleted(), Vec::<String>::new());
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)]);
}

#[test]
fn an_adopted_task_takes_any_message_of_its_key_also_of_an_attempt_that_was_cancelled() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    assert!(stage.cancel("k"));
    stage.take();
    stage.adopt("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Succeeded]);
}

#[test]
fn unmatched_messages_are_released_at_once_then_ever_later_and_never_deleted() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let unmatched = stage.result("k", AttemptId::from_random([99; 16]));
    let mut delays = Vec::new();
    for receive_count in 1..=12 {
        stage.deliver(RESULTS, Message { receive_count, ..unmatched.clone() });
        let hidden = stage.hidden();
        assert_eq!(hidden.len(), 1);
        delays.push(hidden[0].1);
        stage.after(10_100);
    }
    let eighth_of_age = [0u32, 0, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13];
    for (delay, eighth) in delays.into_iter().zip(eighth_of_age) {
        let about = eighth / 2..=(eighth * 3).div_ceil(2);
        assert!(about.contains(&delay), "hidden for {delay} s, an eighth of its age is {eighth} s");
    }
    assert!(stage.deleted().is_empty());
    assert_eq!(stage.machine.snapshot().unmatched, 12);
}

#[test]
fn what_is_malformed_is_deleted_from_the_results_and_released_from_the_dead_letters() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    for queue in [RESULTS, DEAD] {
        let malformed = stage.message("not JSON".into());
        stage.deliver(queue, malformed);
    }
    assert_eq!(stage.deleted(), ["receipt-1"]);
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)]);
    let counted = stage.machine.snapshot();
    assert_eq!((counted.malformed, counted.foreign_dead_letters), (1, 1));
}

#[test]
fn c9_a_return_code_that_cannot_be_read_fails_its_task_and_says_so() {
    for (written, what) in [("\"0\"", "a string"), ("null", "null"), ("true", "a boolean"), ("1.5", "the number 1.5")] {
        let mut stage = Stage::new(|_| {});
        let attempt = stage.running("k");
        stage.running("other");
        let body = format!(r#"{{"task_key":"k","attempt_id":"{attempt}","return_code":{written}}}"#);
        let message = stage.message(body);
        stage.deliver(RESULTS, message);
        let last = stage.take().pop().unwrap();
        assert_eq!((&*last.key, last.state, last.reason), ("k", Failed, Some(Reason::BadResult)));
        assert!(last.message.contains(&format!("`return_code` in the result is {what}")), "{}", last.message);
        assert!(stage.deleted().is_empty(), "not before it is acknowledged");
        stage.acknowledge_all();
        assert_eq!(stage.deleted(), ["receipt-1"]);
    }
}

#[test]
fn s17_a_return_code_that_cannot_be_read_and_has_no_owner_here_is_released() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let id = AttemptId::from_random([99; 16]);
    let message = stage.message(format!(r#"{{"task_key":"k","attempt_id":"{id}","return_code":"0"}}"#));
    stage.deliver(RESULTS, message);
    assert_eq!(stage.hidden(), [("receipt-1".into(), 0)]);
    assert_eq!(stage.states(), [Running]);
}

#[test]
fn what_else_a_result_holds_cannot_make_it_unreadable() {
    for (body, code) in [
        (r#"{"task_key":"k","return_code":0,"value":"not base64 at all"}"#, 0),
        (r#"{"task_key":"k","return_code":0,"stdout":"bad byte \udcff"}"#, 0),
        (r#"{"task_key":"k","return_code":3,"output_tail":"bad byte \udcff","request_id":7,"started_at_ms":"x"}"#, 3),
        (r#"{"task_key":"k","command":["true"],"executor_config":{},"return_code":0}"#, 0),
        (r#"{"task_key":"k","return_code":-9999999999,"reason":"signal"}"#, i32::MIN),
        (r#"{"task_key":"k","return_code":99,"signal":-2147483648}"#, 99),
    ] {
        let mut stage = Stage::new(|_| {});
        stage.running("k");
        let message = stage.message(body.into());
        stage.deliver(RESULTS, message);
        let events = stage.take();
        assert_eq!(events.len(), 2, "{body}");
        assert_eq!((events[1].return_code, events[1].signal), (Some(code), 0), "{body}");
        assert_eq!(events[1].state == Succeeded, code == 0, "{body}");
    }
}

#[test]
fn airflows_keys_come_back_byte_for_byte() {
    for key in [
        r#"{"dag_id": "d", "task_id": "t\u00e9", "run_id": "manual__2026-01-01T00:00:00+00:00", "try_number": 1, "map_index": -1}"#,
        "0198c0de-0000-7000-8000-000000000000",
    ] {
        let mut stage = Stage::new(|_| {});
        stage.running(key);
        let result = serde_json::json!({"task_key": key, "return_code": 0}).to_string();
        let message = stage.message(result);
        stage.deliver(RESULTS, message);
        let events = stage.take();
        assert_eq!(events.iter().map(|event| &*event.key).collect::<Vec<_>>(), [key, key]);
        assert_eq!(events[1].state, Succeeded);
    }
}
