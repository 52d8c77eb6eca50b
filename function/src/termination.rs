//! Makes SIGTERM awaitable. The host of this program sends it before SIGKILL. The command must end with this program,
//! and so must processes that the kernel would not end, such as the children of a shell.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Makes SIGTERM readable from the returned descriptor instead of ending this program. Call it before any thread is
/// started: a thread inherits the signal mask of the one that starts it.
pub(crate) fn catch() -> io::Result<OwnedFd> {
    mask(libc::SIG_BLOCK)?;
    let set = only_sigterm();
    // SAFETY: `set` is initialised and read during the call only; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Restores the default effect of SIGTERM. For a command between fork and exec: async-signal-safe.
pub(crate) fn let_through() -> io::Result<()> {
    mask(libc::SIG_UNBLOCK)
}

/// Returns when SIGTERM has arrived. `caught` is what [`catch`] returned.
pub(crate) async fn requested(caught: OwnedFd) -> io::Result<()> {
    // SAFETY: an OwnedFd owns its descriptor and never changes it.
    let registered = unsafe { AsyncFd::register_with_interest(caught, Interest::READABLE) }?;
    registered.readable().await.map(drop)
}

fn only_sigterm() -> libc::sigset_t {
    // SAFETY: sigemptyset makes the zeroed set valid, and SIGTERM is a signal.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        set
    }
}

fn mask(how: libc::c_int) -> io::Result<()> {
    let set = only_sigterm();
    // SAFETY: `set` is initialised; a null pointer means that the old mask is not wanted.
    match unsafe { libc::pthread_sigmask(how, &set, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
