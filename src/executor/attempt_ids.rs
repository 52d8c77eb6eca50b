//! Fresh attempt ids, from kernel randomness fetched by the page so that a task does not cost a system call.

use super::task::AttemptId;
use std::sync::{Mutex, PoisonError};

const PAGE: usize = 4096;
const ID: usize = 16;

/// A source of ids for one executor.
#[derive(Default)]
pub(super) struct AttemptIds {
    unused: Mutex<Vec<u8>>,
}

impl AttemptIds {
    /// An id that is used nowhere else.
    pub(super) fn next(&self) -> AttemptId {
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.len() < ID {
            unused.resize(PAGE, 0);
            if let Err(error) = getrandom::fill(&mut unused) {
                // Without randomness two tasks could be taken for one another: the guard at the boundary turns this
                // into a status and closes the handle.
                panic!("the kernel gives no random bytes: {error}");
            }
        }
        let rest = unused.len() - ID;
        let mut id = [0; ID];
        id.copy_from_slice(&unused[rest..]);
        unused.truncate(rest);
        AttemptId::from_random(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ_over_several_pages() {
        let ids = AttemptIds::default();
        assert_eq!((0..2_000).map(|_| ids.next()).collect::<HashSet<_>>().len(), 2_000);
    }
}
