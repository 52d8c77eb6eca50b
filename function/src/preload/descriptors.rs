//! System calls of the warm start: descriptors that another process receives, and the adoption of processes.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// How many descriptors a message carries.
const COUNT: usize = 3;
/// Bytes of these descriptors.
const PAYLOAD: u32 = (COUNT * size_of::<RawFd>()) as u32;

/// Space for one control message. The union aligns it as the kernel requires.
#[repr(C)]
union Control {
    _align: libc::cmsghdr,
    // SAFETY: CMSG_SPACE only computes.
    bytes: [u8; unsafe { libc::CMSG_SPACE(PAYLOAD) } as usize],
}

/// Sends `bytes` and copies of `fds`. Returns the number of bytes sent; the first byte carries all descriptors.
pub(super) fn send(socket: &impl AsFd, bytes: &[u8], fds: [BorrowedFd<'_>; COUNT]) -> io::Result<usize> {
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = Control { bytes: [0; _] };
    // SAFETY: all-zero bytes are a valid msghdr.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = size_of::<Control>();
    // SAFETY: `message` names `control`, which has space for one header and its descriptors, aligned for both. sendmsg
    // only reads; `part`, `control` and the descriptors live until it returns.
    let sent = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(PAYLOAD) as usize;
        libc::CMSG_DATA(header).cast::<[RawFd; COUNT]>().write_unaligned(fds.map(|fd| fd.as_raw_fd()));
        libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Lets `command` inherit `fd` under its number. The caller keeps it open until the command is started.
pub(super) fn pass(command: &mut Command, fd: RawFd) {
    // SAFETY: fcntl is async-signal-safe; a wrong descriptor is an error.
    unsafe {
        command.pre_exec(move || match libc::fcntl(fd, libc::F_SETFD, 0) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

/// While it exists, this program becomes the parent of descendants whose own parent ends. Drop it after the fork:
/// processes that a command leaves behind belong to init, which reaps them.
#[derive(Debug)]
pub(super) struct Adoption(());

impl Adoption {
    pub(super) fn begin() -> io::Result<Self> {
        set_subreaper(true).map(|()| Self(()))
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        let _ = set_subreaper(false);
    }
}

fn set_subreaper(on: bool) -> io::Result<()> {
    // SAFETY: this option takes a number and no pointer.
    match unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, libc::c_ulong::from(on), 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
