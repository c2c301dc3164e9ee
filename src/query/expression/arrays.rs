//! Operators on arrays and objects.
//!
//! Not those that evaluate an expression for each element: those are in `node.rs`.

use super::operand::Operand;
use super::operator::Arguments;
use crate::error::{Error, Result};
use crate::query::Sort;
use crate::query::sort::turn;
use crate::sorted;
use crate::value::{Direction, Name, Object, Value, View, key, order};

type Call<'c, 'a> = &'c mut Arguments<'a>;

pub(super) fn element<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let place = of.get(1).integer()?;
    at(of, place)
}

/// The element at a place, counted from the end where it is below zero.
pub(super) fn at<'a>(of: Call<'_, 'a>, place: i64) -> Result<Operand<'a>> {
    let len = of.get(0).array()?.len() as i64;
    let Ok(place) = usize::try_from(if place < 0 { place + len } else { place }) else { return Ok(Operand::Missing) };
    Ok(match of.take(0) {
        Operand::Seen(View::Array(array)) => array.get(place)?.map_or(Operand::Missing, Operand::Seen),
        made => made.into_elements()?.into_iter().nth(place).map_or(Operand::Missing, Operand::Made),
    })
}

pub(super) fn slice<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let len = of.get(0).array()?.len() as i64;
    let first = of.get(1).integer()?;
    let from_end = |place: i64| if place < 0 { place.saturating_add(len).max(0) } else { place.min(len) };
    let (start, count) = match (of.has(2), first) {
        (true, start) => (from_end(start), of.get(2).integer()?),
        (false, count) if count < 0 => (from_end(count), len),
        (false, count) => (0, count),
    };
    if of.has(2) && count <= 0 {
        return Err(Error::invalid("the count of three arguments is not above 0"));
    }
    let elements = elements(of, 0)?;
    let count = usize::try_from(count).unwrap_or(0);
    Ok(elements.into_iter().skip(usize::try_from(start).unwrap_or(0)).take(count).collect::<Vec<_>>().into())
}

/// The elements of an argument, which are paid for.
pub(super) fn elements(of: Call<'_, '_>, place: usize) -> Result<Vec<Value>> {
    of.spend(of.get(place).array()?.len())?;
    of.take(place).into_elements()
}

pub(super) fn contains<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let wanted = of.get(0).or_null();
    for element in of.get(1).array()?.iter() {
        if order::compare(element?, wanted)?.is_eq() {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

pub(super) fn concat<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut all = Vec::new();
    for place in 0..of.all().len() {
        all.append(&mut elements(of, place)?);
    }
    Ok(all.into())
}

pub(super) fn reverse<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut elements = elements(of, 0)?;
    elements.reverse();
    Ok(elements.into())
}

pub(super) fn range<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let (start, end, step) = (of.get(0).integer()?, of.get(1).integer()?, of.integer_or(2, 1)?);
    if step == 0 {
        return Err(Error::invalid("the step is 0"));
    }
    let span = i128::from(end) - i128::from(start);
    let count =
        if (span > 0) == (step > 0) { span.unsigned_abs().div_ceil(u128::from(step.unsigned_abs())) } else { 0 };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    of.spend(count)?;
    let number = |place: usize| super::numeric::Numeric::Float(start as f64 + place as f64 * step as f64).value();
    Ok((0..count).map(number).collect::<Vec<_>>().into())
}

/// The part of a list that the arguments from the third on choose: where it begins, and how long it is. None where it
/// begins behind its end.
pub(super) fn window(of: &Arguments<'_>, len: usize) -> Result<Option<(usize, usize)>> {
    let bound = |place: usize, default: usize| -> Result<usize> {
        let bound = of.integer_or(place, i64::try_from(default).unwrap_or(i64::MAX))?;
        usize::try_from(bound).map_err(|_| Error::invalid(format!("bound {bound} is below 0")))
    };
    let (start, end) = (bound(2, 0)?, bound(3, len)?);
    Ok(if start > end { None } else { Some((start, end.min(len).saturating_sub(start))) })
}

pub(super) fn index_of<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    if !of.has(0) {
        return Ok(Operand::NULL);
    }
    let array = of.get(0).array()?;
    let Some((start, count)) = window(of, array.len())? else { return Ok((-1).into()) };
    for (place, element) in array.iter().enumerate().skip(start).take(count) {
        if order::compare(element?, of.get(1).or_null())?.is_eq() {
            return Ok((place as i64).into());
        }
    }
    Ok((-1).into())
}

/// By the elements themselves (`1` or `-1`), or by fields of them.
pub(super) fn sort<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let by = match of.get(1).or_null() {
        View::Object(fields) => {
            let mut pairs = Vec::new();
            for field in fields.iter() {
                let (name, direction) = field?;
                pairs.push(Value::Array(vec![name.into(), direction.to_value()?]));
            }
            Err(Sort::parse(&pairs)?)
        }
        _ => match of.get(1).integer()? {
            1 => Ok(Direction::Ascending),
            -1 => Ok(Direction::Descending),
            other => return Err(Error::invalid(format!("sortBy is {other}, not 1 or -1"))),
        },
    };
    let mut elements = elements(of, 0)?;
    let mut keys = Vec::with_capacity(elements.len());
    for element in &elements {
        let mut sort_key = Vec::new();
        match &by {
            Ok(direction) => {
                key::push(&mut sort_key, element.into())?;
                turn(&mut sort_key, 0, *direction);
            }
            Err(sort) => sort.push_key(element.as_object().unwrap_or(&Object::new()).into(), &mut sort_key)?,
        }
        keys.push(sort_key);
    }
    let order =
        sorted::order(keys.len(), &mut |left, right| keys.get(left).cmp(&keys.get(right)).then(left.cmp(&right)));
    let take = |place: usize| elements.get_mut(place).map(|element| core::mem::replace(element, Value::Null));
    Ok(order.into_iter().filter_map(take).collect::<Vec<_>>().into())
}

pub(super) fn from_object<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let View::Object(object) = of.get(0).or_null() else { return Err(of.get(0).unlike("an object")) };
    of.spend(object.len())?;
    let mut pairs = Vec::with_capacity(object.len());
    for field in object.iter() {
        let (name, value) = field?;
        pairs.push(Object::from([("k", name.into()), ("v", value.to_value()?)]).into());
    }
    Ok(pairs.into())
}

/// From pairs `[k, v]`, or objects `{ k, v }`; of two with one name the later stays.
pub(super) fn to_object<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let mut fields: Vec<(Name, Value)> = Vec::new();
    for element in elements(of, 0)? {
        let (name, value) = match element {
            Value::Array(pair) => {
                let mut pair = pair.into_iter();
                (pair.next(), pair.next().filter(|_| pair.next().is_none()))
            }
            Value::Object(mut pair) if pair.len() == 2 => (pair.remove("k"), pair.remove("v")),
            _ => (None, None),
        };
        let (Some(Value::String(name)), Some(value)) = (name, value) else {
            return Err(Error::invalid(
                "an element is neither a pair `[k, v]` nor an object `{ k, v }`, `k` being a string",
            ));
        };
        fields.push((name.into(), value));
    }
    merged(fields).map(|object| Operand::Made(object.into()))
}

/// An object of fields, the later of which replace earlier ones in their places.
fn merged(fields: Vec<(Name, Value)>) -> Result<Object> {
    let mut known: std::collections::HashMap<Name, usize> = std::collections::HashMap::new();
    let mut kept: Vec<(Name, Value)> = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match known.get(&name).and_then(|place| kept.get_mut(*place)) {
            Some(place) => place.1 = value,
            None => {
                known.insert(name.clone(), kept.len());
                kept.push((name, value));
            }
        }
    }
    Object::from_fields(kept)
}

/// Of several objects, or of one array of them; null and missing ones are passed over.
pub(super) fn merge<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let arguments = of.take_all();
    let mut objects = Vec::with_capacity(arguments.len());
    let is_list = arguments.len() == 1;
    for argument in arguments {
        match argument.into_value()? {
            Some(Value::Array(elements)) if is_list => objects.extend(elements),
            value => objects.extend(value),
        }
    }
    let mut fields = Vec::new();
    for object in objects {
        match object {
            Value::Null => {}
            Value::Object(object) => fields.extend(object.into_fields()),
            other => return Err(Operand::Made(other).unlike("an object")),
        }
    }
    of.spend(fields.len())?;
    merged(fields).map(|object| Operand::Made(object.into()))
}
