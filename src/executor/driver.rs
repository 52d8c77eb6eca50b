//! Carries out what the state machine asks for, and gives it the answers. Owns no state of its own but the calls that
//! are under way.

use super::core::{Action, Core};
use super::ports::{Clock, Health, Lambda, Queues};
use super::shared::Shared;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::watch;

/// Runs until the executor is shut down and every call has been answered, or until a bug stops it.
pub(super) async fn drive<A, C>(shared: Arc<Shared>, aws: Arc<A>, clock: Arc<C>)
where
    A: Lambda + Queues + Health,
    C: Clock,
{
    let _broken = TellIfBroken(Arc::clone(&shared));
    let (closing, _) = watch::channel(false);
    loop {
        if shared.is_broken() {
            return;
        }
        let changed = shared.changed();
        let (actions, next_timer, closed) = shared.with(|core| {
            core.tick();
            let next_timer = core.next_timer();
            // Under the lock, or an input could set an earlier timer unseen.
            shared.sleeps_until(next_timer);
            (core.take_actions(), next_timer, core.is_closed())
        });
        for action in actions {
            let (shared, aws, clock) = (Arc::clone(&shared), Arc::clone(&aws), Arc::clone(&clock));
            tokio::spawn(perform(action, shared, aws, clock, closing.subscribe()));
        }
        if closed {
            closing.send_replace(true);
            if shared.with(|core| core.is_quiet()) {
                return;
            }
        }
        match next_timer {
            Some(at) => first_of(changed, clock.sleep_until(at)).await,
            None => changed.await,
        }
    }
}

/// At the end a long poll is dropped, which may take 20 s to end by itself. So much later, because messages that are on
/// their way would stay hidden for as long as they were received for.
const LAST_ANSWER_MS: u64 = 100;

/// One call to AWS, and its answer told.
async fn perform<A, C>(
    action: Action,
    shared: Arc<Shared>,
    aws: Arc<A>,
    clock: Arc<C>,
    mut closing: watch::Receiver<bool>,
) where
    A: Lambda + Queues + Health,
    C: Clock,
{
    if shared.is_broken() {
        return;
    }
    let _broken = TellIfBroken(Arc::clone(&shared));
    let began_ms = shared.now().mono_ms;
    let took = |core: &Core| core.now_ms().saturating_sub(began_ms);
    match action {
        Action::Invoke { task, epoch, request } => {
            let route = request.route;
            let answer = aws.invoke(request).await;
            shared.answer(|core| core.invoked(task, route, epoch, took(core), answer));
        }
        Action::Receive(request) => {
            let queue = request.queue;
            let ended = async {
                // An error means that the driver is gone, which is an end as well.
                let _ = closing.wait_for(|closing| *closing).await;
                clock.sleep_until(clock.now().mono_ms + LAST_ANSWER_MS).await;
            };
            match unless(aws.receive(request), ended).await {
                Some(answer) => shared.answer(|core| core.received(request, took(core), answer)),
                None => shared.answer(|core| core.poll_dropped(queue)),
            }
        }
        Action::Delete { queue, entries } => {
            let receipts = entries.iter().map(|entry| entry.receipt.clone()).collect();
            let answer = aws.delete(queue, receipts).await;
            shared.answer(|core| core.deleted(queue, entries, answer));
        }
        Action::ChangeVisibility { queue, entries } => {
            let asked = entries.iter().map(|entry| (entry.receipt.clone(), entry.seconds)).collect();
            let answer = aws.change_visibility(queue, asked).await;
            shared.answer(|core| core.visibility_changed(queue, entries, answer));
        }
        Action::CheckHealth => {
            let answer = async { aws.check_function(0).await?; aws.check_queues().await }.await;
            shared.answer(|core| core.health_checked(answer));
        }
    }
}

/// A panic in the driver would leave the host waiting for ever.
pub(super) struct TellIfBroken(pub(super) Arc<Shared>);

impl Drop for TellIfBroken {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken();
        }
    }
}

/// Returns when either is done.
async fn first_of(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| {
        if a.as_mut().poll(cx).is_ready() || b.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// The result of `work`, or `None` when `end` came first.
async fn unless<T>(work: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut end) = (pin!(work), pin!(end));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if end.as_mut().poll(cx).is_ready() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
