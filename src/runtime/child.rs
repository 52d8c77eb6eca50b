//! Running somebody's command line and reading what it writes, as a guest in the host's process: no signal handler, its
//! child waited for by its own id, with a time limit.

#![allow(unsafe_code)]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// More than any answer that somebody would read.
const MOST_BYTES: u64 = 64 << 10;
/// How long the exit of a child that has closed its output may take.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a command has left.
#[derive(Debug)]
pub struct Output {
    /// Exit status; `None` if a signal ended it, or if the host has told the system to forget children (SIGCHLD ignored).
    pub status: Option<i32>,
    /// False only if it is known to have failed.
    pub succeeded: bool,
    /// Up to 64 KiB of standard output.
    pub stdout: Vec<u8>,
    /// Up to 64 KiB of standard error.
    pub stderr: Vec<u8>,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It did not start, or its output could not be read.
    #[error("it cannot be run: {0}")]
    Io(#[from] std::io::Error),
    /// It was killed.
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
            // Its zombie must not stay; a killed child ends at once.
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
            // The host ignores SIGCHLD: nobody knows how it ended.
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => break None,
            Err(error) => return Err(Reason::Io(error)),
        }
    };
    // Something it has left running may hold on to its standard error, which is only for messages.
    let stderr = received(&stderr, Instant::now() + Duration::from_millis(100)).unwrap_or_default();
    Ok(Output {
        status: status.and_then(|status| status.code()),
        succeeded: status.is_none_or(|status| status.success()),
        stdout,
        stderr,
    })
}

/// Reads in a thread of its own, so that neither pipe fills up and no read outlasts the limit.
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
        // SAFETY: a child of ours that has not been waited for, so its id is nobody else's.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::signals::AllBlocked;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn output_and_status_are_told() {
        let output = run("printf out; printf err >&2; exit 3", LIMIT).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out"[..], &b"err"[..]));
        assert_eq!((output.status, output.succeeded), (Some(3), false));
        assert!(run("exit 0", LIMIT).unwrap().succeeded);
        assert_eq!(run("kill -9 $$", LIMIT).unwrap().status, None);
    }

    #[test]
    fn what_takes_too_long_is_killed_with_its_children() {
        let error = run("sleep 600 & echo $!; wait", Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error, Failure::TooLong(_)), "{error}");
    }

    #[test]
    fn what_goes_on_in_the_background_does_not_hold_us() {
        let output = run("sleep 2 >/dev/null & printf done", LIMIT).unwrap();
        assert_eq!(output.stdout, b"done");
    }

    #[test]
    fn more_than_anybody_reads_is_cut_and_does_not_block() {
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
