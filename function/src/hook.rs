//! PRE_COMMAND and POST_COMMAND: the operator's programs that run before and after each command.

use crate::environment::Environment;
use crate::event::Command;
use crate::process_group::{Ended, ProcessGroup};
use crate::tail::TailText;
use crate::time_plan::Limit;
use crate::watch::{Watched, watch};

/// Runs one of them. The error describes the failure, with the end of the output. Background processes of the hook are
/// killed when it ends.
pub(crate) async fn run(
    name: &str,
    hook: &Command,
    environment: &Environment,
    tail_bytes: usize,
    limit: &Limit,
) -> Result<(), String> {
    let argv = hook.argv();
    let (program, arguments) = argv.split_first().ok_or_else(|| format!("{name} is empty"))?;
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    environment.apply(&mut command);
    let mut group =
        ProcessGroup::start(command).map_err(|error| format!("{name}: cannot start `{program}`: {error}"))?;
    let watched = watch(&mut group, tail_bytes, limit)
        .await
        .map_err(|error| format!("{name}: its output cannot be read: {error}"))?;
    match failure(&watched) {
        None => Ok(()),
        Some(failure) => Err(format!("{name} failed: {failure}{}", output_of(&watched.output))),
    }
}

/// The end of the output for an error message.
fn output_of(output: &TailText) -> String {
    match (output.text.trim_end(), output.truncated) {
        ("", _) => String::new(),
        (text, false) => format!("; output: {text}"),
        (text, true) => format!("; end of its {} bytes of output: {text}", output.length),
    }
}

fn failure(watched: &Watched) -> Option<String> {
    match (&watched.over_limit, watched.ended) {
        (Some(over_limit), _) => Some(over_limit.clone()),
        (None, Some(Ended::Exited(0))) => None,
        (None, Some(Ended::Exited(status))) => Some(format!("exit status {status}")),
        (None, Some(Ended::Signalled(signal))) => Some(format!("ended by signal {signal}")),
        (None, None) => Some("its exit status cannot be read from the kernel".to_owned()),
    }
}
