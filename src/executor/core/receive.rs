//! Long polls: as many as the work and what arrives ask for, none when nothing runs.

use super::{FailureClass, class};
use super::backoff::doubling_ms;
use super::batches::BATCH;
use super::deletes::PendingDeletes;
use super::held::FIRST_VISIBILITY_S;
use super::strangers::Sharing;
use super::visibility::PendingChanges;
use super::{Action, Core, Phase, Service};
use crate::executor::ports::{CallError, Message, QueueId, ReceiveRequest};
use crate::executor::settings::QueueKind;

/// SQS's longest.
const WAIT_S: u32 = 20;
/// Long polls of one queue at once, at most.
const MOST_POLLS: usize = 16;
/// One more poll for so many running tasks, if what arrives asks for it.
const TASKS_A_POLL: u64 = 10;
/// A receive with so many messages has probably left some.
const FULL: usize = BATCH - 1;
const FIRST_RETRY_MS: u64 = 500;
const MOST_RETRY_MS: u64 = 30_000;
/// An empty answer to a long poll before this was no long poll: do not ask in a tight loop.
const TOO_SOON_MS: u64 = 500;
/// While draining nobody needs to take events; SQS allows 120,000 in flight.
const MOST_HELD_IN_DRAIN: usize = 100_000;
/// A result may have 1 MiB, so their number alone does not bound memory.
const MOST_HELD_BYTES: usize = 256 << 20;

/// What is known of one queue.
#[derive(Debug)]
pub(super) struct Poller {
    in_flight: usize,
    target: usize,
    failures: u32,
    retry_at_ms: u64,
    /// Since when every poll has succeeded; `None` while paused, failing or not polling.
    pub(super) good_since_ms: Option<u64>,
    pub(super) last_success_ms: u64,
    pub(super) sharing: Sharing,
    /// Until then messages may be hidden by a receive of ours whose answer never came.
    pub(super) hidden_until_ms: u64,
    /// The queue's clock minus ours, as the newest first receive showed.
    pub(super) clock_ahead_ms: i64,
    pub(super) last_error: String,
    pub(super) deletes: PendingDeletes,
    pub(super) changes: PendingChanges,
}

impl Poller {
    pub(super) fn new() -> Self {
        Self {
            in_flight: 0,
            target: 1,
            failures: 0,
            retry_at_ms: 0,
            good_since_ms: None,
            last_success_ms: 0,
            hidden_until_ms: 0,
            sharing: Sharing::default(),
            clock_ahead_ms: 0,
            last_error: String::new(),
            deletes: PendingDeletes::default(),
            changes: PendingChanges::default(),
        }
    }

    /// More polls while receives come full, fewer while they bring little.
    fn adapt(&mut self, count: usize) {
        if count >= FULL {
            self.target += 1;
        } else if count <= BATCH / 3 {
            self.target = self.target.saturating_sub(1).max(1);
        }
    }

    pub(super) fn next_flush(&self) -> Option<u64> {
        let calls = [self.deletes.next_call(), self.changes.next_call(), self.sharing.next_release()];
        calls.into_iter().flatten().min()
    }

    pub(super) fn next_try(&self, now_ms: u64) -> Option<u64> {
        (self.retry_at_ms > now_ms && self.in_flight == 0).then_some(self.retry_at_ms)
    }

    /// When a poll may start that could not so far.
    pub(super) fn next_poll(&self, now_ms: u64) -> Option<u64> {
        let at = self.retry_at_ms.max(self.sharing.turn_at_ms);
        (at > now_ms && self.in_flight < self.wanted()).then_some(at)
    }

    fn wanted(&self) -> usize {
        if self.failures > 0 { 1 } else { self.target }
    }

    /// Ends the wait after a failure.
    pub(super) fn try_now(&mut self, now_ms: u64) {
        self.retry_at_ms = self.retry_at_ms.min(now_ms);
    }

    /// True when nothing is under way or waits to be.
    pub(super) fn is_quiet(&self) -> bool {
        let nothing_kept = self.sharing.next_release().is_none();
        self.in_flight == 0 && nothing_kept && self.deletes.are_done() && self.changes.are_done()
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

impl Core {
    /// True while as many results wait for the host as the configuration allows.
    pub(super) fn receiving_paused(&self) -> bool {
        let limit = self.settings.max_unacked_results;
        match self.phase {
            Phase::Draining => self.held.len() >= limit.max(MOST_HELD_IN_DRAIN),
            Phase::Open | Phase::Closed => self.held.len() >= limit || self.held_bytes >= MOST_HELD_BYTES,
        }
    }

    /// Starts the long polls that are missing.
    pub(super) fn poll_queues(&mut self) {
        let active = self.submitting + self.running;
        let idle = active == 0 || self.phase == Phase::Closed;
        if idle || self.receiving_paused() {
            for poller in &mut self.pollers {
                // What is in flight ends by itself; silence from now on proves nothing.
                if poller.in_flight == 0 || !idle {
                    poller.good_since_ms = None;
                }
            }
            return;
        }
        let now = self.now.mono_ms;
        let useful = usize::try_from(1 + active / TASKS_A_POLL).unwrap_or(MOST_POLLS).min(MOST_POLLS);
        for (queue, poller) in self.pollers.iter_mut().enumerate() {
            poller.target = poller.target.min(useful);
            while poller.in_flight < poller.wanted() && poller.retry_at_ms.max(poller.sharing.turn_at_ms) <= now {
                poller.in_flight += 1;
                self.counters.receive_calls += 1;
                self.counters.billed.queue_call(self.settings.queues[queue].fifo);
                // One waits for what comes. Where others read too, more of them would only take it from them.
                let empties = poller.in_flight > 1 && poller.sharing.is_shared(now);
                self.actions.push(Action::Receive(ReceiveRequest {
                    queue,
                    max_messages: BATCH as u32,
                    wait_s: if empties { 0 } else { WAIT_S },
                    visibility_s: FIRST_VISIBILITY_S,
                }));
            }
        }
    }

    /// The answer to an [`Action::Receive`]. `took_ms` is how long it took.
    pub(crate) fn received(&mut self, request: ReceiveRequest, took_ms: u64, answer: Result<Vec<Message>, CallError>) {
        let queue = request.queue;
        self.pollers[queue].in_flight -= 1;
        match answer {
            Ok(messages) => {
                let bytes = messages.iter().map(|message| message.body.len()).sum();
                self.counters.received_bytes += bytes as u64;
                self.counters.billed.received(self.settings.queues[queue].fifo, bytes);
                let count = messages.len();
                self.receive_succeeded(request, took_ms, count);
                self.sort_messages(queue, messages);
                if count < FULL {
                    self.give_back(queue);
                }
            }
            Err(error) => self.receive_failed(queue, took_ms, error),
        }
        self.tick();
    }

    /// A long poll was ended without its answer, which may take 20 s.
    pub(crate) fn poll_dropped(&mut self, queue: QueueId) {
        self.pollers[queue].in_flight -= 1;
    }

    fn receive_succeeded(&mut self, request: ReceiveRequest, took_ms: u64, count: usize) {
        let now = self.now.mono_ms;
        self.credentials_work(Service::Sqs, took_ms);
        self.counters.empty_receives += u64::from(count == 0);
        let name = &self.settings.queues[request.queue].name;
        let poller = &mut self.pollers[request.queue];
        if poller.failures > 0 {
            tracing::warn!(queue = name, "the {name} queue can be read again");
        }
        poller.failures = 0;
        poller.retry_at_ms = 0;
        poller.last_error.clear();
        poller.adapt(count);
        if request.wait_s == 0 {
            return; // SQS looked at a part of the queue only, so this proves nothing about the rest.
        }
        if count == 0 && took_ms < TOO_SOON_MS {
            poller.retry_at_ms = now + TOO_SOON_MS;
        }
        poller.last_success_ms = now;
        poller.good_since_ms = poller.good_since_ms.or(Some(now));
    }

    fn receive_failed(&mut self, queue: QueueId, took_ms: u64, error: CallError) {
        let text = error.to_string();
        self.counters.receive_failures += 1;
        let settings = &self.settings.queues[queue];
        let poller = &mut self.pollers[queue];
        poller.good_since_ms = None;
        if matches!(class(&error), FailureClass::Transient { .. }) {
            poller.hidden_until_ms = self.now.mono_ms + u64::from(FIRST_VISIBILITY_S) * 1_000;
        }
        // Other polls of the same moment failed for the same reason.
        if poller.retry_at_ms <= self.now.mono_ms {
            poller.failures = poller.failures.saturating_add(1);
            let wait = self.jitter.spread(doubling_ms(FIRST_RETRY_MS, poller.failures, MOST_RETRY_MS));
            poller.retry_at_ms = self.now.mono_ms + wait;
            if poller.failures.is_power_of_two() {
                let what = match settings.kind {
                    QueueKind::Results => "results wait",
                    QueueKind::DeadLetters => "dead letters wait",
                };
                tracing::warn!(
                    queue = settings.name,
                    failures = poller.failures,
                    next_try_ms = wait,
                    "the {} queue cannot be read, {what} there: {text}",
                    settings.name
                );
            }
        }
        poller.last_error.clone_from(&text);
        if class(&error) == FailureClass::Credentials {
            self.credentials_failed(Service::Sqs, took_ms, &text);
            if let Some((_, trouble)) = &self.credentials {
                // All attempts to connect have the one back-off, also where nothing waits to be submitted.
                let poller = &mut self.pollers[queue];
                poller.retry_at_ms = poller.retry_at_ms.max(trouble.next_probe_ms);
            }
        }
    }
}
