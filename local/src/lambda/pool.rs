//! The warm sandboxes of a function, and the number of its current runs.

use std::collections::HashMap;

/// Sandboxes by id. `S` receives the work of a sandbox.
#[derive(Debug)]
pub(crate) struct Pool<S> {
    /// The sandbox that was used last comes last and is used next. It is the warmest; the others may go cold.
    idle: Vec<(u64, S)>,
    busy: HashMap<u64, S>,
    /// The newest id.
    newest: u64,
    /// Sandboxes up to this id are not used again.
    retired: u64,
}

impl<S> Default for Pool<S> {
    fn default() -> Self {
        Self { idle: Vec::new(), busy: HashMap::new(), newest: 0, retired: 0 }
    }
}

impl<S> Pool<S> {
    /// Number of sandboxes with work.
    pub(crate) fn busy(&self) -> usize {
        self.busy.len()
    }

    /// An id for a new sandbox.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    /// Adds a new sandbox, which has work.
    pub(crate) fn add_busy(&mut self, id: u64, sandbox: S) {
        self.busy.insert(id, sandbox);
    }

    /// Makes the warmest idle sandbox busy.
    pub(crate) fn take_idle(&mut self) -> Option<(u64, &S)> {
        let (id, sandbox) = self.idle.pop()?;
        Some((id, self.busy.entry(id).or_insert(sandbox)))
    }

    /// Makes a sandbox idle. A retired one is dropped.
    pub(crate) fn release(&mut self, id: u64) {
        if let Some(sandbox) = self.busy.remove(&id).filter(|_| id > self.retired) {
            self.idle.push((id, sandbox));
        }
    }

    /// Retires all current sandboxes: idle ones are dropped now, busy ones when they are released.
    pub(crate) fn retire(&mut self) {
        self.idle.clear();
        self.retired = self.newest;
    }

    /// Removes a sandbox that has ended.
    pub(crate) fn remove(&mut self, id: u64) {
        if self.busy.remove(&id).is_none() {
            self.idle.retain(|(idle, _)| *idle != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_used_is_used_next() {
        let mut pool = Pool::default();
        for name in ["a", "b", "c"] {
            let id = pool.new_id();
            pool.add_busy(id, name);
        }
        assert_eq!(pool.busy(), 3);
        assert_eq!(pool.take_idle(), None);
        pool.release(2);
        pool.release(1);
        assert_eq!(pool.take_idle(), Some((1, &"a")));
        assert_eq!(pool.take_idle(), Some((2, &"b")));
    }

    #[test]
    fn retired_sandboxes_are_dropped_when_idle() {
        let mut pool = Pool::default();
        for name in ["idle", "busy"] {
            let id = pool.new_id();
            pool.add_busy(id, name);
        }
        pool.release(1);
        pool.retire();
        let id = pool.new_id();
        pool.add_busy(id, "new");
        assert_eq!(pool.take_idle(), None);
        assert_eq!(pool.busy(), 2);
        pool.release(2);
        pool.release(id);
        assert_eq!(pool.take_idle(), Some((id, &"new")));
        assert_eq!(pool.take_idle(), None);
    }

    #[test]
    fn sandboxes_that_ended_are_not_used_again() {
        let mut pool = Pool::default();
        for name in ["idle", "busy"] {
            let id = pool.new_id();
            pool.add_busy(id, name);
        }
        pool.release(1);
        pool.remove(1);
        pool.remove(2);
        pool.release(2);
        assert_eq!(pool.take_idle(), None);
        assert_eq!(pool.busy(), 0);
    }
}
