use super::*;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

/// The test ends the wait.
const SOON: Deadline = Deadline::NEVER;

fn now() -> Deadline {
    Deadline::after_ms(0)
}

fn waits() -> Arc<Waits> {
    Arc::new(Waits::new().unwrap())
}

/// A thread that waits, once it has begun to.
fn waiting(waits: &Arc<Waits>, deadline: Deadline) -> JoinHandle<Wait> {
    let theirs = Arc::clone(waits);
    let (begun, begins) = mpsc::channel();
    let thread = thread::spawn(move || {
        let mut waiting = theirs.begin();
        begun.send(()).unwrap();
        waiting.for_events(deadline).unwrap()
    });
    begins.recv().unwrap();
    thread
}

#[test]
fn events_end_a_wait_until_they_are_taken() {
    let waits = waits();
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
    let waiter = waiting(&waits, SOON);
    waits.events_waiting(true);
    assert_eq!(waiter.join().unwrap(), Wait::Ready);
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::Ready);
    waits.events_waiting(false);
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
}

#[test]
fn a_drain_that_is_over_ends_every_later_wait() {
    let waits = waits();
    assert_eq!(waits.begin().for_drained(now()).unwrap(), Wait::TimedOut);
    assert!(!waits.is_drained());
    waits.drained();
    assert!(waits.is_drained());
    for _ in 0..2 {
        assert_eq!(waits.begin().for_drained(now()).unwrap(), Wait::Ready);
        assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::Ready);
    }
}

#[test]
fn something_else_can_be_waited_for() {
    let (waits, other) = (waits(), EventFd::new().unwrap());
    assert_eq!(waits.begin().for_other(&other, now()).unwrap(), Wait::TimedOut);
    other.set();
    assert_eq!(waits.begin().for_other(&other, Deadline::NEVER).unwrap(), Wait::Ready);
}

#[test]
fn wake_ends_all_waits_in_progress_and_then_no_more() {
    let waits = waits();
    let waiters: Vec<_> = (0..4).map(|_| waiting(&waits, SOON)).collect();
    waits.wake();
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), Wait::Interrupted);
    }
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
}

#[test]
fn wake_without_a_wait_ends_the_next_one_only() {
    let waits = waits();
    waits.wake();
    waits.wake();
    assert_eq!(waits.begin().for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
}

#[test]
fn events_go_before_a_wake_up_which_is_kept() {
    let waits = waits();
    waits.events_waiting(true);
    waits.wake();
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::Ready);
    waits.events_waiting(false);
    assert_eq!(waits.begin().for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
}

#[test]
fn a_wake_up_between_two_turns_of_a_wait_ends_it() {
    let waits = waits();
    let mut first = waits.begin();
    waits.events_waiting(true);
    assert_eq!(first.for_events(now()).unwrap(), Wait::Ready);
    // Another thread takes the events, and is woken itself.
    waits.events_waiting(false);
    waits.wake();
    assert_eq!(waits.begin().for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
    assert_eq!(first.for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
    drop(first);
    assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
}

#[test]
fn a_thread_that_waits_again_at_once_is_not_woken_again() {
    let waits = waits();
    // Still to be woken, like threads that have not got round to it.
    let (mut slow, mut slower) = (waits.begin(), waits.begin());
    for _ in 0..3 {
        waits.wake();
        assert_eq!(waits.begin().for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
        assert_eq!(slow.for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
        slow = waits.begin();
        assert_eq!(waits.begin().for_events(now()).unwrap(), Wait::TimedOut);
        assert_eq!(slower.for_events(Deadline::NEVER).unwrap(), Wait::Interrupted);
        slower = waits.begin();
        assert_eq!(slow.for_events(now()).unwrap(), Wait::TimedOut);
    }
}

#[test]
fn one_wake_ends_one_wait_of_a_thread_that_waits_in_a_loop() {
    const THREADS: usize = 8;
    for _ in 0..100 {
        let waits = waits();
        let (sender, interruptions) = mpsc::channel();
        let looping = |_| {
            let (waits, sender) = (Arc::clone(&waits), sender.clone());
            thread::spawn(move || {
                while waits.begin().for_events(Deadline::NEVER).unwrap() == Wait::Interrupted {
                    sender.send(()).unwrap();
                }
            })
        };
        let threads: Vec<_> = (0..THREADS).map(looping).collect();
        waits.wake();
        interruptions.recv().unwrap();
        waits.close();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drop(sender);
        let count = 1 + interruptions.iter().count();
        assert!(count <= THREADS, "{count} interruptions");
    }
}

#[test]
fn wake_keeps_errno() {
    let waits = waits();
    // SAFETY: errno of this thread.
    let kept = unsafe {
        *libc::__errno_location() = 4711;
        waits.wake();
        *libc::__errno_location()
    };
    assert_eq!(kept, 4711);
}

#[test]
fn close_ends_waits_and_event_loops_see_it() {
    let waits = waits();
    let waiter = waiting(&waits, SOON);
    waits.close();
    assert_eq!(waiter.join().unwrap(), Wait::Ended);
    assert_eq!(waits.end(), Some(&End::Closed));
    assert_eq!(waits.begin().for_drained(now()).unwrap(), Wait::Ended);
    // The executor reports that no events wait; the end stays visible.
    waits.events_waiting(false);
    let mut polled = libc::pollfd { fd: waits.events_descriptor(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    assert_eq!(unsafe { libc::poll(&raw mut polled, 1, 0) }, 1);
}

#[test]
fn the_first_end_is_the_one_that_is_reported() {
    let waits = waits();
    waits.broken();
    waits.close();
    assert!(matches!(waits.end(), Some(End::Broken(story)) if story.contains("driver")));
}

#[test]
fn a_signal_interrupts() {
    extern "C" fn count(_: libc::c_int) {
        static SIGNALS: AtomicU32 = AtomicU32::new(0);
        SIGNALS.fetch_add(1, Ordering::Relaxed);
    }
    let handler: extern "C" fn(libc::c_int) = count;
    // SAFETY: a handler that only counts, for a signal that no other test uses.
    unsafe { libc::signal(libc::SIGUSR2, handler as libc::sighandler_t) };

    let waits = waits();
    let waiter = waiting(&waits, SOON);
    // The thread may not have reached its poll yet: then the next signal does.
    while !waiter.is_finished() {
        // SAFETY: the thread has not been joined.
        unsafe { libc::pthread_kill(waiter.as_pthread_t(), libc::SIGUSR2) };
        thread::yield_now();
    }
    assert_eq!(waiter.join().unwrap(), Wait::Interrupted);
}

#[test]
fn deadlines_round_up_and_do_not_overflow() {
    assert_eq!(now().poll_ms(), 0);
    assert_eq!(Deadline::NEVER.poll_ms(), -1);
    assert!((1..=10).contains(&Deadline::after_ms(10).poll_ms()));
    assert_eq!(Deadline::after_ms(1 << 40).poll_ms(), libc::c_int::MAX);
    assert!([libc::c_int::MAX, -1].contains(&Deadline::after_ms(u64::MAX).poll_ms()));
}

#[test]
fn each_end_of_a_watched_task_reaches_every_wait() {
    let waits = waits();
    let (one, other) = (waits.watch().unwrap(), waits.watch().unwrap());
    assert_eq!(waits.begin().for_other(&one, now()).unwrap(), Wait::TimedOut);
    waits.watched_task_ended();
    for watch in [&one, &other] {
        assert_eq!(waits.begin().for_other(watch, Deadline::NEVER).unwrap(), Wait::Ready);
        watch.clear();
        assert_eq!(waits.begin().for_other(watch, now()).unwrap(), Wait::TimedOut);
    }
    drop(one);
    waits.watched_task_ended();
    assert_eq!(waits.begin().for_other(&other, now()).unwrap(), Wait::Ready);
}

#[test]
fn event_loops_see_the_end_of_a_drain() {
    let waits = waits();
    let readable = || {
        let mut polled = libc::pollfd { fd: waits.events_descriptor(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry.
        unsafe { libc::poll(&raw mut polled, 1, 0) == 1 }
    };
    assert!(!readable());
    waits.drained();
    assert!(readable());
    // The last events are taken after it.
    waits.events_waiting(true);
    waits.events_waiting(false);
    assert!(readable());
}
