//! When two values are equal for a schema: as JSON they are the same. The order of fields says nothing.
//!
//! Not the order of `value/order.rs`, to which fields in another order are another object. Numbers and bigints are equal
//! where they are the same number, there as here.

use crate::error::Result;
use crate::schema::parts;
use crate::value::order::{self, Bracket};
use crate::value::view::ArrayView;
use crate::value::{Value, View};
use core::cmp::Ordering;

/// See the module.
///
/// # Errors
/// `corrupt` for damaged rows.
pub(super) fn equal(left: &View<'_>, right: &View<'_>) -> Result<bool> {
    match (left, right) {
        (View::Object(left), View::Object(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            parts::fields(left, &mut |_, name, value| match right.get(name)? {
                Some(other) => equal(value, &other),
                None => Ok(false),
            })
        }
        (View::Array(left), View::Array(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            parts::elements(left, &mut |index, value| match right.get(index)? {
                Some(other) => equal(value, &other),
                None => Ok(false),
            })
        }
        (left, right) => Ok(order::compare(*left, *right)?.is_eq()),
    }
}

/// A number that equal values share.
pub(super) fn hash(value: &View<'_>) -> Result<u64> {
    const PRIME: u64 = 0x0100_0000_01b3;
    let of_bytes = |bytes: &[u8]| {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
    };
    let payload = match value {
        View::Null => 0,
        View::Bool(value) => u64::from(*value),
        // Minus zero is zero.
        View::Number(number) => of_bytes(&(number.get() + 0.0).to_le_bytes()),
        View::BigInt(number) => of_bytes(&(*number as f64).to_le_bytes()),
        View::String(text) => of_bytes(text.as_bytes()),
        View::Date(ms) => of_bytes(&ms.to_le_bytes()),
        View::Bytes(bytes) => of_bytes(bytes),
        View::Array(array) => {
            let mut whole = 0_u64;
            parts::elements(array, &mut |_, element| {
                whole = (whole ^ hash(element)?).wrapping_mul(PRIME);
                Ok(true)
            })?;
            whole
        }
        View::Object(object) => {
            let mut whole = 0_u64;
            parts::fields(object, &mut |_, name, value| {
                whole = whole.wrapping_add((of_bytes(name.as_bytes()) ^ hash(value)?).wrapping_mul(PRIME));
                Ok(true)
            })?;
            whole
        }
    };
    let payload = payload ^ (payload >> 29);
    Ok((payload ^ Bracket::of(*value) as u64).wrapping_mul(PRIME))
}

/// Two places with equal elements, if there are such. `spend` is called for each comparison.
///
/// # Errors
/// `corrupt` for damaged rows, and what `spend` fails with.
pub(super) fn twins(array: &ArrayView<'_>, spend: &mut dyn FnMut() -> Result<()>) -> Result<Option<(usize, usize)>> {
    if array.len() < 2 {
        return Ok(None);
    }
    let mut hashes = Vec::with_capacity(array.len());
    parts::elements(array, &mut |_, element| {
        spend()?;
        hashes.push(hash(element)?);
        Ok(true)
    })?;
    let places = crate::sorted::order(hashes.len(), &mut |left, right| hashes.get(left).cmp(&hashes.get(right)));
    for (i, left) in places.iter().enumerate() {
        for right in places.iter().skip(i + 1).take_while(|right| hashes.get(**right) == hashes.get(*left)) {
            spend()?;
            if let (Some(one), Some(other)) = (array.get(*left)?, array.get(*right)?)
                && equal(&one, &other)?
            {
                return Ok(Some((*left, *right)));
            }
        }
    }
    Ok(None)
}

/// Whether a value is among scalars that stand in order.
///
/// # Errors
/// `corrupt` for damaged rows.
pub(super) fn among(value: &View<'_>, values: &[Value], mut places: &[usize]) -> Result<bool> {
    while let Some(middle) = places.get(places.len() / 2) {
        let (low, high) = places.split_at(places.len() / 2);
        let Some(candidate) = values.get(*middle) else { return Ok(false) };
        let ordering = match (value, candidate) {
            // The usual, without a detour.
            (View::String(text), Value::String(candidate)) => text.as_bytes().cmp(candidate.as_bytes()),
            _ => order::compare(*value, candidate.into())?,
        };
        places = match ordering {
            Ordering::Equal => return Ok(true),
            Ordering::Less => low,
            Ordering::Greater => high.get(1..).unwrap_or_default(),
        };
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::Object;

    #[test]
    fn equal_values_have_one_hash_and_fields_no_order() {
        let object = |fields: [(&str, Value); 2]| Value::from(Object::from(fields));
        let one = object([("a", 1.into()), ("b", vec![Value::BigInt(2), Value::Null].into())]);
        let other = object([("b", vec![Value::from(2), Value::Null].into()), ("a", Value::BigInt(1))]);
        assert!(equal(&(&one).into(), &(&other).into()).unwrap());
        assert_eq!(hash(&(&one).into()).unwrap(), hash(&(&other).into()).unwrap());
        let zeros = [Value::number(-0.0).unwrap(), Value::BigInt(0)];
        assert_eq!(hash(&(&zeros[0]).into()).unwrap(), hash(&(&zeros[1]).into()).unwrap());
        let swapped = object([("a", vec![Value::from(1)].into()), ("b", 1.into())]);
        assert!(!equal(&(&one).into(), &(&swapped).into()).unwrap());
    }
}
