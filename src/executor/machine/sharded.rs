//! A hash map in many small parts, for all that grows with the tasks. A map of a million entries that grows moves all of
//! them at once, which takes hundreds of milliseconds under the executor's lock; here only one part in a thousand grows
//! at a time.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

const PARTS: usize = 1024;

/// As a `HashMap`.
#[derive(Debug)]
pub(super) struct Sharded<K, V> {
    hasher: RandomState,
    parts: Vec<HashMap<K, V, RandomState>>,
    len: usize,
}

impl<K: Hash + Eq, V> Default for Sharded<K, V> {
    fn default() -> Self {
        let hasher = RandomState::new();
        let parts = (0..PARTS).map(|_| HashMap::with_hasher(RandomState::new())).collect();
        Self { hasher, parts, len: 0 }
    }
}

impl<K: Hash + Eq, V> Sharded<K, V> {
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let part = self.part(&key);
        let before = self.parts[part].insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.parts[self.part(key)].get(key)
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let part = self.part(key);
        let removed = self.parts[part].remove(key);
        self.len -= usize::from(removed.is_some());
        removed
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn part<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        (self.hasher.hash_one(key) % PARTS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map() {
        let mut map = Sharded::default();
        for n in 0..10_000 {
            assert_eq!(map.insert(n.to_string(), n), None);
        }
        assert_eq!(map.insert("7".into(), 70), Some(7));
        assert_eq!((map.get("7"), map.get("x"), map.len()), (Some(&70), None, 10_000));
        assert_eq!((map.remove("7"), map.remove("7"), map.len()), (Some(70), None, 9_999));
    }
}
