//! Warm start: a Python process that has modules loaded, and forks for each command of the form `python -m MODULE …`
//! instead of starting a new interpreter.
//!
//! `module_command` recognises such commands, `interpreter` finds their interpreter, `fixed_variables` compares the
//! environments. `fork_server` is the process, `message` what is sent to it, `descriptors` holds the system calls.
//! The process's own code is in `python/lambda_executor_preload`.
//!
//! A forked process becomes a child of this program: the server forks twice, and this program adopts the process as a
//! subreaper. Waiting, process group and the end with this program therefore work as after an exec, and the process no
//! longer depends on the server.

mod descriptors;
mod fixed_variables;
mod fork_server;
mod interpreter;
mod message;
mod module_command;

use crate::log::{self, Level};
use crate::process_group::ProcessGroup;
use fork_server::ForkServer;
use module_command::{ModuleCommand, Recognised};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use tokio::sync::Mutex;

/// The warm start of one function.
#[derive(Debug)]
pub(crate) struct Preload {
    server: Mutex<Result<ForkServer, String>>,
}

impl Preload {
    /// Starts to load `modules` and does not wait for them. `command` has the environment that commands have;
    /// the process's files are written to `folder`. Must be called on a thread that lives as long as this process.
    pub(crate) fn launch(modules: &[String], command: &Command, folder: &Path) -> Self {
        let server = ForkServer::launch(modules, command, folder);
        if let Err(error) = &server {
            log::write(Level::Warn, &format!("no modules are loaded before commands: {error}"), &[]);
        }
        Self { server: Mutex::new(server) }
    }

    /// Runs `command` in a forked process. `Ok(None)` means that it does not run a Python module. The error says why it
    /// must be started with a new interpreter. Waits for modules to be loaded, at most half of the time until `limit`.
    pub(crate) async fn start(&self, command: &Command, limit: Instant) -> Result<Option<ProcessGroup>, String> {
        let command = match ModuleCommand::recognise(command) {
            Recognised::OtherProgram => return Ok(None),
            Recognised::Unusual(why) => return Err(why),
            Recognised::Module(command) => command,
        };
        let mut server = self.server.lock().await;
        let server = server.as_mut().map_err(|why| why.clone())?;
        server.start(&command, limit).await.map(Some)
    }
}
