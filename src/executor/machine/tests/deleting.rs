//! Deletes, releases and extensions: what is called, how often, and in which order.

use super::*;

/// So many tasks that have ended, whose final events have been handed out, and whose messages wait; one more task runs.
fn ended(stage: &mut Stage, count: usize) -> Vec<Message> {
    stage.running("last");
    let mut results = Vec::new();
    for n in 0..count {
        let attempt = stage.running(&format!("k{n}"));
        results.push(stage.result(&format!("k{n}"), attempt));
    }
    for batch in results.chunks(10) {
        stage.answer_poll(RESULTS, Ok(batch.to_vec()));
    }
    stage.take();
    results
}

fn in_flight(stage: &Stage) -> usize {
    stage.machine.deliveries.in_flight()
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
    assert_eq!((tries, stage.machine.next_timer()), (6, None));
    assert_eq!(stage.machine.snapshot().deletes_given_up, 1);
}

#[test]
fn deletes_that_get_no_answer_wait_for_sqs_and_none_is_given_up() {
    let mut stage = Stage::new(|_| {});
    ended(&mut stage, 30);
    stage.acknowledge_all();
    let mut calls = 0;
    let began = stage.now.mono_ms;
    while stage.now.mono_ms < began + 60_000 {
        calls += stage.fail_deletes(REFUSED);
        stage.after(10);
    }
    assert!((5..20).contains(&calls), "{calls} calls in a minute");
    stage.after(60_000);
    assert_eq!(stage.deletes(&EntryOutcome::Done).len(), 30);
}

#[test]
fn c4_a_message_that_comes_back_before_its_delete_replaces_its_receipt() {
    let mut stage = Stage::new(|_| {});
    let results = ended(&mut stage, 100);
    stage.acknowledge_all();
    for round in 2..10 {
        stage.after(15_000);
        stage.fail_deletes(REFUSED);
        for (n, result) in results.iter().enumerate() {
            let receipt = format!("receipt-{n}-{round}");
            stage.deliver(RESULTS, Message { receipt, receive_count: round, ..result.clone() });
        }
        assert_eq!(in_flight(&stage), 100, "round {round}");
    }
    stage.after(60_000);
    let mut deleted = stage.deletes(&EntryOutcome::Done);
    // A call under way when the messages came back had their old receipts: those messages are deleted again.
    deleted.extend(stage.deleted());
    let newest = deleted.iter().filter(|receipt| receipt.ends_with("-9")).count();
    assert_eq!((newest, in_flight(&stage)), (100, 0));
}

#[test]
fn c4_messages_that_wait_to_be_deleted_pause_receiving() {
    let mut stage = Stage::new(|settings| settings.max_unacked_results = 100);
    ended(&mut stage, 100);
    stage.acknowledge_all();
    while stage.polls(RESULTS) > 0 {
        stage.answer_poll(RESULTS, Ok(Vec::new()));
    }
    stage.after(100);
    assert!(stage.fail_deletes(BROKEN) > 0);
    assert_eq!(stage.polls(RESULTS), 0);
    stage.after(1_000);
    stage.deletes(&EntryOutcome::Done);
    assert_eq!(stage.polls(RESULTS), 1);
}

#[test]
fn c4_a_queue_whose_messages_may_not_be_deleted_does_not_pause_receiving_for_ever() {
    let mut stage = Stage::new(|settings| settings.max_unacked_results = 100);
    ended(&mut stage, 100);
    stage.acknowledge_all();
    for _ in 0..100 {
        stage.after(10_000);
        stage.fail_deletes(FORBIDDEN);
    }
    assert_eq!((in_flight(&stage), stage.machine.snapshot().deletes_given_up), (0, 100));
    assert_eq!(stage.polls(RESULTS), 1);
}

#[test]
fn a_message_whose_delete_was_given_up_is_deleted_when_it_comes_back() {
    let mut stage = Stage::new(|_| {});
    let results = ended(&mut stage, 1);
    stage.acknowledge_all();
    for _ in 0..20 {
        stage.after(10_000);
        stage.fail_deletes(FORBIDDEN);
    }
    stage.deliver(RESULTS, Message { receipt: "again".into(), receive_count: 2, ..results[0].clone() });
    assert_eq!(stage.deleted(), ["again"]);
}

/// Answers all changes of visibility that are under way, at the same time. Returns how many messages were released.
fn answer_round(stage: &mut Stage) -> (usize, usize) {
    let is_change = |action: &Action| matches!(action, Action::ChangeVisibility { .. });
    let calls: Vec<_> = std::iter::from_fn(|| stage.remove_action(is_change)).collect();
    let mut released = 0;
    for call in &calls {
        let Action::ChangeVisibility { queue, entries } = call else { unreachable!() };
        released += entries.iter().filter(|entry| entry.seconds == 0).count();
        let outcomes = vec![EntryOutcome::Done; entries.len()];
        stage.machine.visibility_changed(*queue, entries.clone(), Ok(outcomes));
    }
    stage.tick();
    (calls.len(), released)
}

#[test]
fn c5_at_the_end_10_000_results_are_released_in_the_time_of_50_calls() {
    let mut stage = Stage::new(|settings| settings.max_unacked_results = 100_000);
    ended(&mut stage, 10_000);
    stage.machine.shut_down();
    stage.drop_polls();
    stage.tick();
    let (mut rounds, mut released, mut most) = (0, 0, 0);
    while !stage.machine.is_quiet() {
        let (calls, entries) = answer_round(&mut stage);
        (rounds, released, most) = (rounds + 1, released + entries, most.max(calls));
    }
    assert_eq!((released, most), (10_000, 64));
    assert!(rounds <= 50, "{rounds} rounds of calls, 20 ms each");
}

#[test]
fn c12_our_own_messages_go_before_those_of_others() {
    let mut stage = Stage::new(|settings| settings.max_unacked_results = 10_000);
    ended(&mut stage, 3);
    let id = AttemptId::from_random([99; 16]);
    let unmatched = |stage: &mut Stage| {
        let messages = (0..10).map(|_| stage.result("other", id)).collect();
        stage.answer_poll(RESULTS, Ok(messages));
    };
    // More calls than may be under way at once, and none is answered.
    for _ in 0..100 {
        unmatched(&mut stage);
    }
    let before = stage.actions.len();
    stage.after(7_500);
    let Some((_, Action::ChangeVisibility { entries, .. })) = stage.actions.get(before) else {
        panic!("the extension waits behind releases of others' messages")
    };
    assert!(entries.iter().all(|entry| entry.seconds == 20), "{entries:?}");
    // At the end too.
    stage.machine.shut_down();
    stage.drop_polls();
    let before = stage.actions.len();
    stage.tick();
    let Some((_, Action::ChangeVisibility { entries, .. })) = stage.actions.get(before) else { panic!("no release") };
    assert_eq!(entries.iter().map(|entry| entry.seconds).collect::<Vec<_>>(), [0; 3]);
}

#[test]
fn c12_releases_of_others_messages_that_wait_are_bounded() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let id = AttemptId::from_random([99; 16]);
    for _ in 0..1_000 {
        let messages = (0..10).map(|_| stage.result("other", id)).collect();
        stage.answer_poll(RESULTS, Ok(messages));
        stage.after(250);
    }
    let released = stage.hidden().len();
    assert!((80..=1_640).contains(&released), "{released} of 10,000: the visibility of the others has ended by itself");
}
