//! What is received, and whose a message is.
//!
//! | file | what it decides |
//! |---|---|
//! | `poller.rs` | how many long polls of one queue are under way, and when none is |
//! | `matching.rs` | whose a message is |
//! | `unmatched.rs` | when a message of others is seen again |
//! | `reading.rs` | how long all queues have been read: the clock by which silence means LOST |
//! | `queue_clock.rs` | the queue's clock against ours |

mod matching;
mod poller;
mod queue_clock;
mod reading;
mod unmatched;

pub(super) use matching::Verdict;
pub(super) use reading::Reading;

use crate::executor::message::Received;
use crate::executor::ports::{CallError, Now, QueueId, ReceiveRequest, Sent};
use crate::executor::settings::{QueueKind, QueueSettings};
use poller::Poller;
use queue_clock::QueueClock;

use super::backoff::Jitter;
use super::deliveries::{BATCH, FIRST_VISIBILITY_S};

/// How long a receive waits for messages, in s: the longest that SQS allows.
pub(super) const WAIT_S: u32 = 20;

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) receive_calls: u64,
    pub(super) empty_receives: u64,
    pub(super) receive_failures: u64,
    pub(super) received: u64,
    pub(super) received_bytes: u64,
    pub(super) duplicates: u64,
    pub(super) unmatched: u64,
    pub(super) orphans: u64,
    pub(super) malformed: u64,
    pub(super) foreign_dead_letters: u64,
    pub(super) success_records: u64,
}

/// What the pollers need to know of everything else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Tasks that a message may be about.
    pub(super) awaited: u64,
    /// No more messages can be taken.
    pub(super) is_paused: bool,
    /// Receives that may start, beside the first of each queue.
    pub(super) room: usize,
    pub(super) is_closed: bool,
}

/// All queues that are received from.
#[derive(Debug)]
pub(super) struct Inbox {
    queues: Vec<QueueSettings>,
    pollers: Vec<Poller>,
    clocks: Vec<QueueClock>,
    reading: Reading,
    max_unmatched_delay_s: u32,
    jitter: Jitter,
    /// For the messages of others in the newest receive: see `unmatched.rs`.
    chance: u32,
    pub(super) counts: Counts,
}

impl Inbox {
    pub(super) fn new(queues: &[QueueSettings], max_unmatched_delay_s: u32, seed: u64, now: Now) -> Self {
        Self {
            queues: queues.to_vec(),
            pollers: queues.iter().map(|_| Poller::default()).collect(),
            clocks: queues.iter().map(|_| QueueClock::default()).collect(),
            reading: Reading::new(queues.len(), now.mono_ms),
            max_unmatched_delay_s,
            jitter: Jitter::new(seed),
            chance: 0,
            counts: Counts::default(),
        }
    }

    pub(super) fn kind(&self, queue: QueueId) -> QueueKind {
        self.queues[queue].kind
    }

    pub(super) fn name(&self, queue: QueueId) -> &str {
        &self.queues[queue].name
    }

    pub(super) fn is_fifo(&self, queue: QueueId) -> bool {
        self.queues[queue].fifo
    }

    /// The clock of silence.
    pub(super) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Messages that receives under way may bring.
    pub(super) fn expected(&self) -> usize {
        self.pollers.iter().map(Poller::in_flight).sum::<usize>() * BATCH
    }

    /// Average length of a body so far, in bytes.
    pub(super) fn average_bytes(&self) -> usize {
        usize::try_from(self.counts.received_bytes / self.counts.received.max(1)).unwrap_or(usize::MAX)
    }

    /// The receives to start now.
    pub(super) fn receives(&mut self, now_ms: u64, demand: Demand) -> Vec<ReceiveRequest> {
        let mut requests = Vec::new();
        if demand.awaited == 0 || demand.is_paused || demand.is_closed {
            self.reading.interrupted(now_ms);
            return requests;
        }
        self.reading.resumed(now_ms);
        let mut room = demand.room;
        for (queue, poller) in self.pollers.iter_mut().enumerate() {
            let started = poller.start(now_ms, demand.awaited, room);
            room = room.saturating_sub(started);
            for _ in 0..started {
                self.counts.receive_calls += 1;
                requests.push(ReceiveRequest {
                    queue,
                    max_messages: BATCH as u32,
                    wait_s: WAIT_S,
                    visibility_s: FIRST_VISIBILITY_S,
                });
            }
        }
        requests
    }

    /// When [`Self::receives`] may have some by itself.
    pub(super) fn next_timer(&self, now_ms: u64, demand: Demand) -> Option<u64> {
        if demand.awaited == 0 || demand.is_paused || demand.is_closed {
            return None;
        }
        self.pollers.iter().filter_map(|poller| poller.next_start(now_ms)).min()
    }

    /// A receive brought these messages.
    pub(super) fn receive_succeeded(&mut self, queue: QueueId, now_ms: u64, took_ms: u64, messages: &[Received]) {
        let bytes: usize = messages.iter().map(|message| message.bytes).sum();
        self.chance = self.jitter.up_to(u64::from(unmatched::MOST_CHANCE)) as u32;
        self.counts.received += messages.len() as u64;
        self.counts.received_bytes += bytes as u64;
        self.counts.empty_receives += u64::from(messages.is_empty());
        if self.pollers[queue].succeeded(now_ms, took_ms, messages.len()) {
            let name = &self.queues[queue].name;
            tracing::warn!(queue = name, "the {name} queue can be read again");
        }
        self.reading.succeeded(queue, now_ms.saturating_sub(took_ms), now_ms);
        for message in messages {
            self.clocks[queue].learn(message, now_ms);
        }
    }

    /// None of the messages of a receive was ours, or at least one was.
    pub(super) fn sorted(&mut self, queue: QueueId, now_ms: u64, count: usize, unmatched: usize) {
        self.pollers[queue].sorted(now_ms, count, unmatched);
    }

    /// A receive failed. `retry_at_ms`: not before then, because our credentials are rejected.
    pub(super) fn receive_failed(&mut self, queue: QueueId, now_ms: u64, error: &CallError) {
        self.counts.receive_failures += 1;
        self.reading.failed(queue, now_ms, error.sent == Sent::Maybe);
        let text = error.to_string();
        let settings = &self.queues[queue];
        let Some((failures, wait)) = self.pollers[queue].failed(now_ms, &text, &mut self.jitter) else { return };
        if failures.is_power_of_two() {
            let what = match settings.kind {
                QueueKind::Results => "results wait",
                QueueKind::DeadLetters => "dead letters wait",
            };
            let name = &settings.name;
            tracing::warn!(
                queue = name,
                failures,
                next_try_ms = wait,
                "the {name} queue cannot be read, {what} there: {text}"
            );
        }
    }

    /// No receive of this queue before then.
    pub(super) fn wait_until(&mut self, queue: QueueId, at_ms: u64) {
        self.pollers[queue].wait_until(at_ms);
    }

    /// A long poll was ended without its answer.
    pub(super) fn poll_dropped(&mut self, queue: QueueId) {
        self.pollers[queue].dropped();
    }

    /// Ends the waits after failures: something has changed.
    pub(super) fn try_now(&mut self, now_ms: u64) {
        for poller in &mut self.pollers {
            poller.try_now(now_ms);
        }
    }

    /// How long a message of others is hidden now, in s.
    pub(super) fn unmatched_delay_s(&self, queue: QueueId, message: &Received, now_ms: u64) -> u32 {
        let age_ms = match self.queue_time(queue, now_ms) {
            Some(queue_now) if message.sent_at_ms > 0 => queue_now.saturating_sub(message.sent_at_ms),
            // Without its time, each receive counts as some seconds.
            _ => i64::from(message.receive_count) * 8_000,
        };
        let age_ms = u64::try_from(age_ms).unwrap_or_default();
        unmatched::delay_s(message.receive_count, age_ms, self.max_unmatched_delay_s, self.chance)
    }

    /// Silence means LOST only after messages that others may hide for so long would have been seen, in ms.
    pub(super) fn hidden_ms(&self) -> u64 {
        u64::from(self.max_unmatched_delay_s) * 1_000
    }

    /// Time by the queue's clock when it was `mono_ms` by ours; `None` before a message has shown it.
    pub(super) fn queue_time(&self, queue: QueueId, mono_ms: u64) -> Option<i64> {
        self.clocks[queue].at(mono_ms)
    }

    /// The first queue that cannot be read: its name, why, and when it is tried again.
    pub(super) fn failing(&self, now_ms: u64) -> Option<(&str, &str, Option<u64>)> {
        let (queue, poller) = self.queues.iter().zip(&self.pollers).find(|(_, poller)| poller.is_failing())?;
        Some((&queue.name, poller.last_error(), poller.next_try(now_ms)))
    }

    /// True when no receive is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.pollers.iter().all(|poller| poller.in_flight() == 0)
    }
}
