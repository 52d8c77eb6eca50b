//! The state machine behind its lock, as the host's threads and the driver share it. The lock is held for the length
//! of one input, never across an await.

use super::core::Core;
use super::ports::{Now, Readiness};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// What host and driver share.
pub(super) struct Shared {
    guarded: Mutex<Guarded>,
    now: Box<dyn Fn() -> Now + Send + Sync>,
    changed: Notify,
    /// Mono time of the driver's next look, written under the lock.
    driver_sleeps_until: AtomicU64,
    readiness: Arc<dyn Readiness>,
    is_broken: AtomicBool,
}

struct Guarded {
    core: Core,
    told_waiting: bool,
    told_drained: bool,
}

impl Shared {
    pub(super) fn new(core: Core, now: Box<dyn Fn() -> Now + Send + Sync>, readiness: Arc<dyn Readiness>) -> Self {
        Self {
            guarded: Mutex::new(Guarded { core, told_waiting: false, told_drained: false }),
            now,
            changed: Notify::new(),
            driver_sleeps_until: AtomicU64::new(0),
            readiness,
            is_broken: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> Now {
        (self.now)()
    }

    /// One input to the state machine; what it changes is told to host and driver.
    pub(super) fn with<T>(&self, input: impl FnOnce(&mut Core) -> T) -> T {
        let now = self.now();
        let mut guarded = self.lock();
        guarded.core.set_now(now);
        let answer = input(&mut guarded.core);
        self.tell(&mut guarded);
        let wake_driver = guarded.core.has_actions()
            || guarded.core.next_timer().is_some_and(|at| at < self.driver_sleeps_until.load(Ordering::Relaxed));
        drop(guarded);
        if wake_driver {
            self.changed.notify_one();
        }
        answer
    }

    /// An answer from AWS: the driver is to look at the consequences even if none is an action.
    pub(super) fn answer(&self, input: impl FnOnce(&mut Core)) {
        self.with(input);
        self.changed.notify_one();
    }

    /// A look that changes nothing.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Core) -> T) -> T {
        let now = self.now();
        let mut guarded = self.lock();
        guarded.core.set_now(now);
        look(&guarded.core)
    }

    /// Ready after the next change.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    pub(super) fn sleeps_until(&self, at_ms: Option<u64>) {
        self.driver_sleeps_until.store(at_ms.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// After a panic nothing of the state can be trusted: the driver stops where it is.
    pub(super) fn broken(&self) {
        if !self.is_broken.swap(true, Ordering::AcqRel) {
            tracing::error!("a bug in the executor: it stops here, its tasks can be adopted by a new one");
            self.readiness.broken();
            self.changed.notify_one();
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    fn tell(&self, guarded: &mut Guarded) {
        let waiting = guarded.core.has_waiting_events();
        if waiting != guarded.told_waiting {
            guarded.told_waiting = waiting;
            self.readiness.events_waiting(waiting);
        }
        if !guarded.told_drained && guarded.core.is_draining() && guarded.core.remaining() == 0 {
            guarded.told_drained = true;
            self.readiness.drained();
        }
    }

    /// After a panic under the lock the handle is poisoned; what little is still called must not panic as well.
    fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
