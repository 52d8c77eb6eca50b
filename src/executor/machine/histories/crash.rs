//! Crashes: what is left of a process, and how the next one goes on.

use super::ledger::Task;
use super::world::World;
use crate::executor::task::TaskState;

impl World {
    /// The process dies, at this moment, and another one takes its place.
    pub(super) fn crash(&mut self, site: usize) {
        self.abandon_calls(site);
        let Self { sites, dice, tasks, .. } = self;
        sites[site].store.crash(dice);
        let (durable, keeps) = (sites[site].store.durable, sites[site].keeps_records);
        let survives = |lsn: usize| lsn > 0 && lsn <= durable;
        let mut orphans = Vec::new();
        for (index, task) in tasks.iter_mut().enumerate().filter(|(_, task)| task.site == site && !task.gone) {
            if !keeps {
                (task.gone, task.recovered) = (!task.acknowledged, true);
                orphans.extend((!task.acknowledged && !task.cancelled).then_some(index));
                continue;
            }
            task.gone = !survives(task.accepted_lsn);
            assert!(!task.gone || task.tries.is_empty(), "`{}` was sent before it was durable", task.key);
            task.acknowledged &= survives(task.acknowledged_lsn);
            task.recovered = true;
            if task.acknowledged || task.gone {
                continue;
            }
            task.acknowledged_lsn = 0;
            task.ended = task.ended.filter(|_| survives(task.ended_lsn));
            task.ended_lsn = if survives(task.ended_lsn) { task.ended_lsn } else { 0 };
            task.running_lsn = if survives(task.running_lsn) { task.running_lsn } else { 0 };
            task.cancelled &= task.ended.is_some();
            task.intents.retain(|lsn| survives(*lsn));
            task.resubmitted_lsn = if survives(task.resubmitted_lsn) { task.resubmitted_lsn } else { 0 };
            // Whether its batch ran it is not known any more.
            task.released_at = task.released_at.filter(|_| task.resubmitted_lsn > 0);
            task.tries.iter_mut().for_each(|one| one.call = None);
            (task.final_handed_out, task.running_seq) = (false, None);
            task.awaited_since = Some(self.now);
        }
        sites[site].restart(self.now, dice);
        self.check_recovered(site);
        self.drive(site);
        orphans.into_iter().for_each(|index| self.continue_without_records(site, index));
    }

    /// What was only queued is queued again, what Lambda accepted is RUNNING, and what ended is reported again.
    fn check_recovered(&self, site: usize) {
        let machine = &self.sites[site].machine;
        for task in self.tasks.iter().filter(|task| task.site == site && task.recovered && !task.gone) {
            let again = |other: &&Task| other.site == site && !other.gone && other.attempt == task.attempt;
            if task.acknowledged || task.attempt.is_none() || self.tasks.iter().filter(again).count() > 1 {
                continue;
            }
            let id = task.attempt.and_then(|attempt| machine.tasks.of_attempt(attempt));
            let state = id.and_then(|id| machine.tasks.get(id)).map(|task| task.state);
            let expected = match task.ended {
                Some(ended) => ended.state,
                None if task.adopted || task.running_lsn > task.resubmitted_lsn => TaskState::Running,
                None if task.intents.iter().all(|lsn| *lsn < task.resubmitted_lsn) => TaskState::Queued,
                None => continue,
            };
            assert_eq!(state, Some(expected), "`{}` after the recovery: {task:?}", task.key);
        }
    }

    /// A host that keeps its own books: what it saw RUNNING it adopts, everything else it queues again under the same id.
    fn continue_without_records(&mut self, site: usize, index: usize) {
        let before = self.tasks[index].clone();
        if before.adopted || before.running_seq.is_some() {
            self.adopt(site, &before.key, before.attempt);
            return;
        }
        let mut task = self.new_task(site, &before.key, before.attempt);
        (task.known_before, task.route, task.poisonous) = (true, before.route, before.poisonous);
        self.submit(task);
    }
}
