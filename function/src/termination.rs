//! SIGTERM as something to wait for. Who runs this program sends it before SIGKILL: the command must end with us, also
//! what the kernel would not end for us, such as the children of a shell.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// From now on SIGTERM ends nothing by itself: it makes the descriptor readable. Call it before any thread is started,
/// since each has a mask of its own and inherits the one that it finds.
pub(crate) fn catch() -> io::Result<OwnedFd> {
    mask(libc::SIG_BLOCK)?;
    let set = only_sigterm();
    // SAFETY: `set` is initialised and read during the call only; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Gives SIGTERM its usual effect back: for a command between fork and exec, where only async-signal-safe functions may
/// be called. This is one.
pub(crate) fn let_through() -> io::Result<()> {
    mask(libc::SIG_UNBLOCK)
}

/// Returns when SIGTERM has come. `caught` is what [`catch`] returned.
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
    // SAFETY: `set` is initialised; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(how, &set, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
