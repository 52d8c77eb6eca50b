//! From `tracing` to the log of the right handle: one subscriber for the whole process, which looks up the handle in a
//! thread-local variable.
//!
//! Why not one subscriber for each handle: `tracing` keeps all of them in a list behind a process-wide lock, and with
//! more than one, the first record of each place in the code takes that lock. A child forked by another thread at that
//! moment could never create an executor. The one subscriber is made under the fork lock, and a list of one is not
//! locked.
//!
//! There is no global subscriber, which is for a Rust host to set: each thread gets ours when it first needs it.

use super::{Record, Source};
use crate::runtime::{clock, fork};
use once_cell::sync::OnceCell;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::sync::Arc;
use tracing::dispatcher::{self, DefaultGuard};
use tracing::field::{Field, Visit};
use tracing::subscriber::{Interest, NoSubscriber};
use tracing::{Dispatch, Event, Level, Metadata, span};

static ROUTER: OnceCell<Dispatch> = OnceCell::new();

thread_local! {
    /// The log that this thread used last. Kept between calls, so that a thread that uses one handle does not touch the
    /// reference count, which all threads share, in each call.
    static SOURCE: RefCell<Option<Arc<Source>>> = const { RefCell::new(None) };
    /// True while records go to `SOURCE`.
    static IS_ACTIVE: Cell<bool> = const { Cell::new(false) };
    /// True once the router is this thread's subscriber for good.
    static HAS_ROUTER: Cell<bool> = const { Cell::new(false) };
}

/// Makes the router, once a process.
pub(super) fn prepare() {
    fork::with_fork_lock(|| {
        ROUTER.get_or_init(|| Dispatch::new(Router));
    });
    // A place in the code that was first reached on a thread without a subscriber is switched off for the whole
    // process. This asks again for all places.
    let _router = ROUTER.get().map(dispatcher::set_default);
    tracing::callsite::rebuild_interest_cache();
}

/// Runs `body`; records of this thread go to `source` meanwhile.
pub(super) fn with<T>(source: &Arc<Source>, body: impl FnOnce() -> T) -> T {
    let _router = use_router();
    let _active = Active::new(source);
    body()
}

/// Records of this thread go to `source` from now on. For threads that run only our code.
pub(super) fn attach(source: &Arc<Source>) {
    std::mem::forget(use_router());
    std::mem::forget(Active::new(source));
}

/// Makes the router this thread's subscriber: for good, or where a Rust host has set one of its own, until the guard is
/// dropped.
fn use_router() -> Option<DefaultGuard> {
    if HAS_ROUTER.get() {
        return None;
    }
    let has_subscriber = !dispatcher::get_default(|dispatch| dispatch.is::<NoSubscriber>());
    let guard = ROUTER.get().map(dispatcher::set_default)?;
    if has_subscriber {
        return Some(guard);
    }
    HAS_ROUTER.set(true);
    std::mem::forget(guard);
    None
}

/// `SOURCE` is active until this is dropped; then what was active before is again.
struct Active {
    was_active: bool,
    /// The source before, where it was another one.
    before: Option<Option<Arc<Source>>>,
}

impl Active {
    fn new(source: &Arc<Source>) -> Self {
        // Without access, this thread is ending and its variables are gone: records are dropped.
        let before = SOURCE.try_with(|current| {
            let mut current = current.borrow_mut();
            let is_same = current.as_ref().is_some_and(|current| Arc::ptr_eq(current, source));
            (!is_same).then(|| current.replace(Arc::clone(source)))
        });
        Self { was_active: IS_ACTIVE.replace(true), before: before.ok().flatten() }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        IS_ACTIVE.set(self.was_active);
        if self.was_active
            && let Some(before) = self.before.take()
        {
            let _ = SOURCE.try_with(|current| current.replace(before));
        }
    }
}

/// Makes records of events, for the active source of the thread. Spans are not recorded.
struct Router;

impl Router {
    fn with_source<T>(use_it: impl FnOnce(&Source) -> T) -> Option<T> {
        if !IS_ACTIVE.get() {
            return None;
        }
        SOURCE.try_with(|source| source.borrow().as_deref().map(use_it)).ok().flatten()
    }
}

/// The lowest level that is ever recorded of a module. Below ERROR, the AWS SDK's records may hold whole requests and
/// answers, with their credentials; what matters of them we log ourselves.
fn most_verbose(metadata: &Metadata<'_>) -> Level {
    if metadata.target().starts_with("lambda_executor") { Level::TRACE } else { Level::ERROR }
}

impl tracing::Subscriber for Router {
    /// `tracing` keeps the answer for the whole process, so it depends on nothing that differs between handles.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() && *metadata.level() <= most_verbose(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= most_verbose(metadata)
            && Self::with_source(|source| source.wants(*metadata.level())).unwrap_or(false)
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        let record = Record {
            level: *metadata.level(),
            time_ms: clock::unix_ms(),
            target: metadata.target().into(),
            message: text.message + &text.fields,
        };
        Self::with_source(|source| source.take(record));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message, and after it the fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == '"') {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        } else {
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
