//! A panic in our code becomes a message that is returned to the host or logged. Nothing is printed for it.
//!
//! Rust's panic hook belongs to the copy of the standard library that we are linked with. In the shared library that
//! copy is ours alone; in a Rust program that uses the crate, panics of other code go to the hook that was set before.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use tracing::dispatcher::get_default;
use tracing::subscriber::NoSubscriber;

thread_local! {
    /// How many of our calls are on this thread's stack.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The message of this thread's last panic, until `catch` takes it.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on our panics are not printed. A child forked in the middle could never call this again, so the caller
/// holds the fork lock.
pub fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            let ours = DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false);
            if ours { remember(info) } else { before(info) }
        }));
    });
}

/// Runs `body`; a panic in it is the `Err`, with its message and place.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    // Unwind safe: what `body` was changing is not used again, since the guard around exports breaks the handle.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    outcome.map_err(|payload| {
        // The payload's destructor may panic too. The payload of that panic is leaked: its destructor could do the
        // same.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        LAST_PANIC.with_borrow_mut(Option::take).unwrap_or_else(|| "a panic".into())
    })
}

/// For threads that run only our code: their panics are logged.
pub fn mark_thread() {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
}

fn remember(info: &PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = format!("panic at {place}: {what}");
    // Where nothing receives records, `tracing` would note for the whole process that this one is not wanted.
    if !get_default(|dispatch| dispatch.is::<NoSubscriber>()) {
        tracing::error!("{message}");
    }
    let _ = LAST_PANIC.try_with(|last| *last.borrow_mut() = Some(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_reported_with_its_place() {
        install_hook();
        let message = catch(|| panic!("the {} is out", "cat")).unwrap_err();
        assert!(message.contains("the cat is out") && message.contains("panics.rs"), "{message}");
        assert_eq!(catch(|| 5), Ok(5));
    }
}
