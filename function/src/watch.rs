//! Watches a running program to its end or its time limit.

use crate::clock;
use crate::output::Output;
use crate::process_group::{Ended, ProcessGroup};
use crate::tail::TailText;
use crate::time_plan::{Limit, LimitedBy};
use std::io;
use std::time::Duration;

/// After SIGKILL the kernel may hold a process, for example in a network file system. Then the result is sent without
/// it.
const KILL_PATIENCE: Duration = Duration::from_millis(500);

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Watched {
    /// `None` if its status cannot be read from the kernel in time.
    pub(crate) ended: Option<Ended>,
    /// Set if it exceeded its time limit: a sentence for the operator.
    pub(crate) over_limit: Option<String>,
    /// The end of its output.
    pub(crate) output: TailText,
    /// Unix ms.
    pub(crate) finished_at_ms: i64,
}

/// Signals sent so far at the time limit.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    Running,
    Terminated,
    Killed,
}

/// Copies the output of `group` to the log and keeps its last `tail_bytes`, until the group's first process has ended.
/// Ends the group at `limit`.
pub(crate) async fn watch(group: &mut ProcessGroup, tail_bytes: usize, limit: &Limit) -> io::Result<Watched> {
    let mut output = Output::new(group.take_stdout(), group.take_stderr(), tail_bytes)?;
    let mut stage = Stage::Running;
    let mut closed = false;
    let ended = {
        let mut end = std::pin::pin!(group.ended());
        loop {
            let due = match stage {
                Stage::Running => limit.terminate_at,
                Stage::Terminated => limit.kill_at,
                Stage::Killed => limit.kill_at + KILL_PATIENCE,
            };
            tokio::select! {
                biased;
                ended = &mut end => break ended.ok(),
                () = tokio::time::sleep_until(due.into()) => match stage {
                    Stage::Running => {
                        group.terminate();
                        stage = Stage::Terminated;
                    }
                    Stage::Terminated => {
                        group.kill();
                        stage = Stage::Killed;
                    }
                    Stage::Killed => break None,
                },
                () = output.pump(), if !closed => closed = true,
            }
        }
    };
    let finished_at_ms = clock::unix_ms();
    let over_limit = match stage {
        Stage::Running => None,
        Stage::Terminated => Some(over_limit_text("SIGTERM", limit.by)),
        Stage::Killed => Some(over_limit_text("SIGTERM, then SIGKILL", limit.by)),
    };
    Ok(Watched { ended, over_limit, output: output.finish().await, finished_at_ms })
}

fn over_limit_text(signals: &str, by: LimitedBy) -> String {
    match by {
        LimitedBy::Task(ms) => format!("ended by {signals} at the task's time limit of {ms} ms (timeout_ms)"),
        LimitedBy::Setting(limit) => format!("ended by {signals} at its time limit of {} ms", limit.as_millis()),
        LimitedBy::Function => format!("ended by {signals} at the time limit of the Lambda function"),
    }
}
