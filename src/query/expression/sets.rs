//! Operators on arrays as sets: order and repetition do not count.
//!
//! Invariants: elements are the same where the order of values has them equal; of those that are the same, the first
//! stays, and those that stay keep their order.

use super::arrays::elements;
use super::operand::Operand;
use super::operator::Arguments;
use crate::error::Result;
use crate::value::{Value, key};
use std::collections::HashSet;

type Call<'c, 'a> = &'c mut Arguments<'a>;
type Keys = HashSet<Vec<u8>>;

/// The elements of an argument, each once, and their keys.
fn set(of: Call<'_, '_>, place: usize) -> Result<(Vec<Value>, Keys)> {
    let mut keys = Keys::new();
    let elements = kept(elements(of, place)?, &mut |key| Ok(keys.insert(key)))?;
    Ok((elements, keys))
}

fn kept(elements: Vec<Value>, is_kept: &mut dyn FnMut(Vec<u8>) -> Result<bool>) -> Result<Vec<Value>> {
    let mut kept = Vec::with_capacity(elements.len());
    for element in elements {
        if is_kept(key::encode((&element).into())?)? {
            kept.push(element);
        }
    }
    Ok(kept)
}

pub(super) fn union<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut keys = Keys::new();
    let mut all = Vec::new();
    for place in 0..of.all().len() {
        all.append(&mut kept(elements(of, place)?, &mut |key| Ok(keys.insert(key)))?);
    }
    Ok(all.into())
}

pub(super) fn intersection<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    if of.all().is_empty() {
        return Ok(Vec::new().into());
    }
    let (mut common, _) = set(of, 0)?;
    for place in 1..of.all().len() {
        let (_, keys) = set(of, place)?;
        common = kept(common, &mut |key| Ok(keys.contains(&key)))?;
    }
    Ok(common.into())
}

pub(super) fn difference<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (left, _) = set(of, 0)?;
    let (_, right) = set(of, 1)?;
    Ok(kept(left, &mut |key| Ok(!right.contains(&key)))?.into())
}

pub(super) fn equals<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (_, first) = set(of, 0)?;
    for place in 1..of.all().len() {
        if set(of, place)?.1 != first {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

pub(super) fn is_subset<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (_, left) = set(of, 0)?;
    let (_, right) = set(of, 1)?;
    Ok(left.is_subset(&right).into())
}

/// Whether an element is true, or is not.
pub(super) fn has<'a>(of: Call<'_, 'a>, wanted: bool) -> Result<Operand<'a>> {
    for element in of.get(0).array()?.iter() {
        if Operand::Seen(element?).is_true() == wanted {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}
