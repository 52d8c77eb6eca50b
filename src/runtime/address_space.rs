//! Addresses that the process may still use. RLIMIT_AS limits them, and an allocation that fails aborts the process.

#![allow(unsafe_code)]

use std::{io, ptr};

/// What `create` allocates besides the stacks of its threads is a fraction of it.
const SPARE: usize = 8 << 20;

/// Addresses without memory. Dropping it returns them.
pub(super) struct Spare(*mut libc::c_void);

impl Spare {
    /// Fails unless the process may use that many more. Not an allocation: freeing a large one changes when the C
    /// library of the host returns memory to the system.
    pub(super) fn hold() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, which nothing reads or writes.
        let start = unsafe { libc::mmap(ptr::null_mut(), SPARE, libc::PROT_NONE, flags, -1, 0) };
        match start == libc::MAP_FAILED {
            true => Err(io::Error::last_os_error()),
            false => Ok(Self(start)),
        }
    }
}

/// Fails unless addresses are left for what `create` allocates.
pub fn check_room() -> io::Result<()> {
    Spare::hold().map(drop)
}

impl Drop for Spare {
    fn drop(&mut self) {
        // SAFETY: the mapping that `hold` made.
        unsafe { libc::munmap(self.0, SPARE) };
    }
}
