//! A map for few entries: a sorted vector. And an order for few items.
//!
//! Not for many entries that come in any order: each of those moves all that are after it. The standard library's tree is
//! the thing for them; but every kind of tree is eight kilobytes of code that each user downloads, and most maps here have
//! a handful of entries, or entries that come in order.
//!
//! Invariant: entries are in the order of their keys, each key once.

use core::borrow::Borrow;
use core::cmp::Ordering;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted<K, V>(Vec<(K, V)>);

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Sorted(Vec::new())
    }
}

impl<K: Ord, V> Sorted<K, V> {
    /// The place of a key; or, where it is not there, the place for it.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(own, _)| own.borrow().cmp(key))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().and_then(|place| self.0.get(place)).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().and_then(|place| self.0.get_mut(place)).map(|(_, value)| value)
    }

    /// Sets the value of a key; gives back the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => self.0.get_mut(place).map(|(_, old)| core::mem::replace(old, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes a key and its value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| self.0.remove(place).1)
    }

    /// The entries from this key on, itself included.
    pub fn from<Q: Ord + ?Sized>(&self, key: &Q) -> &[(K, V)]
    where
        K: Borrow<Q>,
    {
        self.0.get(self.place(key).unwrap_or_else(|place| place)..).unwrap_or_default()
    }

    /// Takes out the entries from `start` on, up to `end` (without it: all).
    pub fn take<Q: Ord + ?Sized>(&mut self, start: &Q, end: Option<&Q>) -> std::vec::Drain<'_, (K, V)>
    where
        K: Borrow<Q>,
    {
        let end = end.map_or(self.len(), |end| self.place(end).unwrap_or_else(|place| place));
        // The end may lie before the start: then there is nothing between them.
        let start = self.place(start).unwrap_or_else(|place| place).min(end);
        self.0.drain(start..end)
    }
}

impl<K, V> Sorted<K, V> {
    /// The entries in order.
    pub fn iter(&self) -> core::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    /// The entries in order, values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The entry with the least key.
    #[must_use]
    pub fn first(&self) -> Option<&(K, V)> {
        self.0.first()
    }

    /// The entry with the greatest key.
    #[must_use]
    pub fn last(&self) -> Option<&(K, V)> {
        self.0.last()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The places of items in their order, of equal ones the first first; `compare` is told places. One for all: a sort of each
/// kind of item would be five kilobytes of code of its own. For what sorts much, such code is worth it.
pub fn order(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_unstable_by(|left, right| compare(*left, *right).then(left.cmp(right)));
    places
}

/// Keys in their order, each once.
#[must_use]
pub fn once_each(mut keys: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if keys.len() < 2 {
        return keys;
    }
    let mut places = order(keys.len(), &mut |left, right| keys.get(left).cmp(&keys.get(right)));
    places.dedup_by(|later, kept| keys.get(*later) == keys.get(*kept));
    places.into_iter().filter_map(|place| keys.get_mut(place).map(core::mem::take)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn an_order_is_that_of_a_stable_sort(items in prop::collection::vec(0_u8..9, 0..60)) {
            let mut expected: Vec<usize> = (0..items.len()).collect();
            expected.sort_by_key(|place| items.get(*place));
            prop_assert_eq!(order(items.len(), &mut |left, right| items.get(left).cmp(&items.get(right))), expected);
        }

        #[test]
        fn keys_are_in_order_and_each_once(keys in prop::collection::vec(prop::collection::vec(0_u8..3, 0..3), 0..40)) {
            let expected: Vec<_> = keys.iter().cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(once_each(keys), expected);
        }

        #[test]
        fn it_holds_what_a_tree_would(steps in prop::collection::vec((0_u8..40, prop::option::of(any::<u8>())), 0..200), cut in 0_u8..40, end in prop::option::of(0_u8..40)) {
            let (mut sorted, mut tree) = (Sorted::default(), BTreeMap::new());
            for (key, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(sorted.insert(key, value), tree.insert(key, value)),
                    None => prop_assert_eq!(sorted.remove(&key), tree.remove(&key)),
                }
                prop_assert_eq!(sorted.get(&cut), tree.get(&cut));
                prop_assert_eq!(sorted.len(), tree.len());
            }
            let pairs = |map: &BTreeMap<u8, u8>| map.iter().map(|(key, value)| (*key, *value)).collect::<Vec<_>>();
            prop_assert_eq!(sorted.iter().copied().collect::<Vec<_>>(), pairs(&tree));
            prop_assert_eq!(sorted.first().map(|(key, _)| key), tree.keys().next());
            prop_assert_eq!(sorted.last().map(|(key, _)| key), tree.keys().next_back());
            prop_assert_eq!(sorted.from(&cut), tree.range(cut..).map(|(key, value)| (*key, *value)).collect::<Vec<_>>());
            let is_taken = |key: u8| key >= cut && end.is_none_or(|end| key < end);
            let (taken, kept): (Vec<_>, Vec<_>) = pairs(&tree).into_iter().partition(|(key, _)| is_taken(*key));
            prop_assert_eq!(sorted.take(&cut, end.as_ref()).collect::<Vec<_>>(), taken);
            prop_assert_eq!(sorted.values().copied().collect::<Vec<_>>(), kept.into_iter().map(|(_, value)| value).collect::<Vec<_>>());
        }
    }
}
