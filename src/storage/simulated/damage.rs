//! Damage to what is stored: the hazards of the media, done on purpose.
//!
//! Not aware of formats: it takes any value as bytes.
//!
//! Invariants: damage that is reported has changed the contents; where the wanted damage cannot be done, nothing
//! changes.

use crate::env::simulated::Random;
use crate::storage::memory::{Contents, Value};
use crate::storage::{CommitSeq, Register, Store};
use core::fmt;
use std::rc::Rc;

/// Which kind of value is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The head register.
    Head,
    /// The manifest register.
    Manifest,
    /// A record of the log.
    LogRecord,
    /// A value of [`Store::Main`].
    Block,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 4] = [Target::Head, Target::Manifest, Target::LogRecord, Target::Block];
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Damage {
    /// One to eight bits change.
    Flip,
    /// Only a first part of it is left, perhaps nothing.
    Cut,
    /// It changes places with another of its kind; the head with the manifest.
    Swap,
    /// It has an earlier value of the same name, or comes back although it was deleted.
    Stale,
    /// It is gone.
    Drop,
    /// It also stands under the name of another of its kind, or under a new one.
    Duplicate,
    /// All of its kind are gone.
    Clear,
}

impl Damage {
    /// All of them.
    pub const ALL: [Damage; 7] =
        [Damage::Flip, Damage::Cut, Damage::Swap, Damage::Stale, Damage::Drop, Damage::Duplicate, Damage::Clear];
}

/// The place of one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A register.
    Register(Register),
    /// A record of the log.
    Record(CommitSeq),
    /// A value of [`Store::Main`].
    Block(Vec<u8>),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slot::Register(Register::Head) => f.write_str("head"),
            Slot::Register(Register::Manifest) => f.write_str("manifest"),
            Slot::Record(seq) => write!(f, "record {seq}"),
            Slot::Block(name) => write!(f, "block {}", name.escape_ascii()),
        }
    }
}

/// What was done, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Which values differ now.
    pub slots: Vec<Slot>,
    /// How.
    pub damage: Damage,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of", self.damage)?;
        self.slots.iter().try_for_each(|slot| write!(f, " {slot}"))
    }
}

/// Damages one value of this kind; `earlier` are past states, where stale values come from. None when there is nothing
/// to damage in this way.
pub fn damage(
    contents: &mut Contents,
    target: Target,
    damage: Damage,
    earlier: &[Contents],
    random: &mut Random,
) -> Option<Damaged> {
    let before = contents.clone();
    let slots = match damage {
        Damage::Stale => stale(contents, target, earlier, random)?,
        Damage::Clear => clear(contents, target),
        Damage::Swap => swap(contents, target, random)?,
        Damage::Duplicate => duplicate(contents, target, random)?,
        Damage::Flip | Damage::Cut | Damage::Drop => {
            let slot = random.pick(&slots(contents, target))?.clone();
            let mut bytes = value(contents, &slot)?.as_ref().clone();
            let damaged = match damage {
                Damage::Drop => None,
                Damage::Cut => {
                    bytes.truncate(random.index(bytes.len()));
                    Some(Rc::new(bytes))
                }
                _ => {
                    flip(&mut bytes, random)?;
                    Some(Rc::new(bytes))
                }
            };
            set(contents, &slot, damaged);
            vec![slot]
        }
    };
    (*contents != before).then_some(Damaged { slots, damage })
}

/// Flips one bit; in a quarter of the cases up to seven more in the same value.
fn flip(bytes: &mut [u8], random: &mut Random) -> Option<()> {
    let flips = if random.percent(25) { random.between(2, 8) } else { 1 };
    for _ in 0..flips {
        let at = random.index(bytes.len());
        *bytes.get_mut(at)? ^= 1 << random.below(8);
    }
    Some(())
}

fn swap(contents: &mut Contents, target: Target, random: &mut Random) -> Option<Vec<Slot>> {
    let (one, other) = two(contents, target, random)?;
    let (first, second) = (value(contents, &one)?, value(contents, &other)?);
    set(contents, &one, Some(second));
    set(contents, &other, Some(first));
    Some(vec![one, other])
}

fn duplicate(contents: &mut Contents, target: Target, random: &mut Random) -> Option<Vec<Slot>> {
    let source = random.pick(&slots(contents, target))?.clone();
    let copy = match two(contents, target, random) {
        Some((one, other)) if random.percent(50) => {
            if one == source {
                other
            } else {
                one
            }
        }
        _ => match &source {
            Slot::Register(Register::Head) => Slot::Register(Register::Manifest),
            Slot::Register(Register::Manifest) => Slot::Register(Register::Head),
            Slot::Record(seq) => Slot::Record(CommitSeq::new(seq.get() + random.between(1, 3))),
            Slot::Block(name) => {
                let mut name = name.clone();
                let at = random.index(name.len());
                *name.get_mut(at)? ^= 1 << random.below(8);
                Slot::Block(name)
            }
        },
    };
    let bytes = value(contents, &source);
    set(contents, &copy, bytes);
    Some(vec![copy])
}

fn stale(contents: &mut Contents, target: Target, earlier: &[Contents], random: &mut Random) -> Option<Vec<Slot>> {
    let mut choices = Vec::new();
    for past in earlier {
        for slot in slots(past, target) {
            let old = value(past, &slot);
            if old != value(contents, &slot) {
                choices.push((slot, old));
            }
        }
    }
    let (slot, old) = random.pick(&choices)?.clone();
    set(contents, &slot, old);
    Some(vec![slot])
}

fn clear(contents: &mut Contents, target: Target) -> Vec<Slot> {
    let slots = slots(contents, target);
    for slot in &slots {
        set(contents, slot, None);
    }
    slots
}

/// Two different values of a kind. Of registers there is one of a kind, so there it is both.
fn two(contents: &Contents, target: Target, random: &mut Random) -> Option<(Slot, Slot)> {
    if matches!(target, Target::Head | Target::Manifest) {
        return Some((Slot::Register(Register::Head), Slot::Register(Register::Manifest)));
    }
    let mut slots = slots(contents, target);
    if slots.len() < 2 {
        return None;
    }
    let one = slots.swap_remove(random.index(slots.len()));
    let other = slots.swap_remove(random.index(slots.len()));
    Some((one, other))
}

/// Every place of this kind that has a value.
fn slots(contents: &Contents, target: Target) -> Vec<Slot> {
    let register = |register| contents.register(register).map(|_| Slot::Register(register)).into_iter().collect();
    match target {
        Target::Head => register(Register::Head),
        Target::Manifest => register(Register::Manifest),
        Target::LogRecord => contents.log().map(|(seq, _)| Slot::Record(seq)).collect(),
        Target::Block => contents.values(Store::Main).map(|(name, _)| Slot::Block(name.to_vec())).collect(),
    }
}

fn value(contents: &Contents, slot: &Slot) -> Option<Value> {
    match slot {
        Slot::Register(register) => contents.register(*register).cloned(),
        Slot::Record(seq) => contents.log().find(|(at, _)| at == seq).map(|(_, value)| Rc::clone(value)),
        Slot::Block(name) => contents.value(Store::Main, name).cloned(),
    }
}

fn set(contents: &mut Contents, slot: &Slot, value: Option<Value>) {
    match slot {
        Slot::Register(register) => contents.set_register(*register, value),
        Slot::Record(seq) => contents.set_record(*seq, value),
        Slot::Block(name) => contents.set_value(Store::Main, name, value),
    }
}
