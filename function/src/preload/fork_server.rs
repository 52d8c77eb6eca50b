//! The process that has the modules loaded, and forks.

use super::descriptors::{self, Adoption};
use super::module_command::{ModuleCommand, environment_of};
use super::{fixed_variables, interpreter, message};
use crate::log::{self, Level};
use crate::output::Output;
use crate::process_group::{self, ProcessGroup};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long all commands together wait for modules to be loaded. Only waiting counts: Lambda freezes the sandbox
/// between invocations. The value is Lambda's own limit for initialisation.
const LOADING_PATIENCE: Duration = Duration::from_secs(10);
/// How long a command waits for its process. Longer than a fork takes with the smallest share of a processor.
const FORK_PATIENCE: Duration = Duration::from_secs(5);

/// The package of the process, in the folder that Python finds it in.
const FILES: [(&str, &str); 3] = [
    ("lambda_executor_preload/__init__.py", include_str!("../../python/lambda_executor_preload/__init__.py")),
    (
        "lambda_executor_preload/server/__init__.py",
        include_str!("../../python/lambda_executor_preload/server/__init__.py"),
    ),
    ("lambda_executor_preload/airflow.py", include_str!("../../python/lambda_executor_preload/airflow.py")),
];

/// The process, once started.
#[derive(Debug)]
pub(super) struct ForkServer {
    process: Child,
    stream: UnixStream,
    state: State,
    modules: String,
    /// The path by which its interpreter was started.
    executable: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    /// The environment of this program, and so of commands.
    folder: PathBuf,
    /// The part of [`LOADING_PATIENCE`] that is left.
    patience: Duration,
    /// The folder of its files.
    files: PathBuf,
}

#[derive(Debug)]
enum State {
    Loading,
    Ready,
    /// It will never be ready; the text says why.
    Unusable(String),
}

impl ForkServer {
    pub(super) fn launch(modules: &[String], like: &Command, files: &Path) -> Result<Self, String> {
        let environment = environment_of(like);
        let executable = interpreter::usual(environment.get(OsStr::new("PATH")))?;
        let modules = modules.join(",");
        Self::spawn(modules, executable, environment, files)
            .map_err(|error| format!("cannot start the process that loads them: {error}"))
    }

    fn spawn(
        modules: String,
        executable: PathBuf,
        environment: BTreeMap<OsString, OsString>,
        files: &Path,
    ) -> io::Result<Self> {
        let folder = std::env::current_dir()?;
        for (name, content) in FILES {
            let file = files.join(name);
            fs::create_dir_all(file.parent().unwrap_or(files))?;
            fs::write(file, content)?;
        }
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        // Python must find the process's files, and relative folders must remain relative to the same place.
        let files = files.canonicalize()?;
        let mut path = files.clone().into_os_string();
        if let Some(rest) = environment.get(OsStr::new("PYTHONPATH")).filter(|rest| !rest.is_empty()) {
            path.push(":");
            path.push(rest);
        }
        let mut command = Command::new(&executable);
        command
            .args(["-m", "lambda_executor_preload.server", &theirs.as_raw_fd().to_string(), &modules])
            .env_clear()
            .envs(&environment)
            .env("PYTHONPATH", path)
            // The same as for commands: Python checks its standard streams when it starts.
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        process_group::end_with_us(&mut command);
        descriptors::pass(&mut command, theirs.as_raw_fd());
        let mut process = command.spawn()?;
        let stdout = process.stdout.take().map(OwnedFd::from);
        let stderr = process.stderr.take().map(OwnedFd::from);
        let mut output = Output::new(stdout, stderr, 0)?;
        tokio::spawn(async move { output.pump().await });
        Ok(Self {
            process,
            stream: UnixStream::from_std(ours)?,
            state: State::Loading,
            modules,
            executable,
            environment,
            folder,
            patience: LOADING_PATIENCE,
            files,
        })
    }

    /// Runs `command` in a forked process. The error says why that is not possible.
    pub(super) async fn start(&mut self, command: &ModuleCommand, limit: Instant) -> Result<ProcessGroup, String> {
        if !interpreter::same(&command.executable, &self.executable) {
            let (theirs, ours) = (command.executable.display(), self.executable.display());
            return Err(format!("{theirs} is another interpreter than {ours}, which has the modules loaded"));
        }
        if let Some(name) = fixed_variables::difference(&self.environment, &command.environment) {
            return Err(format!("{} differs from the value with which modules were loaded", name.to_string_lossy()));
        }
        if matches!(self.state, State::Loading) {
            self.wait_until_loaded(limit).await;
        }
        match &self.state {
            State::Ready => {}
            State::Loading => return Err(format!("modules are not loaded yet: {}", self.modules)),
            State::Unusable(why) => return Err(why.clone()),
        }
        let fork = timeout(FORK_PATIENCE, self.fork(command)).await;
        match fork.unwrap_or_else(|_| Err(Failure::Server(format!("it did not fork within {FORK_PATIENCE:?}")))) {
            Ok(group) => Ok(group),
            Err(Failure::Task(why)) => Err(why),
            Err(Failure::Server(why)) => {
                let why = format!("the process that has the modules loaded is no longer usable: {why}");
                self.give_up(why.clone());
                Err(why)
            }
        }
    }

    async fn wait_until_loaded(&mut self, limit: Instant) {
        let start = Instant::now();
        let patience = self.patience.min(limit.saturating_duration_since(start) / 2);
        let answer = timeout(patience, message::receive(&mut self.stream)).await;
        self.patience = self.patience.saturating_sub(start.elapsed());
        match answer {
            Err(_) => {}
            Ok(Err(error)) => {
                self.give_up(format!("modules cannot be loaded: the process that loads them ended ({error})"))
            }
            Ok(Ok(answer)) => match answer.split_once(' ') {
                Some(("ready", ms)) => {
                    let fields = [("modules", json!(self.modules)), ("ms", json!(ms.parse::<u64>().ok()))];
                    log::write(Level::Info, "modules loaded", &fields);
                    self.ready();
                }
                Some((_, why)) => self.give_up(format!("modules cannot be loaded: {why}")),
                None => self.give_up(format!("modules cannot be loaded: {answer}")),
            },
        }
    }

    fn ready(&mut self) {
        // A version manager installs a script under the interpreter's name; a script is not the interpreter.
        let runs = fs::canonicalize(format!("/proc/{}/exe", self.process.id())).ok();
        if runs.is_some() && runs == self.executable.canonicalize().ok() {
            self.state = State::Ready;
            self.remove_files();
        } else {
            self.give_up(format!("{} starts another program as the interpreter", self.executable.display()));
        }
    }

    async fn fork(&mut self, command: &ModuleCommand) -> Result<ProcessGroup, Failure> {
        let task = |error: io::Error| Failure::Task(format!("no process can be forked: {error}"));
        let server = |error: io::Error| Failure::Server(error.to_string());
        let (mut control, theirs) = UnixStream::pair().map_err(task)?;
        let (stdout, to_stdout) = io::pipe().map_err(task)?;
        let (stderr, to_stderr) = io::pipe().map_err(task)?;
        let theirs =
            theirs.into_std().and_then(|theirs| theirs.set_nonblocking(false).map(|()| theirs)).map_err(task)?;
        let adoption = Adoption::begin().map_err(task)?;
        let content = message::encode(command, &self.folder);
        let fds = [to_stdout.as_fd(), to_stderr.as_fd(), theirs.as_fd()];
        message::send(&mut self.stream, &content, fds).await.map_err(server)?;
        drop((to_stdout, to_stderr, theirs));
        let answer = message::receive(&mut self.stream).await.map_err(server)?;
        let id = match answer.split_once(' ') {
            Some(("pid", id)) => id.parse().map_err(|_| Failure::Server(answer.clone()))?,
            Some(("error", why)) => return Err(Failure::Task(format!("no process can be forked: {why}"))),
            _ => return Err(Failure::Server(answer)),
        };
        let group = ProcessGroup::adopt(id, stdout.into(), stderr.into()).map_err(task)?;
        drop(adoption);
        let mut reply = String::new();
        let ran = async {
            control.write_all(b"1").await?;
            control.read_to_string(&mut reply).await
        };
        match ran.await {
            Ok(_) if reply == "+" => Ok(group),
            Ok(_) if !reply.is_empty() => {
                Err(Failure::Task(format!("the forked process cannot run a module: {reply}")))
            }
            _ => Err(Failure::Task("the forked process ended before its module ran".to_owned())),
        }
    }

    fn give_up(&mut self, why: String) {
        self.state = State::Unusable(why);
        let _ = self.process.kill();
        // If it has not ended yet, it remains a zombie until this program ends.
        let _ = self.process.try_wait();
        self.remove_files();
    }

    fn remove_files(&self) {
        if let Err(error) = fs::remove_dir_all(&self.files) {
            log::write(Level::Warn, &format!("cannot remove {}: {error}", self.files.display()), &[]);
        }
    }
}

/// Why the fork failed.
#[derive(Debug)]
enum Failure {
    /// Concerns this command only.
    Task(String),
    /// Concerns this command and all later ones.
    Server(String),
}
