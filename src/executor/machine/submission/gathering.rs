//! Which tasks share an invocation: those at the head of the line, in their order. When it is full, or cannot become
//! fuller, it is sent at once; otherwise when its oldest task has waited for `batch_wait_ms`.

use super::TaskId;
use super::route::Route;
use crate::executor::machine::tasks::{Task, Tasks};
use crate::executor::wire::BatchSize;

impl Route {
    /// How many tasks at the head of the line the next call carries, at least one; or when it may be sent, in mono ms.
    /// The first in line must be a task that waits, and the route must not be saturated.
    pub(super) fn gather(&self, now_ms: u64, tasks: &Tasks) -> Result<usize, u64> {
        let most = self.most_in_a_call();
        if most == 1 && self.settings.batch_size <= 1 {
            return Ok(1);
        }
        let mut size = BatchSize::default();
        let mut first: Option<&Task> = None;
        let mut due_at = u64::MAX;
        for (place, task) in self.waiting(tasks) {
            let bytes = task.payload.as_ref().map_or(0, |payload| payload.len());
            let joins = first.is_none_or(|first| {
                !task.goes_alone()
                    && task.qualifier() == first.qualifier()
                    && size.with(bytes) <= self.settings.batch_bytes
            });
            if !joins {
                due_at = 0;
                break;
            }
            first.get_or_insert(task);
            size.add(bytes);
            // It has waited before, or its own limit may be short.
            let is_urgent = place < self.returned.len() || task.expires_at.is_some();
            let waits_until = task.queued_mono_ms.saturating_add(self.settings.batch_wait_ms);
            due_at = due_at.min(if is_urgent { 0 } else { waits_until });
            if size.count() == most || task.goes_alone() {
                due_at = 0;
                break;
            }
        }
        if due_at <= now_ms { Ok(size.count().max(1)) } else { Err(due_at) }
    }

    fn most_in_a_call(&self) -> usize {
        if self.refuses_batches {
            return 1;
        }
        let room = match self.settings.max_running_tasks {
            0 => usize::MAX,
            most => most.saturating_sub(self.active),
        };
        self.settings.batch_size.min(room).max(1)
    }

    /// The tasks in line that wait, with their places.
    fn waiting<'a>(&'a self, tasks: &'a Tasks) -> impl Iterator<Item = (usize, &'a Task)> {
        let line = self.returned.iter().chain(&self.fresh);
        line.enumerate().filter_map(|(place, id): (usize, &TaskId)| {
            let task = tasks.get(*id).filter(|task| task.is_queued())?;
            Some((place, task))
        })
    }
}
