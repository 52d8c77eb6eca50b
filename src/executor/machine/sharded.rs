//! A hash map in many small parts, for all that grows with the tasks. A map of a million entries that grows moves all of
//! them at once, which takes hundreds of milliseconds under the executor's lock; here only one part in a thousand grows
//! at a time.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, RandomState};

const PARTS: usize = 1024;

/// As a `HashMap`. Each key is hashed once. The hash has a random seed, and is not made for keys that collide on purpose.
/// The `RandomState` of foldhash has a lock of the process, which a forked child could find locked.
#[derive(Debug)]
pub(super) struct Sharded<K, V> {
    hasher: FixedState,
    parts: Vec<HashTable<(K, V)>>,
}

impl<K: Hash + Eq, V> Default for Sharded<K, V> {
    fn default() -> Self {
        let hasher = FixedState::with_seed(RandomState::new().hash_one(0));
        let parts = (0..PARTS).map(|_| HashTable::new()).collect();
        Self { hasher, parts }
    }
}

impl<K: Hash + Eq, V> Sharded<K, V> {
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let hash = self.hasher.hash_one(&key);
        let hasher = &self.hasher;
        match self.parts[part(hash)].entry(hash, |(known, _)| *known == key, |(known, _)| hasher.hash_one(known)) {
            Entry::Occupied(mut known) => Some(std::mem::replace(&mut known.get_mut().1, value)),
            Entry::Vacant(place) => {
                place.insert((key, value));
                None
            }
        }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let hash = self.hasher.hash_one(key);
        self.parts[part(hash)].find(hash, |(known, _)| known.borrow() == key).map(|(_, value)| value)
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let hash = self.hasher.hash_one(key);
        let known = self.parts[part(hash)].find_entry(hash, |(known, _)| known.borrow() == key).ok()?;
        Some(known.remove().0.1)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(HashTable::len).sum()
    }
}

/// Not by the bits that a table uses within a part: the lowest and the highest ones.
fn part(hash: u64) -> usize {
    (hash >> 40) as usize % PARTS
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
