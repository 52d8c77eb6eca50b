//! Processes of handlers. The only file of this library with unsafe code: `posix_spawn`, signals to process groups and
//! sessions, and waiting for our own children, never for children of the host.
//!
//! `std::process` does not fit: children must start with no signal blocked although our threads block them, and
//! `std::process` would need `fork` for that, which runs the host's `atfork` handlers. tokio's does not fit: it
//! installs a handler for SIGCHLD.

#![allow(unsafe_code)]

use crate::config::HandlerOutput;
use std::collections::HashSet;
use std::ffi::{CString, c_char, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::ptr;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Interval of checks if the kernel has no pidfd (before Linux 5.3).
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The program to start.
#[derive(Debug)]
pub(super) struct Program {
    /// Absolute path of the program, and its arguments.
    pub(super) command: Vec<String>,
    /// `NAME=value`, the whole environment.
    pub(super) env: Vec<CString>,
    /// The current folder if absent.
    pub(super) working_directory: Option<PathBuf>,
    pub(super) output: HandlerOutput,
}

/// A child in its own session. All processes that it starts belong to the session, in any process group, unless they
/// start a new session. Dropping it kills the session.
#[derive(Debug)]
pub(super) struct Process {
    pid: libc::pid_t,
    pidfd: Option<AsyncFd<OwnedFd>>,
    reaped: bool,
}

impl Process {
    /// Starts a program: no signal blocked or ignored, standard input empty. Must be called inside the runtime.
    pub(super) fn spawn(program: Program) -> io::Result<Self> {
        let invalid = |_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL in a path or an argument");
        let arguments: Result<Vec<CString>, _> = program.command.into_iter().map(CString::new).collect();
        let arguments = arguments.map_err(invalid)?;
        let path = arguments.first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let folder = program.working_directory.map(|folder| CString::new(folder.into_os_string().into_vec()));
        let folder = folder.transpose().map_err(invalid)?;
        // Keep it open until the child has it.
        let output = match &program.output {
            HandlerOutput::Inherit => None,
            HandlerOutput::Discard => Some(File::options().write(true).open("/dev/null")?),
            HandlerOutput::File(path) => Some(File::options().append(true).create(true).open(path)?),
        };
        let mut actions = FileActions::new()?;
        actions.open_null_as_input()?;
        if let Some(output) = &output {
            actions.duplicate(output.as_raw_fd(), libc::STDOUT_FILENO)?;
            actions.duplicate(output.as_raw_fd(), libc::STDERR_FILENO)?;
        }
        if let Some(folder) = &folder {
            actions.change_folder(folder)?;
        }
        let attributes = Attributes::new()?;
        let argv = pointers(&arguments);
        let envp = pointers(&program.env);
        let mut pid = 0;
        // SAFETY: all pointers are to live, NUL-terminated strings and NULL-terminated lists of them; `actions` and
        // `attributes` are initialised.
        let status = unsafe {
            libc::posix_spawn(&mut pid, path.as_ptr(), &actions.0, &attributes.0, argv.as_ptr(), envp.as_ptr())
        };
        check(status)?;
        let mut process = Self { pid, pidfd: None, reaped: false };
        process.pidfd = open_pidfd(pid)?;
        Ok(process)
    }

    /// Waits until the child has ended, then kills the rest of its session. `None` if its exit status was already
    /// consumed elsewhere. May be called again after a cancellation.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        match &self.pidfd {
            Some(pidfd) => {
                // Waiting does not fix an error here; the code below checks the state of the child.
                let _ = pidfd.readable().await;
            }
            None => {
                while self.is_alive() {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
        }
        self.kill();
        self.reap()
    }

    /// Sends SIGTERM to the group of the child.
    pub(super) fn terminate(&self) {
        self.signal_group(libc::SIGTERM);
    }

    /// Kills the session.
    pub(super) fn kill(&self) {
        if self.signal_group(libc::SIGKILL) {
            kill_session(self.pid);
        }
    }

    /// Returns false without effect if the child was reaped elsewhere: then another process may have its id. The kernel
    /// reaps children itself in a host that ignores SIGCHLD.
    fn signal_group(&self, signal: c_int) -> bool {
        let ours = self.is_ours();
        if ours {
            // SAFETY: plain system calls. The child is not reaped, so its number is still its own.
            unsafe {
                libc::kill(-self.pid, signal);
                // The child may have moved to another group.
                libc::kill(self.pid, signal);
            }
        }
        ours
    }

    /// True if the child is alive or not yet reaped.
    fn is_ours(&self) -> bool {
        !self.reaped && self.look().is_some()
    }

    fn is_alive(&self) -> bool {
        self.look() == Some(0)
    }

    /// The id of the child if it has ended, 0 if it is alive, `None` if it was reaped.
    fn look(&self) -> Option<libc::pid_t> {
        // SAFETY: a zeroed siginfo_t is valid, and the kernel writes at most one. WNOWAIT leaves the child to be reaped.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            let id = libc::id_t::try_from(self.pid).unwrap_or(0);
            (libc::waitid(libc::P_PID, id, &mut info, options), info)
        };
        // SAFETY: for a child that has ended the kernel has written si_pid, else it is the zero from above.
        (result == 0).then(|| unsafe { info.si_pid() })
    }

    fn reap(&mut self) -> Option<ExitStatus> {
        self.reaped = true;
        let mut status = 0;
        loop {
            // SAFETY: waits for our own child only; `status` is ours.
            let result = unsafe { libc::waitpid(self.pid, &mut status, 0) };
            if result == self.pid {
                return Some(ExitStatus::from_raw(status));
            }
            // ECHILD: the host ignores SIGCHLD, or has waited for all children.
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return None;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            // The child was killed, so it ends at once.
            self.reap();
        }
    }
}

/// Kills all processes of a session. The session's id must be that of a child that is not reaped, so that no other
/// session can have it. Repeats until it finds no new process: processes may start others before they are killed.
fn kill_session(session: libc::pid_t) {
    let mut killed = HashSet::new();
    loop {
        let before = killed.len();
        let Ok(entries) = std::fs::read_dir("/proc") else { return };
        for pid in entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<libc::pid_t>().ok()) {
            if killed.contains(&pid) || !lives_in(session, pid) {
                continue;
            }
            // Open it before the second check, so that check and signal concern the same process.
            // SAFETY: plain system calls; the descriptor is new, and closed by its owner.
            let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
            match c_int::try_from(pidfd) {
                Ok(fd) if fd >= 0 => {
                    // SAFETY: as above.
                    let pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
                    if lives_in(session, pid) {
                        let no_info = ptr::null::<libc::siginfo_t>();
                        // SAFETY: as above.
                        unsafe {
                            libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), libc::SIGKILL, no_info, 0)
                        };
                    }
                }
                // SAFETY: a plain system call. The kernel is old, or no descriptor is left.
                _ => drop(unsafe { libc::kill(pid, libc::SIGKILL) }),
            }
            killed.insert(pid);
        }
        if killed.len() == before {
            return;
        }
    }
}

/// True if a process belongs to a session and has not ended.
fn lives_in(session: libc::pid_t, pid: libc::pid_t) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // The name comes first and may contain any character; then state, parent, group and session.
    let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let state = fields.next();
    !matches!(state, Some("Z" | "X")) && fields.nth(2).is_some_and(|field| field == session.to_string())
}

/// A descriptor that becomes readable when the child ends; `None` if the kernel does not support it.
fn open_pidfd(pid: libc::pid_t) -> io::Result<Option<AsyncFd<OwnedFd>>> {
    // SAFETY: a plain system call; it opens its descriptors close-on-exec.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    match c_int::try_from(fd) {
        Ok(fd) if fd >= 0 => {
            // SAFETY: a new descriptor without another owner.
            let fd = unsafe { OwnedFd::from_raw_fd(fd) };
            // SAFETY: an OwnedFd is the same open descriptor until it is dropped, which AsyncFd does after deregistering.
            let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
            registered.map(Some).map_err(Into::into)
        }
        _ => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::EMFILE) => Err(error),
            _ => Ok(None),
        },
    }
}

fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

fn check(status: c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(status)) }
}

type ChangeFolder = unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, *const c_char) -> c_int;

/// Looked up at run time: glibc has it since 2.29, but this library must load with glibc 2.26.
fn change_folder_action() -> Option<ChangeFolder> {
    // SAFETY: the name is NUL-terminated; the symbol is a function of this type, or NULL, which is `None`.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"posix_spawn_file_actions_addchdir_np".as_ptr());
        std::mem::transmute::<*mut c_void, Option<ChangeFolder>>(found)
    }
}

/// True if children can be started in another folder.
pub(crate) fn can_change_folder() -> bool {
    change_folder_action().is_some()
}

/// Changes of the child's descriptors.
struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new() -> io::Result<Self> {
        // SAFETY: `init` makes the zeroed object valid.
        unsafe {
            let mut actions = std::mem::zeroed();
            check(libc::posix_spawn_file_actions_init(&mut actions))?;
            Ok(Self(actions))
        }
    }

    fn open_null_as_input(&mut self) -> io::Result<()> {
        // SAFETY: initialised by `new`; the path is copied.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(&mut self.0, 0, c"/dev/null".as_ptr(), libc::O_RDONLY, 0)
        })
    }

    fn duplicate(&mut self, from: c_int, to: c_int) -> io::Result<()> {
        // SAFETY: initialised by `new`.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.0, from, to) })
    }

    fn change_folder(&mut self, folder: &CString) -> io::Result<()> {
        let add = change_folder_action().ok_or(io::ErrorKind::Unsupported)?;
        // SAFETY: initialised by `new`; the path is copied.
        check(unsafe { add(&mut self.0, folder.as_ptr()) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

/// Attributes of the child: its own session, no signal blocked, all signals with their default action.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        // SAFETY: `init` makes the zeroed object valid, as do sigemptyset and sigfillset theirs.
        unsafe {
            let mut attributes = std::mem::zeroed();
            check(libc::posix_spawnattr_init(&mut attributes))?;
            let mut attributes = Self(attributes);
            let mut signals = std::mem::zeroed();
            libc::sigemptyset(&mut signals);
            check(libc::posix_spawnattr_setsigmask(&mut attributes.0, &signals))?;
            libc::sigfillset(&mut signals);
            check(libc::posix_spawnattr_setsigdefault(&mut attributes.0, &signals))?;
            let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
            let flags = libc::c_short::try_from(flags).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            let flags = flags | libc::POSIX_SPAWN_SETSID;
            check(libc::posix_spawnattr_setflags(&mut attributes.0, flags))?;
            Ok(attributes)
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, output: HandlerOutput) -> Process {
        let program = Program {
            command: vec!["/bin/sh".into(), "-c".into(), script.into()],
            env: vec![c"NAME=value".to_owned()],
            working_directory: Some("/".into()),
            output,
        };
        Process::spawn(program).unwrap()
    }

    #[tokio::test]
    async fn the_exit_status_of_a_child_is_returned() {
        let status = shell("exit 7", HandlerOutput::Discard).ended().await.unwrap();
        assert_eq!(status.code(), Some(7));
        let status = shell("kill -9 $$", HandlerOutput::Discard).ended().await.unwrap();
        assert_eq!(status.signal(), Some(9));
    }

    #[tokio::test]
    async fn a_child_gets_its_environment_folder_output_and_an_empty_input() {
        let path = std::env::temp_dir().join(format!("lambda-executor-local-test-{}", std::process::id()));
        let script = r#"echo "$NAME in $PWD"; cat; echo error >&2; grep -c '^SigBlk:\s*0*$' /proc/self/status"#;
        shell(script, HandlerOutput::File(path.clone())).ended().await.unwrap();
        let output = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(output, "value in /\nerror\n1\n");
    }

    #[tokio::test]
    async fn the_session_of_a_child_ends_with_it() {
        let path = std::env::temp_dir().join(format!("lambda-executor-local-left-{}", std::process::id()));
        // `timeout` creates its own process group.
        let mut process = shell("timeout 600 sleep 600 & echo $!", HandlerOutput::File(path.clone()));
        process.ended().await.unwrap();
        let left: libc::pid_t = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        std::fs::remove_file(&path).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        // The process is dead, but its new parent may not have reaped it yet.
        let dead = || match std::fs::read_to_string(format!("/proc/{left}/stat")) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        while !dead() {
            assert!(std::time::Instant::now() < deadline, "process {left} is still there");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_process_that_is_dropped_is_killed() {
        let process = shell("trap '' TERM; sleep 600", HandlerOutput::Discard);
        let pid = process.pid;
        drop(process);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_an_error() {
        let program = Program {
            command: vec!["/nonexistent/program".into()],
            env: Vec::new(),
            working_directory: None,
            output: HandlerOutput::Discard,
        };
        assert_eq!(Process::spawn(program).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
