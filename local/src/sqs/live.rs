//! A queue with many concurrent callers: its lock, and the long polls that wait on it.
//!
//! Every poll waits on `arrivals`; each message that becomes receivable wakes one poll: the one that waits longest or the
//! newest, by chance, as AWS promises no order either, and programs must not depend on one. Time also makes messages
//! receivable. For that, one of the waiting polls is the timekeeper: it sleeps at most until the queue's next deadline.
//! When it leaves, another poll takes over.

use super::errors::{ErrorKind, SqsError};
use super::queue::{Ask, Delivery, Queue, Stored};
use super::redrive::RedrivePolicy;
use crate::clock::Clock;
use crate::random::Random;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A queue, its address and the polls that wait for its messages.
#[derive(Debug)]
pub(super) struct LiveQueue {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) arn: Arc<str>,
    pub(super) fifo: bool,
    clock: Arc<Clock>,
    state: Mutex<State>,
    /// One permit wakes one poll.
    arrivals: Notify,
    random: Random,
    /// Wakes the timekeeper when its deadline becomes earlier.
    earlier: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// End of the timekeeper's sleep; `None` without a timekeeper.
    alarm: Option<u64>,
}

/// A poll that waits. When it ends and no timekeeper is left, it wakes another poll to become the timekeeper: the ended
/// poll itself may have been woken for that.
struct Waiter<'a> {
    live: &'a LiveQueue,
    keeps_time: bool,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        if self.keeps_time {
            state.alarm = None;
        }
        let no_timekeeper = state.alarm.is_none();
        drop(state);
        if no_timekeeper {
            self.live.wake_one();
        }
    }
}

impl LiveQueue {
    pub(super) fn new(name: String, url: String, arn: Arc<str>, clock: Arc<Clock>, seed: u64, queue: Queue) -> Self {
        let fifo = queue.attributes().fifo;
        let state = Mutex::new(State { queue, alarm: None });
        let (arrivals, earlier) = (Notify::new(), Notify::new());
        Self { name, url, arn, fifo, clock, state, arrivals, random: Random::seeded(seed), earlier }
    }

    /// Wakes a poll that waits.
    fn wake_one(&self) {
        if self.random.chance(0.5) {
            self.arrivals.notify_one();
        } else {
            self.arrivals.notify_last();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Ignore poisoning: a panic inside the lock is a bug, but the queue remains usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `action` on the queue, then wakes the polls that can receive now.
    pub(super) fn with<T>(&self, action: impl FnOnce(&mut Queue, u64) -> T) -> T {
        let now = self.clock.now();
        let mut state = self.lock();
        let result = action(&mut state.queue, now);
        let arrivals = state.queue.take_arrivals();
        let earlier = match (state.alarm, state.queue.next_deadline()) {
            (Some(alarm), Some(deadline)) => deadline < alarm,
            _ => false,
        };
        drop(state);
        for _ in 0..arrivals {
            self.wake_one();
        }
        if earlier {
            self.earlier.notify_one();
        }
        result
    }

    /// Receives, waiting up to `wait_ms` (0: not at all) for the first message. `dead_letter_queue` finds the queue that
    /// a policy names. Dropping the future ends the poll and takes no message. On AWS a poll continues without its
    /// client, so the server does not drop it when the client closes the connection.
    pub(super) async fn receive(
        &self,
        ask: Ask,
        wait_ms: Option<u64>,
        dead_letter_queue: impl Fn(&RedrivePolicy) -> Option<Arc<LiveQueue>>,
    ) -> Result<Vec<Delivery>, SqsError> {
        let wait_ms = wait_ms.unwrap_or_else(|| self.with(|queue, _| u64::from(queue.attributes().wait_time) * 1_000));
        let deadline = self.clock.now() + wait_ms;
        let mut waiter = None;
        loop {
            let arrival = self.arrivals.notified();
            tokio::pin!(arrival);
            if wait_ms > 0 {
                // Start to wait before checking the queue, so that no arrival in between is missed.
                arrival.as_mut().enable();
            }
            let (deliveries, over_limit) = self.receive_now(ask, &dead_letter_queue);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            if wait_ms == 0 && over_limit && !self.fifo {
                return Err(SqsError::new(
                    ErrorKind::OverLimit,
                    format!("Too many messages are in flight in queue {}: delete those that are done.", self.name),
                ));
            }
            if self.clock.now() >= deadline {
                return Ok(Vec::new());
            }
            let waiter = waiter.get_or_insert_with(|| Waiter { live: self, keeps_time: false });
            let alarm = self.keep_time(waiter, deadline);
            tokio::select! {
                () = arrival => {}
                () = self.earlier.notified(), if waiter.keeps_time => {}
                () = tokio::time::sleep_until(self.clock.instant(alarm)) => {}
            }
        }
    }

    fn receive_now(
        &self,
        mut ask: Ask,
        dead_letter_queue: &impl Fn(&RedrivePolicy) -> Option<Arc<LiveQueue>>,
    ) -> (Vec<Delivery>, bool) {
        // Find the other queue outside of this one's lock: two locks are never held together.
        let policy = self.lock().queue.attributes().redrive.clone();
        let letters = policy.as_deref().and_then(dead_letter_queue);
        if let (Some(policy), Some(_)) = (policy, &letters) {
            ask.max_receive_count = Some(policy.max_receive_count);
        }
        let received = self.with(|queue, now| queue.receive(now, ask));
        if let Some(letters) = letters {
            letters.take_dead(received.dead, &self.arn);
        }
        (received.deliveries, received.over_limit)
    }

    fn take_dead(&self, dead: Vec<Stored>, source_arn: &Arc<str>) {
        if !dead.is_empty() {
            self.with(|queue, now| dead.into_iter().for_each(|dead| queue.adopt(now, dead, Arc::clone(source_arn))));
        }
    }

    /// Makes the poll the timekeeper if there is none. Returns the end of its sleep.
    fn keep_time(&self, waiter: &mut Waiter<'_>, deadline: u64) -> u64 {
        let mut state = self.lock();
        if state.alarm.is_some() && !waiter.keeps_time {
            return deadline;
        }
        waiter.keeps_time = true;
        let alarm = state.queue.next_deadline().map_or(deadline, |next| next.min(deadline));
        state.alarm = Some(alarm);
        alarm
    }
}

#[cfg(test)]
mod tests;
