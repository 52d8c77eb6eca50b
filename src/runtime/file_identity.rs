//! Which file a descriptor refers to.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

/// Device and inode. All descriptors of the kinds that have no file, such as eventfds, have the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileIdentity(libc::dev_t, libc::ino_t);

impl FileIdentity {
    /// `None` if the descriptor is closed. Safe in a signal handler, except that it may change errno.
    pub(super) fn of(descriptor: RawFd) -> Option<Self> {
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `fstat` fills in the struct, or fails.
        unsafe {
            (libc::fstat(descriptor, stat.as_mut_ptr()) == 0).then(|| {
                let stat = stat.assume_init();
                Self(stat.st_dev, stat.st_ino)
            })
        }
    }
}
