//! Places in the engine's tables, each of its own type, and the table.

use std::marker::PhantomData;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(usize);

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                Self(index)
            }
        }

        impl From<$name> for usize {
            fn from(key: $name) -> usize {
                key.0
            }
        }
    };
}

key!(
    /// A session in its engine.
    SessionKey
);
key!(
    /// A room in its engine.
    RoomKey
);
key!(
    /// A member in its room.
    MemberKey
);

/// A table whose entries keep their places; a free place is taken again.
#[derive(Debug)]
pub struct Table<K, T> {
    entries: Vec<Option<T>>,
    key: PhantomData<K>,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            key: PhantomData,
        }
    }
}

impl<K: Copy + From<usize> + Into<usize>, T> Table<K, T> {
    /// Puts in what `make` makes for its place.
    pub fn insert_with(&mut self, make: impl FnOnce(K) -> T) -> K {
        let free = self.entries.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        let key = K::from(index);
        self.entries[index] = Some(make(key));
        key
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: K) -> Option<T> {
        self.entries.get_mut(key.into())?.take()
    }

    /// The entry at this place.
    pub fn get(&self, key: K) -> Option<&T> {
        self.entries.get(key.into())?.as_ref()
    }

    /// The entry at this place.
    pub fn get_mut(&mut self, key: K) -> Option<&mut T> {
        self.entries.get_mut(key.into())?.as_mut()
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(index, entry)| Some((K::from(index), entry.as_ref()?)))
    }

    /// All entries, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut T)> {
        let entries = self.entries.iter_mut().enumerate();
        entries.filter_map(|(index, entry)| Some((K::from(index), entry.as_mut()?)))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_place_is_taken_again_and_the_others_stay() {
        let mut table = Table::<MemberKey, &str>::default();
        let first = table.insert_with(|_| "a");
        let second = table.insert_with(|_| "b");
        assert_eq!(table.remove(first), Some("a"));
        assert_eq!(table.insert_with(|_| "c"), first);
        assert_eq!(table.get(second), Some(&"b"));
        assert_eq!(table.len(), 2);
    }
}
