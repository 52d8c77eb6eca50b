//! Runs a command line and reads its output inside the host's process: without a signal handler, waiting for the child
//! by its own id, with a time limit. In place of tokio's `process`, which installs a signal handler that ends Go
//! programs.

#![allow(unsafe_code)]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Output beyond this is not read.
const MOST_BYTES: u64 = 64 << 10;
/// Time between two looks at whether a child that has closed its output has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Result of a command.
#[derive(Debug)]
pub struct Output {
    /// Exit status; `None` if a signal ended the command, or if it is unknown because the host ignores SIGCHLD.
    pub status: Option<i32>,
    /// False if it is known to have failed.
    pub succeeded: bool,
    /// Up to 64 KiB of standard output.
    pub stdout: Vec<u8>,
    /// Up to 64 KiB of standard error.
    pub stderr: Vec<u8>,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command did not start, or its output could not be read.
    #[error("it cannot be run: {0}")]
    Io(#[from] std::io::Error),
    /// It took too long and was killed.
    #[error("it did not end within {} s and was killed", .0.as_secs())]
    TooLong(Duration),
}

/// Runs `command` in a shell with an empty signal mask, in a process group of its own, which is killed after `limit`.
/// Blocks until it has ended.
pub fn run(command: &str, limit: Duration) -> Result<Output, Failure> {
    let until = Instant::now() + limit;
    // The standard library opens its pipes close-on-exec, and gives the child an empty mask and the default SIGPIPE.
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    match collect(&mut child, until) {
        Ok(output) => Ok(output),
        Err(reason) => {
            kill(&child);
            // Removes the zombie; a killed child ends at once.
            let _ = child.wait();
            Err(match reason {
                Reason::Late => Failure::TooLong(limit),
                Reason::Io(error) => Failure::Io(error),
            })
        }
    }
}

enum Reason {
    Late,
    Io(std::io::Error),
}

fn collect(child: &mut Child, until: Instant) -> Result<Output, Reason> {
    let stdout = reader(child.stdout.take()).map_err(Reason::Io)?;
    let stderr = reader(child.stderr.take()).map_err(Reason::Io)?;
    let stdout = received(&stdout, until)?;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() >= until => return Err(Reason::Late),
            Ok(None) => std::thread::sleep(LOOK_EVERY),
            // The host ignores SIGCHLD: the kernel has discarded the status.
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => break None,
            Err(error) => return Err(Reason::Io(error)),
        }
    };
    // A process that it left running may keep standard error open, which is read for messages only.
    let stderr = received(&stderr, Instant::now() + Duration::from_millis(100)).unwrap_or_default();
    Ok(Output {
        status: status.and_then(|status| status.code()),
        succeeded: status.is_none_or(|status| status.success()),
        stdout,
        stderr,
    })
}

/// Reads in a separate thread, so that neither pipe fills up and no read outlasts the limit.
fn reader(pipe: Option<impl Read + Send + 'static>) -> std::io::Result<Receiver<std::io::Result<Vec<u8>>>> {
    let (done, bytes) = sync_channel(1);
    std::thread::Builder::new().name("lmbx-child".into()).spawn(move || {
        let mut read = Vec::new();
        let outcome = pipe.map_or(Ok(0), |pipe| pipe.take(MOST_BYTES).read_to_end(&mut read));
        let _ = done.send(outcome.map(|_| read));
    })?;
    Ok(bytes)
}

fn received(bytes: &Receiver<std::io::Result<Vec<u8>>>, until: Instant) -> Result<Vec<u8>, Reason> {
    match bytes.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(read) => read.map_err(Reason::Io),
        Err(RecvTimeoutError::Timeout) => Err(Reason::Late),
        Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
    }
}

fn kill(child: &Child) {
    if let Ok(group) = libc::pid_t::try_from(child.id()) {
        // SAFETY: a child of ours that has not been waited for, so that its id is still its own.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::signals::AllBlocked;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn output_and_status_are_returned() {
        let output = run("printf out; printf err >&2; exit 3", LIMIT).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out"[..], &b"err"[..]));
        assert_eq!((output.status, output.succeeded), (Some(3), false));
        assert!(run("exit 0", LIMIT).unwrap().succeeded);
        assert_eq!(run("kill -9 $$", LIMIT).unwrap().status, None);
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_its_children() {
        let error = run("sleep 600 & echo $!; wait", Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error, Failure::TooLong(_)), "{error}");
    }

    #[test]
    fn a_process_left_in_the_background_does_not_delay_the_result() {
        let output = run("sleep 2 >/dev/null & printf done", LIMIT).unwrap();
        assert_eq!(output.stdout, b"done");
    }

    #[test]
    fn long_output_is_cut_and_does_not_block() {
        let output = run("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2", LIMIT).unwrap();
        assert_eq!(output.stdout.len() as u64, MOST_BYTES);
    }

    #[test]
    fn the_child_takes_signals_although_our_threads_do_not() {
        let _blocked = AllBlocked::on_this_thread();
        let output = run("grep SigBlk /proc/self/status", LIMIT).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "SigBlk:\t0000000000000000");
    }
}
