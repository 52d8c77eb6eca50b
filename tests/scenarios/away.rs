//! Outages of services, and credentials that expire: tasks wait, none fails, none is lost, none runs twice.

use crate::executors::Schedulers;
use crate::world::World;
use lambda_executor::aws::Keys;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Tasks before, during and after the fault, each.
const TASKS: usize = 40;

fn soak() -> bool {
    std::env::var_os("LAMBDA_EXECUTOR_SOAK").is_some()
}

/// Duration of the fault: 60 s in the long run, otherwise as short as possible.
fn trouble() -> Duration {
    Duration::from_secs(if soak() { 60 } else { 3 })
}

/// Result timeout. It ends within the fault, so that a task would be LOST if time without a result were enough.
const IMPATIENT: &str = r#"{"result_timeout_ms": 1000, "max_unmatched_delay_s": 1, "max_outage_ms": 600000}"#;

struct Story {
    world: World,
    all: Schedulers,
    queued: usize,
}

impl Story {
    fn begin(options: &Value) -> Self {
        let mut given = json!({"handler": "builtin"});
        for (name, value) in options.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        let world = World::start(&given);
        let mut all = Schedulers::new();
        all.start(&world, &serde_json::from_str(IMPATIENT).unwrap());
        let mut story = Self { world, all, queued: 0 };
        story.queue();
        let all_of_them = story.queued;
        story.all.run(Duration::from_secs(20), |all| all.ended.len() == all_of_them);
        story
    }

    /// Submits more tasks.
    fn queue(&mut self) {
        for _ in 0..TASKS {
            self.all.queue(0, format!("task/{}", self.queued), 20);
            self.queued += 1;
        }
    }

    fn health(&self) -> Value {
        self.all.stats()[0]["health"].clone()
    }

    /// Takes events for this time.
    fn live(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.all.run(time + Duration::from_secs(5), |_| Instant::now() >= until);
    }

    /// Waits until every task has ended, and checks that each succeeded and ended once. An Invoke whose answer was lost
    /// may have run and then run again: at most this number of additional runs is allowed.
    fn end(mut self, name: &str, most_more_runs: u64) {
        self.queue();
        let (tasks, began) = (self.queued, Instant::now());
        self.all.run(Duration::from_secs(120), |all| all.ended.len() == tasks);
        self.all.assert_all_succeeded_once(tasks);
        let stats = &self.all.stats()[0];
        let runs = self.world.stats()["invocations"].as_u64().unwrap();
        crate::print(&format!(
            "{name}: fault of {:.0} s, {tasks} tasks succeeded, the last {:.1} s after its end; {runs} runs; \
             {} unanswered, {} retried, {} failures of credentials, {} failed receives",
            trouble().as_secs_f64(),
            began.elapsed().as_secs_f64(),
            stats["invokes"]["unanswered"],
            stats["invokes"]["retried"],
            stats["invokes"]["credential_failures"],
            stats["messages"]["receive_failures"],
        ));
        assert!(runs - tasks as u64 <= most_more_runs, "{runs} runs of {tasks} tasks");
        self.all.end();
    }

    /// The complete scenario of one fault.
    fn of(name: &str, faults: &Value, most_more_runs: u64) {
        let _alone = crate::alone();
        let mut story = Self::begin(&json!({}));
        story.world.set_faults(faults);
        story.queue();
        story.live(trouble());
        assert_eq!(story.health()["state"], "degraded", "{}", story.health());
        story.world.set_faults(&json!({}));
        story.end(name, most_more_runs);
    }
}

#[test]
fn lambda_answers_with_errors() {
    let _alone = crate::alone();
    let mut story = Story::begin(&json!({}));
    story.world.set_faults(&json!({"lambda": {"error": 1}}));
    story.queue();
    story.live(trouble());
    assert_eq!(story.all.sum("/tasks/queued"), TASKS as u64, "all wait");
    story.world.set_faults(&json!({}));
    story.end("Lambda answers with errors", 0);
}

/// Messages of a receive whose answer was lost are hidden for 15 s.
#[test]
fn sqs_closes_every_connection() {
    Story::of("SQS closes every connection", &json!({"sqs": {"drop": 1}}), 0);
}

#[test]
fn sqs_answers_with_errors() {
    Story::of("SQS answers with errors", &json!({"sqs": {"error": 1}}), 0);
}

#[test]
fn both_refuse_connections() {
    let _alone = crate::alone();
    let mut story = Story::begin(&json!({}));
    // The outage ends by itself: no request could end it.
    let for_ms = trouble().as_millis() as u64;
    story.world.set_faults(&json!({"outages": [{"after_ms": 0, "for_ms": for_ms, "kind": "refuse"}]}));
    story.queue();
    story.live(trouble() - Duration::from_millis(500));
    assert_eq!(story.health()["state"], "degraded", "{}", story.health());
    story.live(Duration::from_millis(500));
    story.end("both refuse connections", 0);
}

/// No message in one queue proves nothing while the other cannot be read: no task is LOST.
#[test]
fn only_the_dead_letter_queue_is_unavailable() {
    let _alone = crate::alone();
    let mut story = Story::begin(&json!({}));
    story.world.set_dead_letters_away(true);
    story.all.queue(0, format!("task/{}", story.queued), trouble().as_millis() as u64 + 1_000);
    story.queued += 1;
    story.queue();
    story.live(trouble());
    assert_eq!(story.health()["state"], "degraded", "{}", story.health());
    story.world.set_dead_letters_away(false);
    story.end("the dead letter queue alone", 0);
}

#[test]
fn credentials_expire_and_are_replaced() {
    let _alone = crate::alone();
    let (id, secret) = ("AKIALASTING000000000", "lasts-longer");
    let mut story = Story::begin(&json!({"lasting_access_key_id": id, "lasting_secret_access_key": secret}));
    // Tasks that run when the credentials expire must not be lost either.
    for _ in 0..TASKS {
        story.all.queue(0, format!("task/{}", story.queued), 1_000);
        story.queued += 1;
    }
    let running = story.all.started + TASKS;
    story.all.run(Duration::from_secs(20), |all| all.started == running);
    story.world.set_faults(&json!({"expire_credentials_after_ms": 0}));
    story.queue();
    story.live(trouble());
    assert_eq!(story.health()["state"], "no_credentials", "{}", story.health());
    let keys = Keys { access_key_id: id.into(), secret_access_key: secret.into(), session_token: None };
    story.all.set_credentials(0, keys);
    story.end("credentials", 0);
}
