//! A panic in our code becomes a story that is handed to the host or logged. Nothing is printed for it.
//!
//! Rust's panic hook belongs to the copy of the standard library that we are linked with. In the shared library that
//! copy is ours alone; in a Rust program that uses the crate, panics that are not ours go to the hook that was there.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// How many of our calls are on this thread's stack.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What the last panic of this thread said, until it is told.
    static STORY: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on our panics are not printed.
pub fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            let ours = DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false);
            if ours { remember(info) } else { before(info) }
        }));
    });
}

/// Runs `body`; a panic in it is the `Err`, told for people.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    // What was being changed when it panicked is not used again: the guard around exports breaks the handle.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    outcome.map_err(|payload| {
        // Its destructor may panic too; what that one carries is not looked at any more.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        STORY.with_borrow_mut(Option::take).unwrap_or_else(|| "a panic".into())
    })
}

/// For threads that are ours from start to end: their panics are logged.
pub fn this_thread_is_ours() {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
}

fn remember(info: &PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let story = format!("panic at {place}: {what}");
    tracing::error!("{story}");
    let _ = STORY.try_with(|last| *last.borrow_mut() = Some(story));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        quieten();
        let story = catch(|| panic!("the {} is out", "cat")).unwrap_err();
        assert!(story.contains("the cat is out") && story.contains("panics.rs"), "{story}");
        assert_eq!(catch(|| 5), Ok(5));
    }
}
