//! One queue, without clock, lock or I/O: every call takes the time (Unix ms) as argument and returns immediately. The
//! cost of a call grows with the logarithm of the number of messages.

use super::attributes::{MAX_VISIBILITY_S, Observed, QueueAttributes};
use super::dedup::{Original, Recent};
use super::errors::{ErrorKind, SqsError};
use super::lineup::Lineup;
use super::message::Message;
use super::receipt::Receipt;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Limit of messages in flight in a queue.
const FLIGHT_LIMIT: usize = 120_000;
/// First sequence number of a FIFO queue. As on AWS it has 20 digits.
const FIRST_SEQUENCE: u64 = 10_000_000_000_000_000_000;
/// A second purge within this time is rejected.
const PURGE_INTERVAL_MS: u64 = 60_000;

/// A message in a queue.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) message: Arc<Message>,
    pub(super) sent_at: u64,
    /// FIFO queues only.
    pub(super) sequence: Option<u64>,
    /// ARN of the queue that a dead letter came from.
    pub(super) source_arn: Option<Arc<str>>,
    /// Receives in all queues that it has been in.
    pub(super) receive_count: u32,
    /// Time of the first receive; 0 before.
    pub(super) first_received_at: u64,
    /// Receives in this queue. Identifies the current receipt handle, and decides when the message is a dead letter.
    received_here: u32,
    received_at: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Delayed {
        until: u64,
    },
    Visible {
        place: u64,
    },
    InFlight {
        until: u64,
    },
    /// Taken from the line but not yet in flight; only inside `receive`.
    Taken,
}

/// A message as delivered to one receiver.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) stored: Stored,
    pub(super) receipt: Receipt,
}

/// Parameters of a receive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) max: usize,
    /// Seconds; `None`: the queue's default.
    pub(super) visibility: Option<u32>,
    /// After this number of receives a message is a dead letter; `None` without a dead letter queue.
    pub(super) max_receive_count: Option<u32>,
}

/// Result of a receive.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) deliveries: Vec<Delivery>,
    /// Removed messages, which the caller must put into the dead letter queue.
    pub(super) dead: Vec<Stored>,
    /// True if the limit of messages in flight is reached.
    pub(super) over_limit: bool,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// Random number of the queue, part of each receipt handle.
    uid: u64,
    arn: Arc<str>,
    attributes: QueueAttributes,
    messages: HashMap<u64, Stored>,
    lineup: Lineup,
    /// Ends of delays and visibility timeouts.
    timers: BTreeSet<(u64, u64)>,
    /// Send times of messages, for the retention period.
    ages: BTreeSet<(u64, u64)>,
    recent: Recent,
    next_number: u64,
    delayed: usize,
    in_flight: usize,
    flight_limit: usize,
    /// Messages that became receivable since the last `take_arrivals`.
    arrivals: usize,
    created_at: u64,
    modified_at: u64,
    purged_at: Option<u64>,
}

impl Queue {
    pub(super) fn new(now: u64, uid: u64, arn: Arc<str>, attributes: QueueAttributes) -> Self {
        Self {
            uid,
            arn,
            lineup: Lineup::new(attributes.fifo),
            attributes,
            messages: HashMap::new(),
            timers: BTreeSet::new(),
            ages: BTreeSet::new(),
            recent: Recent::default(),
            next_number: 0,
            delayed: 0,
            in_flight: 0,
            flight_limit: FLIGHT_LIMIT,
            arrivals: 0,
            created_at: now,
            modified_at: now,
            purged_at: None,
        }
    }

    pub(super) fn attributes(&self) -> &QueueAttributes {
        &self.attributes
    }

    pub(super) fn set_attributes(&mut self, now: u64, attributes: QueueAttributes) {
        self.attributes = attributes;
        self.modified_at = now;
    }

    /// For `GetQueueAttributes`.
    pub(super) fn observe(&mut self, now: u64) -> Observed<'_> {
        self.advance(now);
        Observed {
            arn: &self.arn,
            visible: self.messages.len() - self.delayed - self.in_flight,
            in_flight: self.in_flight,
            delayed: self.delayed,
            created_ms: self.created_at,
            modified_ms: self.modified_at,
        }
    }

    /// The requested attributes.
    pub(super) fn show(
        &mut self,
        now: u64,
        wanted: &[impl AsRef<str>],
    ) -> Result<Vec<(&'static str, String)>, SqsError> {
        let attributes = self.attributes.clone();
        attributes.select(wanted, &self.observe(now))
    }

    /// Adds a checked message, hidden for `delay_ms`. Returns the sequence number in a FIFO queue. A duplicate has no
    /// effect and returns the original message.
    pub(super) fn send(&mut self, now: u64, message: Arc<Message>, delay_ms: u64) -> Option<Original> {
        self.advance(now);
        let fifo = self.attributes.fifo.then(|| FIRST_SEQUENCE + self.next_number);
        if let (Some(sequence), Some(id)) = (fifo, message.deduplication_id.as_deref()) {
            let group = if self.attributes.deduplicate_by_group { message.group.as_ref() } else { None };
            if let Some(original) = self.recent.find(now, id, group) {
                return Some(original.clone());
            }
            let original = Original { message_id: message.id.clone(), sequence };
            self.recent.remember(now, id, group, original);
        }
        let original = fifo.map(|sequence| Original { message_id: message.id.clone(), sequence });
        self.store(
            Stored {
                message,
                sent_at: now,
                sequence: fifo,
                source_arn: None,
                receive_count: 0,
                first_received_at: 0,
                received_here: 0,
                received_at: 0,
                state: State::Delayed { until: now + delay_ms },
            },
            now,
        );
        original
    }

    /// Adds a dead letter. In a standard queue its age still counts from when it was first sent.
    pub(super) fn adopt(&mut self, now: u64, dead: Stored, source_arn: Arc<str>) {
        self.advance(now);
        let fifo = self.attributes.fifo;
        self.store(
            Stored {
                sent_at: if fifo { now } else { dead.sent_at },
                sequence: fifo.then(|| FIRST_SEQUENCE + self.next_number),
                source_arn: Some(source_arn),
                received_here: 0,
                state: State::Delayed { until: now },
                ..dead
            },
            now,
        );
    }

    fn store(&mut self, mut stored: Stored, now: u64) {
        let number = self.next_number;
        self.next_number += 1;
        match stored.state {
            State::Delayed { until } if until > now => {
                self.delayed += 1;
                self.timers.insert((until, number));
            }
            _ => stored.state = self.line_up(number, &stored.message),
        }
        self.ages.insert((stored.sent_at, number));
        self.messages.insert(number, stored);
    }

    /// Makes a message visible.
    fn line_up(&mut self, number: u64, message: &Message) -> State {
        let (place, receivable) = self.lineup.insert(number, message);
        self.arrivals += usize::from(receivable);
        State::Visible { place }
    }

    /// Receives messages that are visible now.
    pub(super) fn receive(&mut self, now: u64, ask: Ask) -> Received {
        self.advance(now);
        let room = self.flight_limit.saturating_sub(self.in_flight);
        let mut received = Received { over_limit: room == 0, ..Received::default() };
        let max = ask.max.min(room);
        let visibility_s = ask.visibility.unwrap_or(self.attributes.visibility_timeout);
        while received.deliveries.len() < max
            && let Some(number) = self.lineup.take()
        {
            let Some(stored) = self.messages.get_mut(&number) else { continue };
            stored.state = State::Taken;
            if ask.max_receive_count.is_some_and(|limit| stored.received_here >= limit) {
                received.dead.extend(self.remove(number));
                continue;
            }
            stored.receive_count = stored.receive_count.saturating_add(1);
            stored.received_here = stored.received_here.wrapping_add(1);
            stored.received_at = now;
            if stored.first_received_at == 0 {
                stored.first_received_at = now;
            }
            if visibility_s > 0 {
                let until = now + u64::from(visibility_s) * 1_000;
                stored.state = State::InFlight { until };
                self.in_flight += 1;
                self.timers.insert((until, number));
                self.lineup.hold(&stored.message);
            }
            let receipt = Receipt { queue: self.uid, message: number, receive: stored.received_here };
            received.deliveries.push(Delivery { stored: stored.clone(), receipt });
        }
        self.lineup.end_of_call();
        if visibility_s == 0 {
            // Do this after the loop; otherwise one call could receive the same message repeatedly.
            for delivery in &received.deliveries {
                let number = delivery.receipt.message;
                let state = self.line_up(number, &delivery.stored.message);
                if let Some(stored) = self.messages.get_mut(&number) {
                    stored.state = state;
                }
            }
        }
        received
    }

    /// Deletes by handle. Succeeds without effect for a handle of an earlier receive or of a deleted message.
    pub(super) fn delete(&mut self, now: u64, handle: &str) -> Result<(), SqsError> {
        self.advance(now);
        let receipt = Receipt::decode(handle, self.uid)?;
        let Some(stored) = self.messages.get(&receipt.message) else { return Ok(()) };
        let current = stored.received_here == receipt.receive;
        if self.attributes.fifo && !(current && matches!(stored.state, State::InFlight { .. })) {
            return Err(expired(handle));
        }
        if current {
            self.remove(receipt.message);
        }
        Ok(())
    }

    /// Hides a message in flight for `seconds` from now; 0 makes it visible.
    pub(super) fn change_visibility(&mut self, now: u64, handle: &str, seconds: u32) -> Result<(), SqsError> {
        self.advance(now);
        let receipt = Receipt::decode(handle, self.uid)?;
        let unavailable = || {
            SqsError::value(
                handle,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            )
        };
        let stored = self.messages.get_mut(&receipt.message).ok_or_else(unavailable)?;
        if stored.received_here != receipt.receive {
            return Err(if self.attributes.fifo { expired(handle) } else { unavailable() });
        }
        let State::InFlight { until: old } = stored.state else {
            return Err(if self.attributes.fifo {
                expired(handle)
            } else {
                SqsError::new(ErrorKind::MessageNotInflight, "The specified message isn't in flight.")
            });
        };
        let until = now + u64::from(seconds) * 1_000;
        if until - stored.received_at > u64::from(MAX_VISIBILITY_S) * 1_000 {
            return Err(SqsError::value(
                seconds,
                "VisibilityTimeout",
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
            ));
        }
        self.timers.remove(&(old, receipt.message));
        if seconds > 0 {
            stored.state = State::InFlight { until };
            self.timers.insert((until, receipt.message));
        } else {
            self.land(receipt.message);
        }
        Ok(())
    }

    /// Removes all messages.
    pub(super) fn purge(&mut self, now: u64, name: &str) -> Result<(), SqsError> {
        if self.purged_at.is_some_and(|at| now < at + PURGE_INTERVAL_MS) {
            return Err(SqsError::new(
                ErrorKind::PurgeQueueInProgress,
                format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds."),
            ));
        }
        self.purged_at = Some(now);
        self.messages.clear();
        self.timers.clear();
        self.ages.clear();
        self.lineup = Lineup::new(self.attributes.fifo);
        self.delayed = 0;
        self.in_flight = 0;
        self.arrivals = 0;
        Ok(())
    }

    /// The next time at which a message becomes visible by itself.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Number of receivers to wake: messages that became receivable since the last call.
    pub(super) fn take_arrivals(&mut self) -> usize {
        let arrivals = std::mem::take(&mut self.arrivals);
        if self.lineup.anything_ready() { arrivals } else { 0 }
    }

    /// Applies all deadlines up to now.
    fn advance(&mut self, now: u64) {
        while let Some(&(at, number)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            self.land(number);
        }
        let retention = u64::from(self.attributes.retention_period) * 1_000;
        while let Some(&(sent_at, number)) = self.ages.first()
            && sent_at + retention <= now
        {
            self.remove(number);
        }
    }

    /// Makes a delayed message or one in flight visible. Its timer has already been removed.
    fn land(&mut self, number: u64) {
        let Some(stored) = self.messages.get(&number) else { return };
        let (message, state) = (Arc::clone(&stored.message), stored.state);
        let visible = self.line_up(number, &message);
        match state {
            State::Delayed { .. } => self.delayed -= 1,
            State::InFlight { .. } => self.leave_flight(&message),
            State::Visible { .. } | State::Taken => {}
        }
        if let Some(stored) = self.messages.get_mut(&number) {
            stored.state = visible;
        }
    }

    fn leave_flight(&mut self, message: &Message) {
        let was_full = self.in_flight >= self.flight_limit;
        self.in_flight -= 1;
        let unlocked = self.lineup.release(message);
        self.arrivals += usize::from(unlocked || was_full);
    }

    /// Removes a message in any state.
    fn remove(&mut self, number: u64) -> Option<Stored> {
        let stored = self.messages.remove(&number)?;
        self.ages.remove(&(stored.sent_at, number));
        match stored.state {
            State::Delayed { until } => {
                self.delayed -= 1;
                self.timers.remove(&(until, number));
            }
            State::Visible { place } => self.lineup.remove(number, place, &stored.message),
            State::InFlight { until } => {
                self.timers.remove(&(until, number));
                self.leave_flight(&stored.message);
            }
            State::Taken => {}
        }
        Some(stored)
    }
}

fn expired(handle: &str) -> SqsError {
    SqsError::value(handle, "ReceiptHandle", "The receipt handle has expired")
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod histories;
