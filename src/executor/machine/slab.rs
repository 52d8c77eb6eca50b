//! Values by number. A number says which place a value has and which of the values that ever had it, so that an old
//! number never finds a new value. Grows by chunks: nothing is moved, and no insertion takes long.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

const CHUNK: usize = 1024;

/// The number of a value of type `T`.
pub(crate) struct Id<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

/// Values of one type.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Slot<T>>>,
    free: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> Id<T> {
        self.len += 1;
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slot_mut(index)
        {
            slot.value = Some(value);
            let generation = slot.generation;
            return Id { index, generation, of: PhantomData };
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else { unreachable!("a chunk was just pushed") };
        let index = u32::try_from(before + chunk.len()).expect("fewer than 4,294,967,296 values");
        chunk.push(Slot { generation: 0, value: Some(value) });
        Id { index, generation: 0, of: PhantomData }
    }

    pub(super) fn get(&self, id: Id<T>) -> Option<&T> {
        let slot = self.chunks.get(id.index as usize / CHUNK)?.get(id.index as usize % CHUNK)?;
        if slot.generation == id.generation { slot.value.as_ref() } else { None }
    }

    pub(super) fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let slot = self.slot_mut(id.index)?;
        if slot.generation == id.generation { slot.value.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, id: Id<T>) -> Option<T> {
        let slot = self.slot_mut(id.index)?;
        if slot.generation != id.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        self.len -= 1;
        Some(value)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All values, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.chunks.iter().flatten().zip(0..).filter_map(|(slot, index)| {
            let value = slot.value.as_ref()?;
            Some((Id { index, generation: slot.generation, of: PhantomData }, value))
        })
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.index, self.generation).cmp(&(other.index, other.generation))
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.index, self.generation).hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_number_does_not_find_the_value_that_took_its_place() {
        let mut slab = Slab::default();
        let first = slab.insert("a");
        assert_eq!(slab.remove(first), Some("a"));
        let second = slab.insert("b");
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&"b")));
        assert_eq!(slab.remove(first), None);
        assert_ne!(first, second);
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn values_over_several_chunks_keep_their_numbers() {
        let mut slab = Slab::default();
        let ids: Vec<_> = (0..3 * CHUNK).map(|n| slab.insert(n)).collect();
        for (n, id) in ids.iter().enumerate().step_by(7) {
            assert_eq!(slab.remove(*id), Some(n));
        }
        assert!(ids.iter().enumerate().all(|(n, id)| slab.get(*id) == (n % 7 != 0).then_some(&n)));
        assert_eq!(slab.iter().count(), slab.len());
    }
}
