//! A descriptor that is readable or not, as we say.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Closed when dropped, never inherited by a program that the host starts.
#[derive(Debug)]
pub struct EventFd {
    fd: OwnedFd,
}

impl EventFd {
    /// One that is not readable.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; a descriptor that was just made belongs to nobody else.
        unsafe {
            match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
                fd if fd >= 0 => Ok(Self { fd: OwnedFd::from_raw_fd(fd) }),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }

    /// Makes it readable. Safe in a signal handler, but for errno.
    pub fn set(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight bytes of ours. It can only fail when the counter is at its limit, and then it is readable.
        unsafe { libc::write(self.raw(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes it not readable.
    pub fn clear(&self) {
        let mut count = [0_u8; 8];
        // SAFETY: eight bytes of ours. It can only fail when there is nothing to clear.
        unsafe { libc::read(self.raw(), count.as_mut_ptr().cast(), count.len()) };
    }

    /// For `poll`. Lives as long as this value.
    pub fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
