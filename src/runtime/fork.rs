//! Distinguishes a process from the children forked from it. A forked child has the memory of its parent and only the
//! thread that forked: waiting there for any other thread never ends.

#![allow(unsafe_code)]

use super::signals::AllBlocked;
use std::cell::UnsafeCell;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Changes with each fork between the process that loaded the library and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The process in which something was made.
#[derive(Clone, Copy, Debug)]
pub struct ForkGeneration {
    generation: u32,
    pid: u32,
}

impl ForkGeneration {
    /// This process. The first call registers the fork handlers, which can fail for lack of memory.
    pub fn now() -> io::Result<Self> {
        static REGISTERED: AtomicBool = AtomicBool::new(false);
        // Neither a `Once` nor a lock: a child forked by another thread meanwhile would wait for it for ever. Two
        // threads, or a child, may register twice, which the handlers allow for.
        if !REGISTERED.load(Ordering::Acquire) {
            register()?;
            REGISTERED.store(true, Ordering::Release);
        }
        Ok(Self { generation: GENERATION.load(Ordering::Relaxed), pid: std::process::id() })
    }

    /// False in a child forked since then. Costs one load; safe in a signal handler.
    pub fn is_current(self) -> bool {
        self.generation == GENERATION.load(Ordering::Relaxed)
    }

    /// The process id at that time.
    pub fn pid(self) -> u32 {
        self.pid
    }
}

/// Runs `work` while forks by other threads wait, so that no child finds it half done, and while this thread takes no
/// signals, so that no handler of the host forks in the middle. `work` must not wait for another thread. Without effect
/// on forks before the first [`ForkGeneration::now`] of the process.
pub fn with_fork_lock<T>(work: impl FnOnce() -> T) -> T {
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            FORK_LOCK.unlock();
        }
    }
    let _no_signals = AllBlocked::on_this_thread();
    FORK_LOCK.lock();
    let _held = Held;
    work()
}

/// Held during a fork, and by what a fork must not interrupt. Not a lock of the standard library: the function that
/// unlocks it is not the one that locked it. Recursive, since the handlers may be registered twice.
struct ForkLock(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: all threads may use a mutex.
unsafe impl Sync for ForkLock {}

static FORK_LOCK: ForkLock = ForkLock(UnsafeCell::new(libc::PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP));

impl ForkLock {
    fn lock(&self) {
        // SAFETY: initialised, and never moved.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    /// By the thread that locked it.
    fn unlock(&self) {
        // SAFETY: as in `lock`.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }

    /// In a child: its only thread has another id than the parent's thread that locked the mutex, and so cannot unlock
    /// it.
    fn reset(&self) {
        // SAFETY: no other thread exists that could use it.
        unsafe { self.0.get().write(libc::PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP) };
    }
}

/// The handlers stay for the life of the process; so does their code, since the library is linked with `-z nodelete`.
fn register() -> io::Result<()> {
    extern "C" fn before() {
        FORK_LOCK.lock();
    }
    extern "C" fn in_parent() {
        FORK_LOCK.unlock();
    }
    extern "C" fn in_child() {
        FORK_LOCK.reset();
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handlers lock, unlock and count, which is allowed in a child of a process with threads.
    match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exit status of a child that runs `body`.
    fn status_of_child(body: impl FnOnce() -> i32) -> i32 {
        // SAFETY: `body` takes no lock of another thread's and allocates nothing.
        unsafe {
            match libc::fork() {
                0 => {
                    // A child that hangs must not hang the test.
                    libc::alarm(20);
                    libc::_exit(body())
                }
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                    assert!(libc::WIFEXITED(status), "the child was killed by signal {}", libc::WTERMSIG(status));
                    libc::WEXITSTATUS(status)
                }
            }
        }
    }

    #[test]
    fn a_child_is_not_the_process_it_was_forked_from() {
        let here = ForkGeneration::now().unwrap();
        assert!(here.is_current());
        assert_eq!(status_of_child(|| if here.is_current() { 1 } else { 42 }), 42);
        assert!(here.is_current());
    }

    #[test]
    fn a_child_may_take_the_lock_also_where_the_handlers_were_registered_twice() {
        ForkGeneration::now().unwrap();
        register().unwrap();
        assert_eq!(status_of_child(|| with_fork_lock(|| 42)), 42);
        assert_eq!(with_fork_lock(|| 42), 42);
    }

    #[test]
    fn no_signal_is_taken_while_the_lock_is_held() {
        fn is_blocked() -> bool {
            let mut now = std::mem::MaybeUninit::uninit();
            // SAFETY: reads the mask only.
            unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), now.as_mut_ptr());
                libc::sigismember(now.as_ptr(), libc::SIGTERM) == 1
            }
        }
        assert!(with_fork_lock(is_blocked));
        assert!(!is_blocked());
    }
}
