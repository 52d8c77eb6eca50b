//! A results queue full of messages of others.

use super::*;
use std::collections::BTreeSet;

/// SQS with one queue of results.
struct Queue {
    /// When each message is visible.
    visible: BTreeSet<(u64, usize)>,
    visible_at: Vec<u64>,
    counts: Vec<u32>,
    bodies: Vec<String>,
    receives: Vec<u64>,
    changes: Vec<u64>,
}

impl Queue {
    /// So many messages that no executor waits for.
    fn of_others(count: usize) -> Self {
        let id = AttemptId::from_random([99; 16]);
        let body = |n: usize| result_body(&format!("other-{n}"), id);
        Self {
            visible: (0..count).map(|n| (0, n)).collect(),
            visible_at: vec![0; count],
            counts: vec![0; count],
            bodies: (0..count).map(body).collect(),
            receives: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn show(&mut self, n: usize, at_ms: u64) {
        self.visible.remove(&(self.visible_at[n], n));
        self.visible_at[n] = at_ms;
        self.visible.insert((at_ms, n));
    }

    /// A result comes last.
    fn add(&mut self, body: String, now: Now) {
        self.bodies.push(body);
        self.counts.push(0);
        self.visible_at.push(now.mono_ms);
        self.visible.insert((now.mono_ms, self.bodies.len() - 1));
    }

    fn calls_since(&self, since_ms: u64) -> (usize, usize) {
        let since = |calls: &[u64]| calls.iter().filter(|at| **at >= since_ms).count();
        (since(&self.receives), since(&self.changes))
    }
}

impl World for Queue {
    fn receive_ms(&self, queue: QueueId) -> u64 {
        if queue == RESULTS { 5 } else { 20_000 }
    }

    fn receive(&mut self, queue: QueueId, now: Now) -> Result<Vec<Message>, CallError> {
        if queue == DEAD {
            return Ok(Vec::new());
        }
        self.receives.push(now.mono_ms);
        let found: Vec<usize> =
            self.visible.iter().take_while(|(at, _)| *at <= now.mono_ms).take(10).map(|(_, n)| *n).collect();
        let mut messages = Vec::new();
        for n in found {
            self.counts[n] += 1;
            self.show(n, now.mono_ms + 15_000);
            messages.push(Message {
                message_id: format!("id-{n}"),
                receipt: format!("{n} {}", self.counts[n]),
                body: self.bodies[n].clone(),
                receive_count: self.counts[n],
                ..Message::default()
            });
        }
        Ok(messages)
    }

    fn change_visibility(&mut self, entries: &[(String, u32)], now: Now) {
        self.changes.push(now.mono_ms);
        for (receipt, seconds) in entries {
            let (n, count) = receipt.split_once(' ').unwrap();
            let n: usize = n.parse().unwrap();
            if count.parse() == Ok(self.counts[n]) {
                self.show(n, now.mono_ms + u64::from(*seconds) * 1_000);
            }
        }
    }
}

#[test]
fn s18_calls_fall_to_a_few_a_second_whatever_the_number_of_messages_of_others() {
    for count in [100, 1_000, 40_000] {
        let mut stage = Stage::new(|_| {});
        stage.running("silent");
        let mut queue = Queue::of_others(count);
        stage.run(150_000, &mut queue);
        let (receives, changes) = queue.calls_since(stage.now.mono_ms - 30_000);
        assert!(receives <= 8 * 30 && changes <= 8 * 30, "{count}: {receives} receives, {changes} changes in 30 s");
        assert_eq!(queue.bodies.len(), queue.visible.len(), "none is deleted");
    }
}

#[test]
fn s18_a_result_behind_messages_of_others_is_found() {
    for count in [100, 1_000, 10_000] {
        let mut stage = Stage::new(|_| {});
        let attempt = stage.running("k");
        let mut queue = Queue::of_others(count);
        queue.add(result_body("k", attempt), stage.now);
        stage.run(10_000, &mut queue);
        assert_eq!(stage.state("k"), Some(TaskState::Succeeded), "behind {count}");
    }
}

/// The figure of `docs/queues.md`, and of the comment in `unmatched.rs`.
#[test]
fn s18_a_result_behind_40_000_messages_of_others_is_found_in_9_minutes() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let mut queue = Queue::of_others(40_000);
    queue.add(result_body("k", attempt), stage.now);
    let began_ms = stage.now.mono_ms;
    while stage.state("k") == Some(TaskState::Running) && stage.now.mono_ms - began_ms < 3_600_000 {
        stage.run(1_000, &mut queue);
    }
    assert_eq!(stage.state("k"), Some(TaskState::Succeeded));
    let minutes = (stage.now.mono_ms - began_ms) / 60_000;
    assert_eq!(minutes, 9);
}
