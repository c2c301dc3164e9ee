//! Places: where the entries of a run lie, by the hashes of their keys, so that a lookup touches one place in memory
//! before the entry itself.
//!
//! Not stored, and not an order: it is made in memory for runs that are looked into again and again. A search by halves
//! waits for memory at each of its steps; [`Heads`](super::heads::Heads) are for who needs to know what lies beside.
//!
//! Source of the form: hashing with linear probing (Knuth, volume 3, 6.4). Each slot is eight bits of the hash and 24 of
//! where the entry begins.
//!
//! Invariant: what is found is what a search of the entries finds; an entry that found no slot near its own leaves no
//! empty one in front of it, so that who meets an empty slot knows that there is no such entry.

use super::filter;
use super::run::{Place, Run};
use crate::bytes::is_same;
use core::cell::{Cell, OnceCell};

/// A run that is looked into for the so-manieth time gets places.
const LOOKS_MIN: usize = 3;
/// A large one later: to make them takes as long as some looks at each so many entries.
const ENTRIES_A_LOOK: usize = 64;
/// A run with fewer entries needs none.
const ENTRIES_MIN: usize = 16;
/// How far an entry lies from the slot that is its own.
const DISTANCE_MAX: usize = 32;
const OFFSET_BITS: u32 = 24;
const OFFSET_MASK: u32 = (1 << OFFSET_BITS) - 1;
const EMPTY: u32 = u32::MAX;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Places {
    looks: Cell<usize>,
    slots: OnceCell<Vec<u32>>,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    Here(Place),
    Nowhere,
    /// A search must tell.
    Unknown,
}

impl Places {
    /// Looks for a key, which has this hash, in `run`, whose places these are.
    pub(super) fn look(&self, run: &Run, key: &[u8], hash: u64) -> Look {
        let Some(slots) = self.slots.get() else {
            let looks = self.looks.get() + 1;
            self.looks.set(looks);
            if looks > LOOKS_MIN && looks >= run.len() / ENTRIES_A_LOOK && run.len() >= ENTRIES_MIN {
                let _ = self.slots.set(slots_of(run));
            }
            return Look::Unknown;
        };
        let mask = slots.len().wrapping_sub(1);
        let own = own_slot(hash);
        for at in own..own + DISTANCE_MAX {
            match slots.get(at & mask) {
                None => break,
                Some(&EMPTY) => return Look::Nowhere,
                Some(slot) if (slot ^ hash as u32) >> OFFSET_BITS == 0 => {
                    if let Some(place) = run.place_from((slot & OFFSET_MASK) as usize)
                        && is_same(run.key_at(place), key)
                    {
                        return Look::Here(place);
                    }
                }
                Some(_) => {}
            }
        }
        Look::Unknown
    }

    /// Where a key with this hash probably lies, its bytes not being looked at.
    pub(super) fn guess(&self, run: &Run, hash: u64) -> Option<Place> {
        let slots = self.slots.get()?;
        let mask = slots.len().wrapping_sub(1);
        let own = own_slot(hash);
        let mut near = (own..own + DISTANCE_MAX).map_while(|at| slots.get(at & mask));
        let slot = near.find(|slot| (**slot ^ hash as u32) >> OFFSET_BITS == 0)?;
        run.place_from((slot & OFFSET_MASK) as usize)
    }
}

const fn own_slot(hash: u64) -> usize {
    (hash >> 40) as usize
}

/// None at all for a run that is too large.
fn slots_of(run: &Run) -> Vec<u32> {
    if run.as_bytes().len() >= OFFSET_MASK as usize {
        return Vec::new();
    }
    let mut slots = vec![EMPTY; (run.len() + run.len() / 2).next_power_of_two()];
    let mask = slots.len() - 1;
    for (number, (key, _)) in run.iter().enumerate() {
        let hash = filter::hash(key);
        let own = own_slot(hash);
        let slot = (own..own + DISTANCE_MAX).map(|at| at & mask).find(|at| slots.get(*at) == Some(&EMPTY));
        if let (Some(offset), Some(slot)) = (run.offset(number), slot.and_then(|at| slots.get_mut(at))) {
            *slot = (hash as u32 & !OFFSET_MASK) | offset as u32;
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::super::run::RunBuilder;
    use super::*;

    fn run_of(count: u32) -> Run {
        let mut builder = RunBuilder::default();
        for n in 0..count {
            builder.push(&[&b"key"[..], &(n * 2).to_be_bytes()].concat(), (n % 5 > 0).then_some(b"value"));
        }
        builder.finish()
    }

    #[test]
    fn a_look_finds_what_a_search_finds() {
        for count in [0, 1, 15, 16, 17, 300, 5000] {
            let run = run_of(count);
            for _ in 0..3 {
                for n in 0..count * 2 + 3 {
                    let key = [&b"key"[..], &n.to_be_bytes()].concat();
                    let hash = filter::hash(&key);
                    assert_eq!(run.get_hashed(&key, hash), run.get(&key), "{n} of {count}");
                    assert_eq!(run.get_guessed(run.guess(hash), &key, hash), run.get(&key), "{n} of {count}");
                }
            }
        }
    }

    #[test]
    fn places_are_made_once_they_pay_and_then_tell_most() {
        let (run, places) = (run_of(300), Places::default());
        let look = |key: &[u8]| places.look(&run, key, filter::hash(key));
        assert!((0..=LOOKS_MIN).all(|_| matches!(look(b"key\0\0\0\0"), Look::Unknown)));
        assert!(matches!(look(b"key\0\0\0\0"), Look::Here(_)) && matches!(look(b"none"), Look::Nowhere));
        assert!(run.iter().all(|(key, _)| matches!(look(key), Look::Here(_))));
    }

    #[test]
    fn keys_of_one_slot_are_found_all_the_same() {
        let (run, places) = (run_of(300), Places::default());
        // All the same hash: more than there is room for near their slot.
        let mut slots = vec![EMPTY; 512];
        for (at, slot) in slots.iter_mut().take(DISTANCE_MAX).enumerate() {
            *slot = run.offset(at).unwrap_or_default() as u32;
        }
        assert!(places.slots.set(slots).is_ok());
        let found = run.iter().map(|(key, _)| places.look(&run, key, 0));
        assert_eq!(found.filter(|look| matches!(look, Look::Here(_))).count(), DISTANCE_MAX);
        assert!(run.iter().all(|(key, _)| !matches!(places.look(&run, key, 0), Look::Nowhere)));
    }
}
