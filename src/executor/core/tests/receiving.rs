//! When queues are read, and how what was read stays hidden.

use super::*;
use TaskState::{Lost, Running, Succeeded};

#[test]
fn nothing_is_received_while_nothing_runs() {
    let mut stage = Stage::new(|_| {});
    assert_eq!((stage.polls(RESULTS), stage.core.next_timer()), (0, None));
    let attempt = stage.running("k");
    assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (1, 1));
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.answer_poll(DEAD, Ok(Vec::new()));
    assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (0, 0));
}

#[test]
fn polls_grow_with_what_arrives_and_shrink_again() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_concurrent_invokes = 1_000);
    let attempts: Vec<_> = (0..200).map(|n| stage.queue(&n.to_string())).collect();
    assert_eq!(stage.polls(RESULTS), 1);
    for batch in attempts.chunks(10).take(3) {
        let messages = batch.iter().map(|attempt| stage.result("k", *attempt)).collect();
        stage.answer_poll(RESULTS, Ok(messages));
    }
    assert_eq!(stage.polls(RESULTS), 4);
    for _ in 0..6 {
        stage.answer_poll(RESULTS, Ok(Vec::new()));
    }
    assert_eq!(stage.polls(RESULTS), 1);
}

#[test]
fn a_queue_that_cannot_be_read_is_tried_again_ever_later() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    for full_ms in [500, 1_000, 2_000, 4_000] {
        stage.answer_poll(RESULTS, Err(error(AWAY)));
        stage.after(full_ms * 3 / 4 - 1);
        assert_eq!(stage.polls(RESULTS), 0);
        stage.after(full_ms / 4 + 1);
        assert_eq!(stage.polls(RESULTS), 1);
    }
}

#[test]
fn receiving_pauses_at_max_unacked_results_and_goes_on_after_an_acknowledgement() {
    let mut stage = Stage::new(|settings| settings.max_unacked_results = 1);
    let attempt = stage.running("a");
    stage.running("b");
    let result = stage.result("a", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.polls(RESULTS), 0);
    stage.take();
    assert_eq!(stage.polls(RESULTS), 0, "handing out is not enough");
    stage.acknowledge_all();
    assert_eq!(stage.polls(RESULTS), 1);
}

#[test]
fn a_waiting_result_is_hidden_for_longer_and_longer_at_half_time() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    let mut visible_s = 60;
    for seconds in [60, 120, 240, 480, 600, 600] {
        stage.after(visible_s * 500 - 1);
        assert_eq!(stage.hidden(), [], "before half time");
        stage.after(1);
        assert_eq!(stage.hidden(), [("receipt-1".into(), seconds)]);
        visible_s = u64::from(seconds);
    }
}

#[test]
fn lost_needs_the_deadline_and_both_queues_read_for_longer_than_a_stranger_hides_a_message() {
    let mut stage = Stage::new(|settings| settings.result_timeout_ms = 600_000);
    stage.running("k");
    stage.take();
    stage.after(3_600_000);
    assert_eq!(stage.states(), [], "silence proves nothing while nobody listens");
    let read = |stage: &mut Stage, queues: &[QueueId]| {
        for queue in queues {
            stage.answer_poll(*queue, Ok(Vec::new()));
        }
    };
    for _ in 0..10 {
        read(&mut stage, &[RESULTS]);
        stage.after(20_000);
    }
    assert_eq!(stage.states(), [], "only one of two was read");
    read(&mut stage, &[DEAD]);
    for _ in 0..3 {
        stage.after(20_000);
        read(&mut stage, &[RESULTS, DEAD]);
    }
    assert_eq!(stage.states(), [], "60 s are not longer than 60 s");
    stage.after(20_000);
    read(&mut stage, &[RESULTS, DEAD]);
    assert_eq!(stage.states(), [Lost]);
}

#[test]
fn a_receive_whose_answer_was_lost_may_hide_a_result_for_a_minute() {
    let mut stage = Stage::new(|settings| {
        settings.result_timeout_ms = 1_000;
        settings.max_stranger_delay_s = 1;
    });
    stage.running("k");
    stage.take();
    stage.answer_poll(RESULTS, Err(error(AWAY)));
    for waited_ms in (0..60_000).step_by(5_000) {
        stage.after(5_000);
        stage.answer_poll(RESULTS, Ok(Vec::new()));
        stage.answer_poll(DEAD, Ok(Vec::new()));
        assert_eq!(stage.states(), [], "after {waited_ms} ms");
    }
    stage.after(1);
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    stage.answer_poll(DEAD, Ok(Vec::new()));
    assert_eq!(stage.states(), [Lost]);
}

#[test]
fn a_failed_receive_begins_the_wait_for_lost_anew() {
    let mut stage = Stage::new(|settings| settings.result_timeout_ms = 1_000);
    let attempt = stage.running("k");
    for _ in 0..30 {
        for _ in 0..3 {
            stage.after(20_000);
            stage.answer_poll(RESULTS, Ok(Vec::new()));
            stage.answer_poll(DEAD, Ok(Vec::new()));
        }
        stage.answer_poll(RESULTS, Err(error(AWAY)));
        stage.after(500);
    }
    assert_eq!(stage.states(), [Running]);
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Succeeded]);
}

#[test]
fn a_delete_that_fails_is_tried_six_times_and_then_left() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.take();
    stage.acknowledge_all();
    let retry = EntryOutcome::Retry { code: "InternalError".into() };
    let mut tries = 0;
    for _ in 0..20 {
        stage.after(10_000);
        tries += stage.deletes(&retry).len();
    }
    assert_eq!((tries, stage.core.next_timer()), (6, None));
}

#[test]
fn deletes_that_get_no_answer_wait_for_sqs_and_none_is_given_up() {
    let mut stage = Stage::new(|_| {});
    let attempts: Vec<_> = (0..30).map(|number| stage.running(&format!("k{number}"))).collect();
    for (number, attempt) in attempts.into_iter().enumerate() {
        let result = stage.result(&format!("k{number}"), attempt);
        stage.deliver(RESULTS, result);
    }
    stage.take();
    stage.acknowledge_all();
    let mut calls = 0;
    let began = stage.now.mono_ms;
    while stage.now.mono_ms < began + 60_000 {
        while let Some(at) = stage.actions.iter().position(|action| matches!(action, Action::Delete { .. })) {
            let Action::Delete { queue, entries } = stage.actions.remove(at) else { unreachable!() };
            stage.core.deleted(queue, entries, Err(error(AWAY)));
            stage.actions.extend(stage.core.take_actions());
            calls += 1;
        }
        stage.after(10);
    }
    assert!((5..20).contains(&calls), "{calls} calls in a minute");
    stage.after(60_000);
    assert_eq!(stage.deletes(&EntryOutcome::Done).len(), 30);
}

#[test]
fn changes_of_visibility_go_a_few_calls_at_a_time() {
    let mut stage = Stage::new(|_| {});
    let attempts: Vec<_> = (0..200u8).map(|number| stage.running(&format!("k{number}"))).collect();
    for (number, attempt) in attempts.into_iter().enumerate() {
        let result = stage.result(&format!("k{number}"), attempt);
        stage.deliver(RESULTS, result);
    }
    stage.core.shut_down();
    stage.tick();
    let calls = stage.actions.iter().filter(|action| matches!(action, Action::ChangeVisibility { .. })).count();
    assert_eq!(calls, 8);
    let released = stage.hidden();
    assert_eq!(released.len(), 200);
    stage.drop_polls();
    assert!(stage.core.is_quiet());
}

#[test]
fn receiving_pauses_when_the_results_that_wait_are_large() {
    let mut stage = Stage::new(|_| {});
    let large = "x".repeat(2 << 20);
    for number in 0..128 {
        stage.running(&format!("k{number}"));
        let body = format!(r#"{{"task_key":"k{number}","return_code":0,"x":"{large}"}}"#);
        let message = stage.message(body);
        stage.deliver(RESULTS, message);
    }
    stage.running("last");
    assert_eq!(stage.polls(RESULTS), 0);
    stage.take();
    stage.core.acknowledge(&(1..600).collect::<Vec<_>>());
    stage.tick();
    assert!(stage.polls(RESULTS) > 0);
}
