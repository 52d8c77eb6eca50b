//! A descriptor that we make readable and not readable.

#![allow(unsafe_code)]

use super::file_identity::FileIdentity;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Closed when dropped; not inherited by programs that the host starts.
#[derive(Debug)]
pub struct EventFd {
    fd: ManuallyDrop<OwnedFd>,
    identity: Option<FileIdentity>,
}

impl EventFd {
    /// One that is not readable. Never 0, 1 or 2, even if the host has closed these: it would write its output into
    /// ours.
    pub fn new() -> io::Result<Self> {
        let fd = owned(
            // SAFETY: no pointers.
            unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) },
        )?;
        if fd.as_raw_fd() > libc::STDERR_FILENO {
            return Ok(Self::of(fd));
        }
        // SAFETY: no pointers.
        let above = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
        Ok(Self::of(owned(above)?))
    }

    fn of(fd: OwnedFd) -> Self {
        Self { identity: FileIdentity::of(fd.as_raw_fd()), fd: ManuallyDrop::new(fd) }
    }

    /// False once the host has closed the descriptor, for example because it closes all when it becomes a daemon. The
    /// number may then belong to a file of the host.
    pub fn is_ours(&self) -> bool {
        FileIdentity::of(self.raw()) == self.identity
    }

    /// Makes it readable. Safe in a signal handler, except that it may change errno.
    pub fn set(&self) {
        if !self.is_ours() {
            return;
        }
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight bytes of ours. Fails only if the counter is at its limit, and then it is readable.
        unsafe { libc::write(self.raw(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes it not readable.
    pub fn clear(&self) {
        if !self.is_ours() {
            return;
        }
        let mut count = [0_u8; 8];
        // SAFETY: eight bytes of ours. Fails only if there is nothing to clear.
        unsafe { libc::read(self.raw(), count.as_mut_ptr().cast(), count.len()) };
    }

    /// For `poll`. Lives as long as this value.
    pub fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Drop for EventFd {
    fn drop(&mut self) {
        if self.is_ours() {
            // SAFETY: dropped once, here, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.fd) };
        }
    }
}

/// The new descriptor that a system call returned.
fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, so that nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
