//! A command in its own process group: started, waited for, signalled and cleaned up as a whole.
//!
//! The first process of the group stays unreaped (a zombie) until the value is dropped. Until then the kernel does not
//! reuse its number, so a signal to the group cannot reach another program.

#![allow(unsafe_code)]

use crate::termination;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often to look whether a group has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The numbers of the groups that exist: commands of a batch may run at the same time, and processes that a command left
/// in the background may still run with POST_COMMAND.
static CURRENT: Mutex<Vec<libc::pid_t>> = Mutex::new(Vec::new());

fn current() -> MutexGuard<'static, Vec<libc::pid_t>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// It exited with this status.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
}

/// A running, or ended and not yet reaped, command with all that it started in its group.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    /// The number of its first process and of the group.
    id: libc::pid_t,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

impl ProcessGroup {
    /// Starts `command` with no input and its output in pipes. Must be called on a thread that lives as long as this
    /// process: when it ends, the kernel ends the command.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        end_with_us(&mut command);
        let mut child = command.spawn()?;
        let (stdout, stderr) = (child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from));
        Ok(Self::new(child.id().cast_signed(), stdout, stderr))
    }

    /// Takes over the process `id`, a child of this program that leads its group and writes to these pipes.
    pub(crate) fn adopt(id: libc::pid_t, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<Self> {
        // Fails if it is not our child. Then we could not wait for its end, and its number could be reused.
        wait_unreaped(id, libc::WNOHANG)?;
        Ok(Self::new(id, Some(stdout), Some(stderr)))
    }

    fn new(id: libc::pid_t, stdout: Option<OwnedFd>, stderr: Option<OwnedFd>) -> Self {
        current().push(id);
        Self { id, stdout, stderr }
    }

    /// The command's standard output; `None` from the second call on.
    pub(crate) fn take_stdout(&mut self) -> Option<OwnedFd> {
        self.stdout.take()
    }

    /// The command's standard error; `None` from the second call on.
    pub(crate) fn take_stderr(&mut self) -> Option<OwnedFd> {
        self.stderr.take()
    }

    /// Returns when the first process has ended. A thread of tokio waits, so no signal handler is needed.
    pub(crate) fn ended(&self) -> impl Future<Output = io::Result<Ended>> + use<> {
        let id = self.id;
        async move { tokio::task::spawn_blocking(move || wait_unreaped(id, 0)).await.map_err(io::Error::other)? }
    }

    /// Asks the whole group to end.
    pub(crate) fn terminate(&self) {
        self.signal(libc::SIGTERM);
    }

    /// Ends the whole group.
    pub(crate) fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    fn signal(&self, signal: libc::c_int) {
        signal_group(self.id, signal);
    }
}

/// Call it only while the group's first process is not reaped.
fn signal_group(id: libc::pid_t, signal: libc::c_int) {
    // SAFETY: kill has no memory effects. The group's number is ours, see the module's comment.
    // No error if no process is left.
    unsafe { libc::kill(-id, signal) };
}

/// Ends all groups: SIGTERM, and SIGKILL to processes that remain after `grace`. No [`ProcessGroup`] may be dropped
/// meanwhile.
pub(crate) async fn end_current(grace: Duration) {
    let groups = current().clone();
    groups.iter().for_each(|&id| signal_group(id, libc::SIGTERM));
    let until = Instant::now() + grace;
    // Wait for all processes, not only the first of each group: that is often a shell, which ends at once, while its
    // children may have work to finish.
    while groups.iter().any(|&id| lives(id)) && Instant::now() < until {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    groups.iter().for_each(|&id| signal_group(id, libc::SIGKILL));
}

/// True while the group has a process that has not ended.
fn lives(id: libc::pid_t) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    processes.flatten().any(|process| {
        // "pid (name) state parent group ...". The name may contain any character.
        let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let mut fields = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ')).into_iter().flatten();
        let (state, group) = (fields.next(), fields.nth(1).and_then(|group| group.parse().ok()));
        group == Some(id) && !matches!(state, Some("Z" | "X"))
    })
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
        current().retain(|&id| id != self.id);
        // A process in an uninterruptible wait does not end at SIGKILL yet; do not wait for it.
        // SAFETY: a null pointer means that the status is not wanted.
        unsafe { libc::waitpid(self.id, std::ptr::null_mut(), libc::WNOHANG) };
    }
}

/// Makes `command` end with this program, and SIGTERM reach it. Start it from a thread that lives as long as this
/// process.
pub(crate) fn end_with_us(command: &mut Command) {
    let us = std::process::id();
    // SAFETY: between fork and exec only the async-signal-safe prctl, getppid and pthread_sigmask are called; nothing is
    // allocated.
    unsafe {
        command.pre_exec(move || {
            termination::let_through()?;
            // When this program is killed, its command must end too: nothing would report its result.
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            // This program was killed before the call above took effect.
            if libc::getppid().cast_unsigned() != us {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
}

/// Waits for the end of a child and leaves it a zombie. With the option WNOHANG it returns at once; the value is
/// undefined if the child has not ended.
fn wait_unreaped(id: libc::pid_t, options: libc::c_int) -> io::Result<Ended> {
    loop {
        // SAFETY: all-zero bytes are a valid siginfo_t.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = options | libc::WEXITED | libc::WNOWAIT;
        // SAFETY: `info` is a valid place to write to, for the duration of the call.
        let status = unsafe { libc::waitid(libc::P_PID, id.cast_unsigned(), &mut info, options) };
        if status == 0 {
            // SAFETY: waitid has filled in the fields of a child's change of state.
            let value = unsafe { info.si_status() };
            return Ok(if info.si_code == libc::CLD_EXITED { Ended::Exited(value) } else { Ended::Signalled(value) });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Makes the kernel keep exit statuses of children until we read them. A parent that ignores SIGCHLD passes that on to
/// this program, and then the kernel discards them. Call it before any thread is started.
pub(crate) fn keep_exit_statuses() {
    // SAFETY: the default action is always valid, and no handler of ours is replaced: there are none.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;

    fn shell(line: &str) -> ProcessGroup {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]);
        ProcessGroup::start(command).unwrap()
    }

    #[tokio::test]
    async fn exit_statuses_and_signals_are_distinct() {
        assert_eq!(shell("exit 3").ended().await.unwrap(), Ended::Exited(3));
        assert_eq!(shell("kill -9 $$").ended().await.unwrap(), Ended::Signalled(9));
    }

    #[tokio::test]
    async fn a_group_lives_as_long_as_one_of_its_processes() {
        let group = shell("sleep 600 & exit 0");
        group.ended().await.unwrap();
        assert!(lives(group.id));
        group.kill();
        let start = Instant::now();
        while lives(group.id) {
            assert!(start.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    #[tokio::test]
    async fn dropping_ends_the_whole_group_and_reaps_its_first() {
        let mut group = shell("sleep 600 & echo started");
        let mut output = File::from(group.take_stdout().unwrap());
        assert_eq!(group.ended().await.unwrap(), Ended::Exited(0));
        let id = group.id;
        drop(group);
        // The pipe closes when the last process that holds it is gone.
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        assert_eq!(text, "started\n");
        assert_eq!(wait_unreaped(id, 0).unwrap_err().raw_os_error(), Some(libc::ECHILD));
    }
}
