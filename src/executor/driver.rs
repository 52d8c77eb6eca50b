//! Carries out what the state machine asks for, and returns the answers to it. Owns no state but the calls under way.
//!
//! Invokes are pulled: a worker takes one from the machine, sends it, and under one lock returns the answer and takes the
//! next. Workers end when there is none; the driver starts new ones when there are again. Calls to the queues are made on
//! a runtime of their own.

use super::machine::{Action, InvokeCall, Machine, Probe};
use super::ports::{Clock, Health, Lambda, Queues};
use super::shared::Shared;
use super::wire;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Grace for receives under way at shutdown: a dropped answer would leave its messages hidden.
const LAST_ANSWER_MS: u64 = 100;
/// Workers started under one lock.
const START_AT_ONCE: usize = 32;

/// Runs until the executor is shut down and every call has been answered, or until a bug stops it.
pub(super) async fn drive<A, C>(shared: Arc<Shared>, aws: Arc<A>, clock: Arc<C>, queues: Handle)
where
    A: Lambda + Queues + Health,
    C: Clock,
{
    let _break = BreakOnPanic(Arc::clone(&shared));
    let (closing, _) = watch::channel(false);
    let calls = Handle::current();
    loop {
        if shared.is_broken() {
            return;
        }
        let changed = shared.changed();
        let turn = shared.with_own(|machine| turn(&shared, machine));
        if turn.closed {
            closing.send_replace(true);
        }
        for call in turn.calls {
            tokio::spawn(invoke(call, Arc::clone(&shared), Arc::clone(&aws)));
        }
        for action in turn.actions {
            let runtime = if action.is_of_a_queue() { &queues } else { &calls };
            runtime.spawn(perform(
                action,
                Arc::clone(&shared),
                Arc::clone(&aws),
                Arc::clone(&clock),
                closing.subscribe(),
            ));
        }
        if turn.closed && shared.read(Machine::is_quiet) {
            return;
        }
        if turn.more {
            tokio::task::yield_now().await;
            continue;
        }
        match turn.next_timer {
            Some(at) => {
                tokio::select! {
                    () = changed => {}
                    () = clock.sleep_until(at) => {}
                }
            }
            None => changed.await,
        }
    }
}

/// What one look at the machine brought.
struct Turn {
    calls: Vec<InvokeCall>,
    actions: Vec<Action>,
    next_timer: Option<u64>,
    /// There is more to do at once.
    more: bool,
    closed: bool,
}

fn turn(shared: &Shared, machine: &mut Machine) -> Turn {
    machine.tick();
    let mut calls = Vec::new();
    while calls.len() < START_AT_ONCE
        && let Some(call) = machine.next_call()
    {
        calls.push(call);
    }
    let actions = machine.take_actions();
    let next_timer = machine.next_timer();
    let more = calls.len() == START_AT_ONCE || next_timer.is_some_and(|at| at <= machine.now().mono_ms);
    // Under the lock, or an input could set an earlier timer unseen.
    shared.sleeps_until(if more { Some(0) } else { next_timer });
    Turn { calls, actions, next_timer, more, closed: machine.is_closed() }
}

/// A worker: this call, and then others, until there is none.
async fn invoke<A: Lambda>(first: InvokeCall, shared: Arc<Shared>, aws: Arc<A>) {
    let _break = BreakOnPanic(Arc::clone(&shared));
    let mut next = Some(first);
    while let Some(call) = next {
        if shared.is_broken() {
            return;
        }
        let id = call.id;
        let began_ms = shared.now().mono_ms;
        let answer = aws.invoke(call.into_request()).await;
        next = shared.with(|machine| {
            let took_ms = machine.now().mono_ms.saturating_sub(began_ms);
            machine.invoked(id, took_ms, answer);
            machine.next_call()
        });
    }
}

/// One call to AWS, and its answer.
async fn perform<A, C>(action: Action, shared: Arc<Shared>, aws: Arc<A>, clock: Arc<C>, closing: watch::Receiver<bool>)
where
    A: Lambda + Queues + Health,
    C: Clock,
{
    if shared.is_broken() {
        return;
    }
    let _break = BreakOnPanic(Arc::clone(&shared));
    let began_ms = shared.now().mono_ms;
    let took = |machine: &Machine| machine.now().mono_ms.saturating_sub(began_ms);
    match action {
        Action::Receive(request) => {
            let queue = request.queue;
            let mut end = closing.clone();
            let ended = async {
                // An error means that the driver is gone, which is an end as well.
                let _ = end.wait_for(|closing| *closing).await;
                clock.sleep_until(clock.now().mono_ms + LAST_ANSWER_MS).await;
            };
            // The answer first: if both are ready, its messages would stay hidden.
            let answer = if *closing.borrow() {
                None // It would be ended at once, and what it took would stay hidden.
            } else {
                tokio::select! {
                    biased;
                    answer = aws.receive(request) => Some(answer),
                    () = ended => None,
                }
            };
            // Read before the lock is taken: a result may have 1 MiB.
            let read = answer.map(|answer| answer.map(|messages| messages.into_iter().map(wire::read).collect()));
            shared.with(|machine| match read {
                Some(answer) => machine.received(request, took(machine), answer),
                None => machine.poll_dropped(queue),
            });
        }
        Action::Delete { queue, entries } => {
            let receipts = entries.iter().map(|entry| entry.receipt.clone()).collect();
            let answer = aws.delete(queue, receipts).await;
            shared.with(|machine| machine.deleted(queue, entries, answer));
        }
        Action::ChangeVisibility { queue, entries } => {
            let asked = entries.iter().map(|entry| (entry.receipt.clone(), entry.seconds)).collect();
            let answer = aws.change_visibility(queue, asked).await;
            shared.with(|machine| machine.visibility_changed(queue, entries, answer));
        }
        Action::Probe { route, probe } => {
            let answer = match probe {
                Probe::Check => aws.check_function(route).await,
                Probe::DryRun | Probe::Event => aws.probe(route).await.map(|()| Vec::new()),
            };
            shared.with(|machine| machine.probed(route, probe, took(machine), answer));
        }
        Action::CheckQueues => {
            let answer = aws.check_queues().await;
            shared.with(|machine| machine.queues_checked(answer));
        }
    }
    if shared.read(Machine::is_closed) {
        shared.wake_driver();
    }
}

/// A panic in the driver would leave the host waiting for ever.
pub(super) struct BreakOnPanic(pub(super) Arc<Shared>);

impl Drop for BreakOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken();
        }
    }
}
