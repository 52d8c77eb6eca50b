//! Whose a message is.

use super::*;
use TaskState::{Failed, Running, Succeeded};

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
    assert_eq!((stage.take().len(), stage.core.remaining()), (0, 0));
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
fn a_result_without_an_id_sent_before_the_first_invoke_is_a_strangers_even_with_clocks_apart() {
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
fn all_three_forms_of_a_dead_letter_end_the_task() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("dlq");
    let mut dead = stage.message(format!(r#"{{"task_key":"dlq","command":["true"],"attempt_id":"{attempt}"}}"#));
    dead.dead_error_message = Some("boom".into());
    stage.deliver(DEAD, dead);
    stage.running("destination");
    // Only the request id tells whose it is.
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
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-2"]);
    stage.acknowledge_all();
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
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
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["newer"]);
}

#[test]
fn a_message_of_a_waiting_event_that_comes_back_does_not_meet_the_next_use_of_its_key() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result.clone());
    assert_eq!(stage.states(), [Running, Succeeded]);
    stage.adopt("k");
    stage.deliver(RESULTS, Message { receipt: "newer".into(), receive_count: 2, ..result });
    assert_eq!((stage.states().len(), stage.hidden().len()), (0, 0), "neither an event nor a release");
    stage.acknowledge_all();
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["newer"]);
}

#[test]
fn a_result_moved_to_the_dead_letter_queue_while_its_event_waits_is_not_deleted_before_time() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.running("other");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result.clone());
    stage.deliver(DEAD, Message { receipt: "moved".into(), ..result });
    stage.after(100);
    assert!(stage.deletes(&EntryOutcome::Done).is_empty());
    assert_eq!(stage.states(), [Running, Running, Succeeded]);
    stage.acknowledge_all();
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["moved"]);
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
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
    // Sent after the second Invoke by its own word: only the message id tells.
    let later = stage.now.unix_ms + 1;
    stage.deliver(RESULTS, Message { receipt: "again".into(), sent_at_ms: later, receive_count: 2, ..result });
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["again"]);
    assert_eq!(stage.core.state("k"), Some(Running));
}

#[test]
fn an_adopted_task_takes_any_message_of_its_key_also_of_an_attempt_given_up_before() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    assert!(stage.core.cancel("k"));
    stage.take();
    stage.adopt("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Succeeded]);
}

#[test]
fn strangers_are_given_back_at_once_then_ever_later_and_never_deleted() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let stranger = stage.result("k", AttemptId::from_random([99; 16]));
    let mut delays = Vec::new();
    for receive_count in 1..=16 {
        stage.deliver(RESULTS, Message { receive_count, ..stranger.clone() });
        let hidden = stage.hidden();
        assert_eq!(hidden.len(), 1);
        delays.push(hidden[0].1);
        stage.after(240 + u64::from(hidden[0].1) * 1_000);
    }
    assert_eq!(delays, [0, 0, 1, 0, 0, 2, 0, 0, 4, 0, 8, 0, 16, 0, 32, 60]);
    assert!(stage.deletes(&EntryOutcome::Done).is_empty());
}

#[test]
fn who_gave_something_back_leaves_the_queue_to_others_for_a_moment() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let stranger = stage.result("k", AttemptId::from_random([99; 16]));
    stage.deliver(RESULTS, stranger);
    assert_eq!((stage.hidden().len(), stage.polls(RESULTS)), (1, 0));
    let again_at = stage.core.next_timer().unwrap();
    assert!((20..=24).contains(&(again_at - stage.now.mono_ms)));
    stage.after(30);
    assert_eq!(stage.polls(RESULTS), 1);
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Running, Succeeded]);
}

#[test]
fn strangers_of_a_full_receive_are_kept_until_the_queue_is_empty_or_time_is_up() {
    let mut stage = Stage::new(|_| {});
    for number in 0..30 {
        stage.running(&number.to_string());
    }
    let strangers = |stage: &mut Stage, count: usize| -> Vec<Message> {
        (0..count).map(|_| stage.result("other", AttemptId::from_random([99; 16]))).collect()
    };
    let full = strangers(&mut stage, 10);
    stage.answer_poll(RESULTS, Ok(full));
    assert_eq!(stage.hidden(), []);
    let waits: Vec<u32> = stage
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Receive(request) if request.queue == RESULTS => Some(request.wait_s),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [20, 0], "one waits, the other only empties");
    let last = strangers(&mut stage, 3);
    stage.answer_poll(RESULTS, Ok(last));
    assert_eq!(stage.hidden().len(), 13);
    stage.after(30);
    let full = strangers(&mut stage, 10);
    stage.answer_poll(RESULTS, Ok(full));
    stage.after(199);
    assert_eq!(stage.hidden(), []);
    stage.after(1);
    assert_eq!(stage.hidden().len(), 10);
}

#[test]
fn what_is_malformed_is_deleted_from_the_results_and_released_from_the_dead_letters() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    for queue in [RESULTS, DEAD] {
        let malformed = stage.message("not JSON".into());
        stage.deliver(queue, malformed);
    }
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)]);
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
        assert_eq!(events[1].state == TaskState::Succeeded, code == 0, "{body}");
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
        assert_eq!(events[1].state, TaskState::Succeeded);
    }
}
