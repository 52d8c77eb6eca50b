//! Descriptors 0, 1 and 2, where the host has closed them.
//!
//! The next file or connection that is opened gets the lowest free number. A connection to AWS must not get that of
//! standard output: whatever the host prints would be sent to AWS.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};

/// Opens `/dev/null` as each of the three that is closed. They stay open for the life of the process: only the host
/// knows whether it has put another file in their place meanwhile. Programs that the host starts do not inherit them.
pub fn occupy() -> io::Result<()> {
    loop {
        let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        if null.as_raw_fd() > libc::STDERR_FILENO {
            return Ok(());
        }
        _ = null.into_raw_fd();
    }
}
