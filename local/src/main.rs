//! `lambda-executor-local`: the local Lambda and SQS as a program. `--help` explains it.

mod program;

use lambda_executor_local::{Options, start};
use program::announcement::{shell_lines, write_ready_file};
use program::arguments::{Arguments, help};
use program::ending::Ending;
use program::log::Log;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// Time between SIGTERM and SIGKILL for handlers.
const GRACE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Do this first, while the parent most likely still runs.
    let parent = std::os::unix::process::parent_id();
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => return complain(2, &message),
    };
    if arguments.help {
        return say(&help()).map_or_else(|message| complain(1, &message), |()| ExitCode::SUCCESS);
    }
    if arguments.version {
        let version = concat!("lambda-executor-local ", env!("CARGO_PKG_VERSION"), "\n");
        return say(version).map_or_else(|message| complain(1, &message), |()| ExitCode::SUCCESS);
    }
    let options = serde_json::Value::from(arguments.options.clone()).to_string();
    match Options::from_json(&options) {
        Ok(options) => serve(&arguments, options, parent).unwrap_or_else(|message| complain(1, &message)),
        Err(error) => complain(2, &error.problems().join("\n")),
    }
}

fn serve(arguments: &Arguments, options: Options, parent: u32) -> Result<ExitCode, String> {
    // Block the signals before any thread is started: threads inherit the mask.
    let ending = Ending::prepare();
    if tracing::subscriber::set_global_default(Log::from_environment()).is_err() {
        return Err("a log is already set".to_owned());
    }
    let running = start(options).map_err(|error| error.to_string())?;
    if arguments.exit_with_parent {
        ending.follow_parent(parent).map_err(|error| format!("--exit-with-parent: {error}"))?;
    }
    if arguments.exit_with_stdin {
        ending.follow_input().map_err(|error| format!("--exit-with-stdin: {error}"))?;
    }
    if let Some(path) = &arguments.ready_file {
        write_ready_file(path, &running).map_err(|error| format!("--ready-file {}: {error}", path.display()))?;
    }
    match say(&shell_lines(&running)) {
        // Nothing else says where the server listens.
        Err(message) if arguments.ready_file.is_none() => {
            running.stop(GRACE);
            return Err(message);
        }
        _ => ending.wait(),
    }
    running.stop(GRACE);
    Ok(ExitCode::SUCCESS)
}

fn say(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| format!("cannot write to standard output: {error}"))
}

fn complain(code: u8, message: &str) -> ExitCode {
    let mut output = std::io::stderr().lock();
    for line in message.lines() {
        let _ = writeln!(output, "lambda-executor-local: {line}");
    }
    code.into()
}
