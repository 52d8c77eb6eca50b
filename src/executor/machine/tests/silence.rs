//! When silence means LOST.

use super::*;
use TaskState::{Lost, Running, Succeeded};

/// A machine without a readers' share in the time: no other executor hides messages.
fn quiet(result_timeout_ms: u64) -> Stage {
    Stage::new(|settings| {
        settings.routes[0].result_timeout_ms = result_timeout_ms;
        settings.max_unmatched_delay_s = 0;
    })
}

#[test]
fn lost_needs_both_queues_read_for_the_limit_and_for_as_long_as_another_reader_hides_a_message() {
    let mut stage = Stage::new(|settings| settings.routes[0].result_timeout_ms = 100_000);
    stage.running("k");
    stage.take();
    for _ in 0..20 {
        stage.after(20_000);
        stage.answer_poll(RESULTS, Ok(Vec::new()));
        stage.answer_poll(DEAD, Err(error(NOT_READY)));
        stage.after(30_000);
    }
    assert_eq!(stage.states(), [], "only one of two was read");
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    stage.answer_poll(DEAD, Ok(Vec::new()));
    stage.listen(125_000);
    assert_eq!(stage.states(), [], "a message may be hidden for 60 s");
    stage.listen(50_000);
    let events = stage.take();
    assert_eq!((events[0].state, events[0].reason), (Lost, Some(Reason::Lost)));
    assert!(events[0].message.contains("within 100000 ms after Lambda accepted it"), "{}", events[0].message);
}

#[test]
fn silence_means_nothing_while_receiving_is_paused() {
    let mut stage = Stage::new(|settings| {
        settings.max_unacked_results = 1;
        settings.routes[0].result_timeout_ms = 10_000;
        settings.max_unmatched_delay_s = 0;
    });
    let attempt = stage.running("first");
    stage.running("silent");
    let result = stage.result("first", attempt);
    stage.deliver(RESULTS, result);
    stage.listen(600_000);
    assert_eq!(stage.state("silent"), Some(Running));
    stage.take();
    stage.acknowledge_all();
    stage.listen(45_000);
    assert_eq!(stage.state("silent"), Some(Lost));
}

#[test]
fn s13_each_task_and_each_route_has_its_own_limit() {
    let mut stage = Stage::new(|settings| {
        settings.max_unmatched_delay_s = 0;
        settings.route_by_queue = true;
        let mut short = settings.routes[0].clone();
        (short.name, short.result_timeout_ms) = ("short".into(), 100_000);
        settings.routes.push(short);
    });
    stage.try_queue(TaskSpec { result_timeout_ms: 20_000, ..Stage::spec("own") }).unwrap();
    stage.try_queue(TaskSpec { queue: "short".into(), ..Stage::spec("route's") }).unwrap();
    stage.try_queue(TaskSpec { queue: "short".into(), result_timeout_ms: 300_000, ..Stage::spec("longer") }).unwrap();
    stage.queue("default");
    let adopted =
        AdoptSpec { key: "adopted".into(), tag: 0, queue: String::new(), result_timeout_ms: 40_000, attempt: None };
    stage.machine.adopt(adopted).unwrap();
    let mut lost = Vec::new();
    for _ in 0..20 {
        stage.listen(20_000);
        let now_s = (stage.now.mono_ms - 1_000) / 1_000;
        let ended = stage.take().into_iter().filter(|event| event.state == Lost);
        lost.extend(ended.map(|event| (event.key.to_string(), now_s)));
    }
    let order: Vec<&str> = lost.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(order, ["own", "adopted", "route's", "longer"], "{lost:?}");
    for ((_, at_s), limit_s) in lost.iter().zip([20, 80, 100, 300]) {
        assert!((limit_s..=limit_s + 40).contains(at_s), "{lost:?}");
    }
    assert_eq!(stage.state("default"), Some(Running));
}

#[test]
fn s15_a_result_that_the_process_before_has_hidden_is_waited_for_after_adopt() {
    let mut stage = quiet(15_000);
    stage.adopt("k");
    stage.listen(54_000);
    assert_eq!(stage.states(), []);
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Succeeded]);
}

#[test]
fn s15_an_adopted_task_of_which_nothing_is_heard_is_lost_all_the_same() {
    let mut stage = quiet(15_000);
    stage.adopt("k");
    stage.listen(80_000);
    let events = stage.take();
    assert_eq!(events[0].state, Lost);
    assert!(events[0].message.contains("after it was adopted"), "{}", events[0].message);
}

#[test]
fn a_receive_whose_answer_was_lost_may_hide_a_result_as_long_as_the_first_visibility() {
    let hidden = |result_comes: bool| {
        let mut stage = quiet(1_000);
        let attempt = stage.running("k");
        stage.take();
        stage.answer_poll(RESULTS, Err(error(LOST_ANSWER)));
        stage.answer_poll(DEAD, Ok(Vec::new()));
        stage.after(500);
        for _ in 0..15 {
            stage.after(1_000);
            stage.answer_poll(RESULTS, Ok(Vec::new()));
            stage.answer_poll(DEAD, Ok(Vec::new()));
        }
        assert_eq!(stage.states(), []);
        if result_comes {
            let result = stage.result("k", attempt);
            stage.deliver(RESULTS, result);
        }
        stage.listen(40_000);
        stage.states()
    };
    assert_eq!(hidden(true), [Succeeded]);
    assert_eq!(hidden(false), [Lost]);
}

/// A result of others' tasks every 25 ms; one receive in so many fails.
struct Busy {
    fails_every: u64,
    receives: u64,
}

impl World for Busy {
    fn receive_ms(&self, queue: QueueId) -> u64 {
        if queue == RESULTS { 25 } else { 20_000 }
    }

    fn receive(&mut self, queue: QueueId, now: Now) -> Result<Vec<Message>, CallError> {
        if queue == DEAD {
            return Ok(Vec::new());
        }
        self.receives += 1;
        if self.fails_every > 0 && self.receives.is_multiple_of(self.fails_every) {
            return Err(error(LOST_ANSWER));
        }
        let body = r#"{"task_key":"another","return_code":0}"#.to_owned();
        Ok(vec![message(self.receives, body, now)])
    }
}

#[test]
fn s16_failed_receives_among_many_delay_lost_by_little() {
    for fails_every in [0, 1_000, 200, 50] {
        let mut stage = Stage::new(|settings| settings.routes[0].result_timeout_ms = 5_000);
        stage.running("silent");
        let mut world = Busy { fails_every, receives: 0 };
        stage.run(64_000, &mut world);
        assert_eq!(stage.state("silent"), Some(Running), "one receive in {fails_every} fails");
        stage.run(56_000, &mut world);
        assert_eq!(stage.state("silent"), Some(Lost), "one receive in {fails_every} fails");
    }
}

#[test]
fn nothing_is_lost_after_the_shutdown() {
    let mut stage = quiet(1_000);
    stage.running("k");
    stage.machine.shut_down();
    stage.tick();
    stage.listen(100_000);
    assert_eq!(stage.states(), [Running]);
}
