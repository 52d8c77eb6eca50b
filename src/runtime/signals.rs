//! Our threads take none of the host's signals. A thread inherits the signal mask of the thread that starts it.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// While it lives, the thread that made it takes no signals, and threads started by it never take any.
pub struct AllBlocked {
    before: libc::sigset_t,
    /// The mask belongs to the thread.
    _not_send: PhantomData<*const ()>,
}

impl AllBlocked {
    /// Blocks every signal that can be blocked.
    pub fn on_this_thread() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both calls fill in the sets; neither can fail with these arguments.
        let before = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            before.assume_init()
        };
        Self { before, _not_send: PhantomData }
    }

    /// For threads that run only our code.
    pub fn for_good() {
        std::mem::forget(Self::on_this_thread());
    }
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        // SAFETY: the mask that this thread had before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(signal: libc::c_int) -> bool {
        let mut now = MaybeUninit::uninit();
        // SAFETY: reads the mask only.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), now.as_mut_ptr());
            libc::sigismember(now.as_ptr(), signal) == 1
        }
    }

    #[test]
    fn threads_start_with_all_blocked_and_the_mask_is_restored() {
        assert!(!blocked(libc::SIGTERM));
        let all = AllBlocked::on_this_thread();
        let inherited = std::thread::spawn(|| blocked(libc::SIGTERM) && blocked(libc::SIGUSR1)).join().unwrap();
        drop(all);
        assert!(inherited);
        assert!(!blocked(libc::SIGTERM));
    }
}
