//! Our threads take none of the host's signals: a thread starts with the mask of the one that makes it.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// While it lives, the thread that made it takes no signal, and threads that it starts never will.
pub struct AllBlocked {
    before: libc::sigset_t,
    /// The mask belongs to the thread.
    _not_send: PhantomData<*const ()>,
}

impl AllBlocked {
    /// Blocks every signal that can be.
    pub fn on_this_thread() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both calls fill in what they are given; neither can fail with these arguments.
        let before = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            before.assume_init()
        };
        Self { before, _not_send: PhantomData }
    }

    /// For a thread that is ours and stays so.
    pub fn for_good() {
        std::mem::forget(Self::on_this_thread());
    }
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        // SAFETY: a mask that this thread had.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(signal: libc::c_int) -> bool {
        let mut now = MaybeUninit::uninit();
        // SAFETY: asks for the mask only.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), now.as_mut_ptr());
            libc::sigismember(now.as_ptr(), signal) == 1
        }
    }

    #[test]
    fn threads_start_quiet_and_the_mask_comes_back() {
        assert!(!blocked(libc::SIGTERM));
        let all = AllBlocked::on_this_thread();
        let inherited = std::thread::spawn(|| blocked(libc::SIGTERM) && blocked(libc::SIGUSR1)).join().unwrap();
        drop(all);
        assert!(inherited);
        assert!(!blocked(libc::SIGTERM));
    }
}
