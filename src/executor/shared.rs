//! The state machine behind its lock, as the host's threads and the driver share it. The lock is held for the length of
//! one input, never across an await.

use super::machine::Machine;
use super::ports::{Now, Readiness, Storage};
use std::ops::DerefMut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    storage: Option<Arc<dyn Storage>>,
    is_broken: AtomicBool,
}

struct Guarded {
    machine: Machine,
    /// What `readiness` knows.
    events_reported: bool,
    drained_reported: bool,
    blocked_reported: bool,
}

impl Shared {
    pub(super) fn new(
        machine: Machine,
        now: Box<dyn Fn() -> Now + Send + Sync>,
        readiness: Arc<dyn Readiness>,
        storage: Option<Arc<dyn Storage>>,
    ) -> Self {
        let guarded = Guarded { machine, events_reported: false, drained_reported: false, blocked_reported: false };
        Self {
            guarded: Mutex::new(guarded),
            now,
            changed: Notify::new(),
            driver_sleeps_until: AtomicU64::new(0),
            readiness,
            storage,
            is_broken: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> Now {
        (self.now)()
    }

    /// One input to the state machine. Reports what it changes to the host, and wakes the driver if there is work for it.
    pub(super) fn with<T>(&self, input: impl FnOnce(&mut Machine) -> T) -> T {
        let mut guarded = self.lock();
        // Inside of the lock: a time read before a wait for it would be old.
        guarded.machine.set_now(self.now());
        let answer = input(&mut guarded.machine);
        self.store_records(&mut guarded.machine);
        self.report(&mut guarded);
        let wake_driver = guarded.machine.has_work()
            || guarded.machine.next_timer().is_some_and(|at| at < self.driver_sleeps_until.load(Ordering::Relaxed))
            || guarded.machine.is_closed();
        drop(guarded);
        if wake_driver {
            self.changed.notify_one();
        }
        answer
    }

    /// As [`Self::with`], from the driver itself or one of its workers, which looks for work on its own.
    pub(super) fn with_own<T>(&self, input: impl FnOnce(&mut Machine) -> T) -> T {
        let mut guarded = self.lock();
        guarded.machine.set_now(self.now());
        let answer = input(&mut guarded.machine);
        self.store_records(&mut guarded.machine);
        self.report(&mut guarded);
        // Records that are durable now may allow calls that the driver has not seen.
        let wake_driver = self.storage.is_some() && guarded.machine.has_work();
        drop(guarded);
        if wake_driver {
            self.changed.notify_one();
        }
        answer
    }

    /// A look that changes nothing.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        let mut guarded = self.lock();
        guarded.machine.set_now(self.now());
        look(&guarded.machine)
    }

    /// Ready after the next change.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Wakes the driver.
    pub(super) fn wake_driver(&self) {
        self.changed.notify_one();
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

    fn store_records(&self, machine: &mut Machine) {
        let Some(storage) = &self.storage else { return };
        let records = machine.take_records();
        if !records.is_empty() {
            storage.append(records);
        }
        machine.set_durable(storage.durable());
    }

    fn report(&self, guarded: &mut Guarded) {
        let waiting = guarded.machine.has_waiting_events();
        if waiting != guarded.events_reported {
            guarded.events_reported = waiting;
            self.readiness.events_waiting(waiting);
        }
        if guarded.machine.take_watched_task_ended() {
            self.readiness.watched_task_ended();
        }
        if !guarded.machine.is_draining() {
            return;
        }
        if !guarded.drained_reported && guarded.machine.remaining() == 0 {
            guarded.drained_reported = true;
            self.readiness.drained();
        }
        let blocked = guarded.machine.is_drain_blocked();
        if blocked != guarded.blocked_reported {
            guarded.blocked_reported = blocked;
            self.readiness.drain_blocked(blocked);
        }
    }

    /// After a panic under the lock the handle is broken; the few calls that still work must not panic as well.
    fn lock(&self) -> impl DerefMut<Target = Guarded> {
        let guard = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(any(test, feature = "lock-times"))]
        let guard = super::lock_times::Timed::new(guard);
        guard
    }
}
