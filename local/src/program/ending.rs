//! Causes for the program to end: SIGINT, SIGTERM or SIGHUP, the end of its parent, or the end of its input. All arrive
//! as signals, which every thread blocks and one place waits for.

#![allow(unsafe_code)]

use std::io::{self, Read};

const SIGNALS: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// True for a signal that was ignored when the program started, such as SIGHUP under nohup. It must stay ignored: a
/// blocked signal would be delivered to the wait.
fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: the kernel writes the zeroed structure; nothing is changed.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

/// The signals that end the program, blocked in this thread and all threads that it starts later.
#[derive(Clone, Copy)]
pub(crate) struct Ending(libc::sigset_t);

impl Ending {
    pub(crate) fn prepare() -> Self {
        // SAFETY: sigemptyset makes the zeroed set valid; the others only change it and this thread's mask.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for signal in SIGNALS.into_iter().filter(|signal| !is_ignored(*signal)) {
                libc::sigaddset(&mut set, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            Self(set)
        }
    }

    /// Makes the end of the parent process `parent` count as SIGTERM.
    pub(crate) fn follow_parent(self, parent: u32) -> io::Result<()> {
        // SAFETY: a plain system call.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // The parent may have ended before the call above; then another process is our parent.
        if std::os::unix::process::parent_id() != parent {
            self.end();
        }
        Ok(())
    }

    /// Makes the end of standard input count as SIGTERM.
    pub(crate) fn follow_input(self) -> io::Result<()> {
        let wait = move || {
            let mut buffer = [0; 4096];
            while matches!(io::stdin().read(&mut buffer), Ok(read) if read > 0) {}
            self.end();
        };
        std::thread::Builder::new().name("stdin".into()).spawn(wait).map(drop)
    }

    /// Waits for one of the signals.
    pub(crate) fn wait(self) {
        let mut signal = 0;
        // SAFETY: the set is valid, the signals in it are blocked. An error means an invalid set.
        while unsafe { libc::sigwait(&self.0, &mut signal) } != 0 {}
    }

    fn end(self) {
        // SAFETY: a signal to this process, which is blocked and waited for.
        unsafe { libc::kill(libc::getpid(), libc::SIGTERM) };
    }
}
