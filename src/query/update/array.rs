//! What is added to arrays: `$push` and `$addToSet`.
//!
//! Not what is taken out: see `update/pull.rs`.
//!
//! Invariant: elements that are sorted and equal keep their order.

use crate::error::{Error, Result};
use crate::query::Sort;
use crate::sorted;
use crate::value::{Direction, Object, Value, order};

/// Elements, where they are put, and what is done with all of them then.
#[derive(Clone, Debug)]
pub(super) struct Push {
    elements: Vec<Value>,
    /// From the start or, negative, from the end.
    position: Option<i64>,
    order: Option<Order>,
    /// How many stay: the first or, negative, the last.
    slice: Option<i64>,
}

#[derive(Clone, Debug)]
enum Order {
    /// The elements themselves.
    Values(Direction),
    /// By fields of them.
    Fields(Sort),
}

/// Elements that are put where they are not yet.
#[derive(Clone, Debug)]
pub(super) struct AddToSet(Vec<Value>);

impl Push {
    /// One element, or `{ $each, $position, $sort, $slice }`.
    ///
    /// # Errors
    /// `invalid` naming what is wrong.
    pub(super) fn parse(operand: &Value) -> Result<Push> {
        let mut push = Push { elements: Vec::new(), position: None, order: None, slice: None };
        let Some(parts) = parts(operand) else {
            push.elements.push(operand.clone());
            return Ok(push);
        };
        push.elements = each(parts)?;
        for (name, value) in parts.iter() {
            match &**name {
                "$each" => {}
                "$position" => push.position = Some(whole(name, value)?),
                "$slice" => push.slice = Some(whole(name, value)?),
                "$sort" => push.order = Some(Order::parse(value)?),
                name => return Err(no_part(name, "$each, $position, $sort and $slice")),
            }
        }
        Ok(push)
    }

    pub(super) fn apply(&self, elements: &mut Vec<Value>) -> Result<()> {
        let count = elements.len();
        let distance = |position: i64| usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX).min(count);
        let place = match self.position {
            None => count,
            Some(position) if position < 0 => count - distance(position),
            Some(position) => distance(position),
        };
        elements.splice(place..place, self.elements.iter().cloned());
        if let Some(order) = &self.order {
            order.apply(elements)?;
        }
        if let Some(slice) = self.slice {
            let kept = usize::try_from(slice.unsigned_abs()).unwrap_or(usize::MAX);
            match elements.len().checked_sub(kept) {
                Some(surplus) if slice < 0 => drop(elements.drain(..surplus)),
                _ => elements.truncate(kept),
            }
        }
        Ok(())
    }
}

impl Order {
    fn parse(operand: &Value) -> Result<Order> {
        let pairs: Vec<Value> = match operand {
            Value::Object(fields) => {
                fields.iter().map(|(name, way)| Value::Array(vec![Value::from(&**name), way.clone()])).collect()
            }
            Value::Number(number) if number.get() == 1.0 => return Ok(Order::Values(Direction::Ascending)),
            Value::Number(number) if number.get() == -1.0 => return Ok(Order::Values(Direction::Descending)),
            other => return Err(Error::invalid(format!("`$sort` takes 1, -1 or an object of them, not {other}"))),
        };
        Sort::parse(&pairs).map(Order::Fields)
    }

    fn apply(&self, elements: &mut Vec<Value>) -> Result<()> {
        let mut keys = Vec::new();
        if let Order::Fields(sort) = self {
            for element in elements.iter() {
                let mut key = Vec::new();
                sort.push_key(element.as_object().unwrap_or(&Object::new()).into(), &mut key)?;
                keys.push(key);
            }
        }
        let places = sorted::order(elements.len(), &mut |left, right| match self {
            Order::Fields(_) => keys.get(left).cmp(&keys.get(right)),
            Order::Values(direction) => {
                let [left, right] = [left, right].map(|place| elements.get(place).unwrap_or(&Value::Null));
                let ordering = order::compare_values(left, right);
                if *direction == Direction::Descending { ordering.reverse() } else { ordering }
            }
        });
        *elements = places
            .into_iter()
            .filter_map(|place| elements.get_mut(place).map(|element| core::mem::replace(element, Value::Null)))
            .collect();
        Ok(())
    }
}

impl AddToSet {
    /// One element, or `{ $each }`.
    ///
    /// # Errors
    /// `invalid` naming what is wrong.
    pub(super) fn parse(operand: &Value) -> Result<AddToSet> {
        let Some(parts) = parts(operand) else { return Ok(AddToSet(vec![operand.clone()])) };
        match parts.iter().find(|(name, _)| &***name != "$each") {
            Some((name, _)) => Err(no_part(name, "$each")),
            None => each(parts).map(AddToSet),
        }
    }

    pub(super) fn apply(&self, elements: &mut Vec<Value>) {
        for new in &self.0 {
            if !elements.iter().any(|element| order::compare_values(element, new).is_eq()) {
                elements.push(new.clone());
            }
        }
    }
}

/// The parts of an operand that has some; else it is an element.
fn parts(operand: &Value) -> Option<&Object> {
    operand.as_object().filter(|object| object.iter().any(|(name, _)| name.starts_with('$')))
}

fn each(parts: &Object) -> Result<Vec<Value>> {
    let each = parts.get("$each").and_then(Value::as_array);
    each.map(<[Value]>::to_vec).ok_or_else(|| Error::invalid("`$each` takes an array, and has to be there"))
}

fn whole(name: &str, value: &Value) -> Result<i64> {
    let number = match value {
        Value::Number(number) => number.as_integer(),
        Value::BigInt(number) => Some(*number),
        _ => None,
    };
    number.ok_or_else(|| Error::invalid(format!("`{name}` takes a whole number, not {value}")))
}

fn no_part(name: &str, parts: &str) -> Error {
    Error::invalid(format!("`{name}` is not known here, there are {parts}"))
}
