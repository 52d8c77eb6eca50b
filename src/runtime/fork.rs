//! Telling the parent from the child. A forked child has the memory of its parent but none of its threads: whatever
//! waits for one of them would wait for ever.

#![allow(unsafe_code)]

use once_cell::sync::OnceCell;
use std::cell::UnsafeCell;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between the process that loaded the library and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The process in which something was made.
#[derive(Clone, Copy, Debug)]
pub struct Birth {
    generation: u32,
    pid: u32,
}

impl Birth {
    /// Here and now. The first call of a process asks to be told of forks, which can fail for want of memory.
    pub fn now() -> io::Result<Self> {
        static REGISTERED: OnceCell<()> = OnceCell::new();
        REGISTERED.get_or_try_init(register)?;
        Ok(Self { generation: GENERATION.load(Ordering::Relaxed), pid: std::process::id() })
    }

    /// False in a child forked since then. Costs one load, and may be asked in a signal handler.
    pub fn in_this_process(self) -> bool {
        self.generation == GENERATION.load(Ordering::Relaxed)
    }

    /// The process id at that time.
    pub fn pid(self) -> u32 {
        self.pid
    }
}

/// Does what no fork may happen in the middle of: forks of other threads wait until it is done. Only for work that waits
/// for nobody. Before the first [`Birth::now`] of the process nothing is kept away.
pub fn between_forks<T>(work: impl FnOnce() -> T) -> T {
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            GATE.unlock();
        }
    }
    GATE.lock();
    let _held = Held;
    work()
}

/// Held by a fork, and by what must not be torn by one. Not a lock of the standard library: it is unlocked in another
/// function than the one that locked it.
struct Gate(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: a mutex is there to be used by all threads.
unsafe impl Sync for Gate {}

static GATE: Gate = Gate(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

impl Gate {
    fn lock(&self) {
        // SAFETY: initialised, and never moved.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    /// By the thread that has locked it; in a child that is the thread that forked.
    fn unlock(&self) {
        // SAFETY: as in `lock`.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}

/// The handlers stay for the life of the process; so does their code, since the library is linked with `-z nodelete`.
fn register() -> io::Result<()> {
    extern "C" fn before() {
        GATE.lock();
    }
    extern "C" fn in_parent() {
        GATE.unlock();
    }
    extern "C" fn in_child() {
        GATE.unlock();
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handlers lock, unlock and count, which is safe also in a child of a process with threads.
    match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_not_the_process_it_was_forked_from() {
        let birth = Birth::now().unwrap();
        assert!(birth.in_this_process());
        // SAFETY: the child does nothing but load a number and exit.
        let status = unsafe {
            match libc::fork() {
                0 => libc::_exit(if birth.in_this_process() { 1 } else { 42 }),
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                    status
                }
            }
        };
        assert_eq!(libc::WEXITSTATUS(status), 42);
        assert!(birth.in_this_process());
    }
}
