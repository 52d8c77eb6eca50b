//! 15,000 tasks a second with default settings, each call to AWS taking 20 ms: results are received and deleted as fast as
//! they come.

use super::*;
use crate::executor::machine::{InvokeCall, Machine};
use crate::executor::ports::ReceiveRequest;
use crate::executor::wire;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

const TASKS_A_SECOND: usize = 15_000;
const CALL_MS: u64 = 20;
/// How often the host queues tasks, and takes and acknowledges events.
const HOST_MS: u64 = 10;

/// What happens at a time.
enum Happens {
    InvokeArrives(InvokeCall),
    InvokeAnswered(InvokeCall),
    PollArrives(u64, ReceiveRequest),
    PollAnswered(u64, ReceiveRequest, Vec<Message>),
    Deleted(QueueId, Vec<super::super::DeleteEntry>),
    Host,
}

/// An executor, Lambda, whose function reports at once, and SQS with long polls.
struct Load {
    machine: Machine,
    settings: Arc<Settings>,
    now_ms: u64,
    coming: BTreeMap<(u64, u64), Happens>,
    number: u64,
    queued: u64,
    results: VecDeque<Message>,
    polls: VecDeque<(u64, ReceiveRequest)>,
    latencies_ms: Vec<u64>,
    deleted: usize,
    receives: usize,
}

impl Load {
    fn new() -> Self {
        let mut settings = Settings { running_events: false, ..Settings::default() };
        settings.routes[0].max_concurrent_invokes = 1_024;
        let settings = Arc::new(settings);
        let now = Now { mono_ms: 1_000, unix_ms: START_UNIX_MS };
        let machine = Machine::new(Arc::clone(&settings), now, false);
        let mut load = Self {
            machine,
            settings,
            now_ms: 1_000,
            coming: BTreeMap::new(),
            number: 0,
            queued: 0,
            results: VecDeque::new(),
            polls: VecDeque::new(),
            latencies_ms: Vec::new(),
            deleted: 0,
            receives: 0,
        };
        load.after(0, Happens::Host);
        load
    }

    fn unix_ms(&self) -> i64 {
        START_UNIX_MS + self.now_ms as i64
    }

    fn after(&mut self, ms: u64, what: Happens) {
        self.number += 1;
        self.coming.insert((self.now_ms + ms, self.number), what);
    }

    fn run(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while let Some((&(at_ms, _), _)) = self.coming.first_key_value() {
            let timer_ms = self.machine.next_timer().unwrap_or(u64::MAX);
            self.now_ms = at_ms.min(timer_ms.max(self.now_ms)).min(end_ms);
            self.machine.set_now(Now { mono_ms: self.now_ms, unix_ms: self.unix_ms() });
            if at_ms <= self.now_ms
                && let Some((_, what)) = self.coming.pop_first()
            {
                self.happens(what);
            }
            self.machine.tick();
            self.make_calls();
            if self.now_ms >= end_ms {
                return;
            }
        }
    }

    fn make_calls(&mut self) {
        while let Some(call) = self.machine.next_call() {
            self.after(CALL_MS / 2, Happens::InvokeArrives(call));
        }
        for action in self.machine.take_actions() {
            match action {
                Action::Receive(request) => {
                    self.receives += 1;
                    self.after(CALL_MS / 2, Happens::PollArrives(self.now_ms, request));
                }
                Action::Delete { queue, entries } => self.after(CALL_MS, Happens::Deleted(queue, entries)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::InvokeArrives(call) => {
                let event = event_of(&call.request);
                let attempt = AttemptId::parse(event["attempt_id"].as_str().unwrap()).unwrap();
                let now = Now { mono_ms: self.now_ms, unix_ms: self.unix_ms() };
                self.results.push_back(message(self.number, result_body("k", attempt), now));
                self.answer_polls();
                self.after(CALL_MS / 2, Happens::InvokeAnswered(call));
            }
            Happens::InvokeAnswered(call) => self.machine.invoked(call.id, CALL_MS, Ok(Accepted::default())),
            Happens::PollArrives(began_ms, request) => {
                // Nothing comes to the other queue, and its polls do not end within the test.
                if request.queue == RESULTS {
                    self.polls.push_back((began_ms, request));
                    self.answer_polls();
                }
            }
            Happens::PollAnswered(began_ms, request, messages) => {
                for message in &messages {
                    self.latencies_ms.push(u64::try_from(self.unix_ms() - message.sent_at_ms).unwrap());
                }
                let read = messages.into_iter().map(wire::read).collect();
                self.machine.received(request, self.now_ms - began_ms, Ok(read));
            }
            Happens::Deleted(queue, entries) => {
                self.deleted += entries.len();
                let outcomes = vec![EntryOutcome::Done; entries.len()];
                self.machine.deleted(queue, entries, Ok(outcomes));
            }
            Happens::Host => {
                for _ in 0..TASKS_A_SECOND / 1_000 * HOST_MS as usize {
                    self.queue();
                }
                let seqs: Vec<u64> = self.machine.take_events(usize::MAX).iter().map(|event| event.seq).collect();
                self.machine.acknowledge(&seqs);
                self.after(HOST_MS, Happens::Host);
            }
        }
    }

    /// SQS answers a poll as soon as it has a message.
    fn answer_polls(&mut self) {
        while !self.results.is_empty()
            && let Some((began_ms, request)) = self.polls.pop_front()
        {
            let messages = self.results.drain(..self.results.len().min(10)).collect();
            self.after(CALL_MS / 2, Happens::PollAnswered(began_ms, request, messages));
        }
    }

    fn queue(&mut self) {
        self.queued += 1;
        let id = AttemptId::from_random((u128::from(self.queued) | 1 << 100).to_be_bytes());
        let prepared = wire::prepare(Stage::spec(&self.queued.to_string()), id, &self.settings).unwrap();
        self.machine.queue(prepared).unwrap();
    }
}

#[test]
fn results_of_15_000_tasks_a_second_are_received_and_deleted_as_they_come() {
    let mut load = Load::new();
    load.run(1_500);
    let (deleted, receives) = (load.deleted, load.receives);
    load.latencies_ms.clear();
    load.run(2_000);
    let waiting = load.machine.counts().queued;
    assert!(waiting < 1_000, "{waiting} tasks wait to be submitted");
    let of_two_seconds = TASKS_A_SECOND * 2;
    let (received, deleted) = (load.latencies_ms.len(), load.deleted - deleted);
    assert!(received >= of_two_seconds * 98 / 100, "{received} received");
    assert!(deleted >= of_two_seconds * 98 / 100, "{deleted} deleted");
    load.latencies_ms.sort_unstable();
    let p99 = load.latencies_ms[received * 99 / 100];
    assert!(p99 <= 100, "result latency p99 {p99} ms");
    let calls_a_result = (load.receives - receives) as f64 / received as f64;
    assert!(calls_a_result <= 0.25, "{calls_a_result} receives a result");
}
