//! Random histories, compared with a simple model of a queue: a list of the messages that must still be there.

use super::super::attributes::QueueAttributes;
use super::*;
use crate::random::Random;
use std::collections::BTreeMap;

/// A message that has been sent and not deleted.
#[derive(Default)]
struct Expected {
    group: String,
    /// Hidden before this time.
    hidden_until: u64,
    receives: u32,
    /// Handles of all its receives, the newest last.
    handles: Vec<String>,
}

struct History {
    random: Random,
    queue: Queue,
    now: u64,
    fifo: bool,
    sent: usize,
    expected: BTreeMap<usize, Expected>,
}

impl History {
    fn new(seed: u64, fifo: bool) -> Self {
        let mut queue = Queue::new(0, 1, "arn:q".into(), QueueAttributes::new(fifo));
        queue.flight_limit = 12;
        Self { random: Random::seeded(seed), queue, now: 1, fifo, sent: 0, expected: BTreeMap::new() }
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.next() % limit
    }

    fn step(&mut self) {
        match self.below(6) {
            0 => self.send(),
            1 | 2 => self.receive(),
            3 => self.settle(true),
            4 => self.settle(false),
            _ => self.now += self.below(4_000),
        }
        self.check();
    }

    fn send(&mut self) {
        let name = self.sent;
        self.sent += 1;
        let delay_ms = if self.fifo { 0 } else { self.below(3) * 1_000 };
        let group = format!("g{}", self.below(3));
        let mut message = Message::new(format!("id-{name}"), name.to_string(), Vec::new());
        message.group = Some(group.as_str().into());
        message.deduplication_id = self.fifo.then(|| name.to_string());
        self.queue.send(self.now, Arc::new(message), delay_ms);
        self.expected.insert(name, Expected { group, hidden_until: self.now + delay_ms, ..Expected::default() });
    }

    fn receive(&mut self) {
        let visibility = self.below(4) as u32;
        let ask = Ask { max: 1 + self.below(5) as usize, visibility: Some(visibility), max_receive_count: None };
        let room = 12 - self.in_flight();
        let receivable = self.receivable();
        let received = self.queue.receive(self.now, ask);
        assert_eq!(received.deliveries.len(), receivable.len().min(ask.max).min(room), "number of received messages");
        let locked = self.locked_groups();
        for delivery in received.deliveries {
            let name: usize = delivery.stored.message.body.parse().unwrap();
            assert!(receivable.contains(&name));
            if self.fifo {
                assert!(!locked.contains(&self.expected[&name].group));
                let before = self.expected.range(..name).filter(|(_, m)| m.group == self.expected[&name].group);
                // Messages that come before must have been received by this call.
                assert!(before.clone().all(|(_, m)| m.receives > 0), "order of received messages");
            }
            let expected = self.expected.get_mut(&name).unwrap();
            expected.receives += 1;
            expected.hidden_until = self.now + u64::from(visibility) * 1_000;
            expected.handles.push(delivery.receipt.encode());
            assert_eq!(delivery.stored.receive_count, expected.receives);
        }
    }

    /// Deletes a message, or changes its visibility, by the handle of any of its receives.
    fn settle(&mut self, delete: bool) {
        let received: Vec<usize> = self.expected.iter().filter(|(_, m)| m.receives > 0).map(|(n, _)| *n).collect();
        if received.is_empty() {
            return;
        }
        let name = received[self.below(received.len() as u64) as usize];
        let message = &self.expected[&name];
        let at = self.below(message.handles.len() as u64) as usize;
        let handle = message.handles[at].clone();
        let newest = at + 1 == message.handles.len();
        let in_flight = message.hidden_until > self.now;
        if delete {
            let result = self.queue.delete(self.now, &handle);
            assert_eq!(result.is_ok(), !self.fifo || (newest && in_flight));
            if newest && result.is_ok() {
                self.expected.remove(&name);
            }
        } else {
            let seconds = self.below(3);
            let result = self.queue.change_visibility(self.now, &handle, seconds as u32);
            assert_eq!(result.is_ok(), newest && in_flight);
            if result.is_ok() {
                self.expected.get_mut(&name).unwrap().hidden_until = self.now + seconds * 1_000;
            }
        }
    }

    fn in_flight(&self) -> usize {
        self.expected.values().filter(|m| m.receives > 0 && m.hidden_until > self.now).count()
    }

    fn locked_groups(&self) -> Vec<String> {
        let in_flight = self.expected.values().filter(|m| m.receives > 0 && m.hidden_until > self.now);
        in_flight.map(|m| m.group.clone()).collect()
    }

    fn receivable(&self) -> Vec<usize> {
        let locked = if self.fifo { self.locked_groups() } else { Vec::new() };
        let visible = self.expected.iter().filter(|(_, m)| m.hidden_until <= self.now);
        visible.filter(|(_, m)| !locked.contains(&m.group)).map(|(name, _)| *name).collect()
    }

    fn check(&mut self) {
        let in_flight = self.in_flight();
        let delayed = self.expected.values().filter(|m| m.receives == 0 && m.hidden_until > self.now).count();
        let observed = self.queue.observe(self.now);
        let visible = self.expected.len() - in_flight - delayed;
        assert_eq!((observed.visible, observed.in_flight, observed.delayed), (visible, in_flight, delayed));
        assert_eq!(self.queue.timers.len(), in_flight + delayed);
        assert_eq!(self.queue.ages.len(), self.expected.len());
        assert_eq!(self.queue.lineup.anything_ready(), !self.receivable().is_empty());
    }
}

#[test]
fn histories_of_standard_and_fifo_queues() {
    for seed in 0..400 {
        for fifo in [false, true] {
            let run = std::panic::AssertUnwindSafe(|| {
                let mut history = History::new(seed, fifo);
                (0..300).for_each(|_| history.step());
            });
            if let Err(panic) = std::panic::catch_unwind(run) {
                #[allow(clippy::print_stderr)] // For the developer; the test runner shows it.
                {
                    eprintln!("the history of seed {seed}, fifo {fifo}, failed");
                }
                std::panic::resume_unwind(panic);
            }
        }
    }
}
