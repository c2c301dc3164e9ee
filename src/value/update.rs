//! Updates: `$set`, `$unset`, `$inc` on paths.
//!
//! Not a write: an update takes a document and gives the changed one; who keeps it is not said here.
//!
//! Invariants: an update that fails leaves nothing behind; no two of its paths are the same or lead through each
//! other; the fields of the primary key do not change.

use crate::error::{Error, ErrorKind, Result};
use crate::limits::OBJECT_FIELDS_MAX;
use crate::value::path::Part;
use crate::value::row::RowObject;
use crate::value::{Number, Object, Path, Value, order, writer};

/// A checked update.
///
/// ```
/// use hyphadb::value::{Object, Value, update::Update};
/// let update = Update::parse(&Object::from([("$inc", Object::from([("n", Value::from(2))]).into())]))?;
/// let (document, changed) = update.apply(&Object::from([("n", Value::from(40))]), &[])?;
/// assert!(changed && document.get("n") == Some(&Value::from(42)));
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Update {
    changes: Vec<(Path, Change)>,
}

#[derive(Clone, Debug)]
enum Change {
    Set(Value),
    Unset,
    Inc(Value),
}

/// Operators of MongoDB that may come; they are told from mistakes.
const NOT_YET: [&str; 12] = [
    "$mul",
    "$min",
    "$max",
    "$rename",
    "$push",
    "$pull",
    "$pop",
    "$addToSet",
    "$setOnInsert",
    "$currentDate",
    "$bit",
    "$pullAll",
];

impl Update {
    /// Checks an update document: operators, each with an object of paths.
    ///
    /// # Errors
    /// `invalid` where it is anything else, or two paths are in conflict; `unsupported` for known operators that are
    /// not there.
    pub fn parse(update: &Object) -> Result<Update> {
        let mut changes: Vec<(Path, Change)> = Vec::new();
        if update.is_empty() {
            return Err(Error::invalid("update has no operator").with_hint(OPERATORS_HINT));
        }
        for (operator, operands) in update.iter() {
            if NOT_YET.contains(&&**operator) {
                let error =
                    Error::new(ErrorKind::Unsupported, format!("update operator `{operator}` is not supported"));
                return Err(error.with_hint(OPERATORS_HINT).with_detail("operator", operator));
            }
            if !matches!(&**operator, "$set" | "$unset" | "$inc") {
                let message = format!("`{operator}` is not an update operator");
                return Err(Error::invalid(message).with_hint(OPERATORS_HINT));
            }
            let Value::Object(operands) = operands else {
                return Err(Error::invalid(format!("`{operator}` takes an object, not {}", operands.type_name())));
            };
            for (path, operand) in operands.iter() {
                let path = Path::parse(path).map_err(|error| error.context(format!("`{operator}`")))?;
                let change = match &**operator {
                    "$set" => Change::Set(operand.clone()),
                    "$unset" => Change::Unset,
                    _ => Change::Inc(increment(&path, operand)?),
                };
                if let Some((other, _)) = changes.iter().find(|(other, _)| other.overlaps(&path)) {
                    return Err(Error::invalid(format!("updates of `{other}` and `{path}` are in conflict")));
                }
                changes.push((path, change));
            }
        }
        Ok(Update { changes })
    }

    /// The changed document, and whether it differs from the given one.
    ///
    /// # Errors
    /// `invalid` where a path leads through a value that has no fields, `$inc` meets something that is no number, a
    /// sum is no value, or a field of the primary key would change.
    pub fn apply(&self, document: &Object, key_fields: &[Path]) -> Result<(Object, bool)> {
        let mut changed = document.clone();
        for (path, change) in &self.changes {
            match change {
                Change::Set(value) => set(&mut changed, path, value.clone())?,
                Change::Unset => unset(&mut changed, path),
                Change::Inc(amount) => {
                    let sum = match value_at(&changed, path) {
                        Some(value) => add(path, value, amount)?,
                        None => amount.clone(),
                    };
                    set(&mut changed, path, sum)?;
                }
            }
        }
        for field in key_fields {
            let (before, after) = (field.get_in(document), field.get_in(&changed));
            let same = match (before, after) {
                (Some(before), Some(after)) => order::compare_values(before, after).is_eq(),
                (before, after) => before.is_none() && after.is_none(),
            };
            if !same {
                let error = Error::invalid(format!("key field `{field}` cannot be changed"));
                return Err(error.with_hint("delete the document and insert it under the new key"));
            }
        }
        let differs = changed != *document;
        Ok((changed, differs))
    }
}

/// What came of [`Update::patch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patched {
    /// The changed row was appended.
    Changed,
    /// The row stays as it is.
    Same,
    /// The update cannot be made without a tree: see [`Update::apply`].
    Not,
}

impl Update {
    /// Appends the changed row, without building the document, where only fields at the top that the row has are set
    /// to plain values, or raised. What is appended is a row only where the answer is `Changed`.
    ///
    /// # Errors
    /// As [`Update::apply`], and `limit` where the row grows too large.
    pub fn patch(&self, old: &RowObject<'_>, key_fields: &[Path], row: &mut Vec<u8>) -> Result<Patched> {
        let Some((id, shape)) = old.shape() else { return Ok(Patched::Not) };
        let mut places: Vec<(usize, Value)> = Vec::with_capacity(self.changes.len());
        for (path, change) in &self.changes {
            let ([part], false) = (path.parts(), key_fields.iter().any(|field| field.overlaps(path))) else {
                return Ok(Patched::Not);
            };
            let Some(place) = shape.place(&part.name) else { return Ok(Patched::Not) };
            let value = match change {
                Change::Set(value) => value.clone(),
                Change::Unset => return Ok(Patched::Not),
                Change::Inc(amount) => {
                    let value = old.get(&part.name)?.map(|value| value.to_value()).transpose()?;
                    add(path, &value.unwrap_or(Value::Null), amount)?
                }
            };
            if matches!(value, Value::Array(_) | Value::Object(_)) {
                return Ok(Patched::Not);
            }
            places.push((place, value));
        }
        writer::patch(old, (id, shape.names().len()), &places, row)
            .map(|differs| if differs { Patched::Changed } else { Patched::Same })
    }
}

const OPERATORS_HINT: &str = "an update is an object of operators: $set, $unset, $inc";

fn increment(path: &Path, operand: &Value) -> Result<Value> {
    match operand {
        Value::Number(_) | Value::BigInt(_) => Ok(operand.clone()),
        other => Err(Error::invalid(format!("`$inc` of `{path}` takes a number or bigint, not {}", other.type_name()))),
    }
}

fn add(path: &Path, value: &Value, amount: &Value) -> Result<Value> {
    let wrong = |what: &str| Error::invalid(format!("`$inc` of `{path}`: {what}"));
    let whole = |number: &Number| number.as_integer().ok_or_else(|| wrong("a bigint and a fraction have no sum"));
    let (left, right) = match (value, amount) {
        (Value::Number(left), Value::Number(right)) => {
            let sum = Number::new(left.get() + right.get()).ok_or_else(|| wrong("the sum is NaN"))?;
            return Ok(Value::Number(sum));
        }
        (Value::BigInt(left), Value::BigInt(right)) => (*left, *right),
        (Value::BigInt(left), Value::Number(right)) => (*left, whole(right)?),
        (Value::Number(left), Value::BigInt(right)) => (whole(left)?, *right),
        (value, _) => {
            return Err(wrong(&format!("the value is {}, not a number", value.type_name())));
        }
    };
    left.checked_add(right).map(Value::BigInt).ok_or_else(|| wrong("the sum is beyond 64 bits"))
}

fn value_at<'a>(document: &'a Object, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.parts().split_first()?;
    let mut value = document.get(&first.name)?;
    for part in rest {
        value = match value {
            Value::Object(object) => object.get(&part.name)?,
            Value::Array(elements) => elements.get(part.index?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// A value as `$set` would set it: objects that are missing on the way are made.
///
/// # Errors
/// `invalid` where the path leads through a value that has no fields.
pub fn assign(document: &mut Object, path: &Path, value: Value) -> Result<()> {
    set(document, path, value)
}

/// The same for a field that is missing; where it stands at the top, it becomes the first.
///
/// # Errors
/// As [`assign`].
pub fn in_front(mut document: Object, path: &Path, value: Value) -> Result<Object> {
    let [part] = path.parts() else {
        assign(&mut document, path, value)?;
        return Ok(document);
    };
    let mut fields = vec![(part.name.clone(), value)];
    fields.extend(document.into_fields());
    Object::from_fields(fields)
}

fn set(document: &mut Object, path: &Path, value: Value) -> Result<()> {
    let Some((first, rest)) = path.parts().split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        document.set(first.name.clone(), value);
        return Ok(());
    }
    if document.get(&first.name).is_none() {
        document.set(first.name.clone(), Object::new().into());
    }
    match document.get_mut(&first.name) {
        Some(place) => set_within(place, rest, value, path),
        None => Ok(()),
    }
}

fn set_within(place: &mut Value, parts: &[Part], value: Value, path: &Path) -> Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        *place = value;
        return Ok(());
    };
    let next = match place {
        Value::Object(object) => {
            if object.get(&part.name).is_none() {
                object.set(part.name.clone(), Object::new().into());
            }
            object.get_mut(&part.name)
        }
        Value::Array(elements) => {
            let index = part.index.filter(|index| *index < elements.len().max(OBJECT_FIELDS_MAX));
            let index = index.ok_or_else(|| {
                Error::invalid(format!("cannot set `{path}`: `{}` is not an element of the array", part.name))
            })?;
            if index >= elements.len() {
                elements.resize(index, Value::Null);
                elements.push(Object::new().into());
            }
            elements.get_mut(index)
        }
        other => {
            let message = format!("cannot set `{path}`: {} has no field `{}`", other.type_name(), part.name);
            return Err(Error::invalid(message));
        }
    };
    match next {
        Some(place) => set_within(place, rest, value, path),
        None => Ok(()),
    }
}

/// Takes a field out; an element of an array becomes null, so that the others keep their numbers.
fn unset(document: &mut Object, path: &Path) {
    let Some((last, before)) = path.parts().split_last() else {
        return;
    };
    let Some((first, before)) = before.split_first() else {
        document.remove(&last.name);
        return;
    };
    let mut place = document.get_mut(&first.name);
    for part in before {
        place = match place {
            Some(Value::Object(object)) => object.get_mut(&part.name),
            Some(Value::Array(elements)) => part.index.and_then(|index| elements.get_mut(index)),
            _ => None,
        };
    }
    match place {
        Some(Value::Object(object)) => drop(object.remove(&last.name)),
        Some(Value::Array(elements)) => {
            if let Some(element) = last.index.and_then(|index| elements.get_mut(index)) {
                *element = Value::Null;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
        Object::from(fields).into()
    }

    #[track_caller]
    fn check(document: Value, operator: &str, operands: Value, expected: &str) {
        let result = Update::parse(&Object::from([(operator, operands)])).and_then(|update| {
            let key = [Path::parse("id").unwrap()];
            let (after, changed) = update.apply(document.as_object().unwrap(), &key)?;
            assert_eq!(changed, after != *document.as_object().unwrap());
            Ok(after)
        });
        assert_eq!(result.map_or_else(|error| error.to_string(), |after| after.to_string()), expected);
    }

    #[test]
    fn set_goes_through_objects_and_elements() {
        let rows = || object([("a", vec![object([("b", 1.into())])].into())]);
        check(rows(), "$set", object([("a.0.b", 2.into())]), "{a: [{b: 2}]}");
        check(rows(), "$set", object([("a.2", 2.into())]), "{a: [{b: 1}, null, 2]}");
        check(rows(), "$set", object([("c.d.e", 2.into())]), "{a: [{b: 1}], c: {d: {e: 2}}}");
        check(rows(), "$set", object([("a.b", 2.into())]), "cannot set `a.b`: `b` is not an element of the array");
        check(
            rows(),
            "$set",
            object([("a.99999999", 2.into())]),
            "cannot set `a.99999999`: `99999999` is not an element of the array",
        );
        check(rows(), "$set", object([("a.0.b.c", 2.into())]), "cannot set `a.0.b.c`: number has no field `c`");
    }

    #[test]
    fn unset_keeps_the_numbers_of_elements() {
        let rows = || object([("a", vec![1.into(), object([("b", 1.into())])].into()), ("c", Value::Null)]);
        check(rows(), "$unset", object([("c", "".into()), ("a.0", "".into())]), "{a: [null, {b: 1}]}");
        check(rows(), "$unset", object([("a.1.b", "".into()), ("x.y", "".into())]), "{a: [1, {}], c: null}");
    }

    #[test]
    fn inc_adds_numbers_of_both_types() {
        let inc = |value: Value, amount: Value, expected: &str| {
            check(object([("n", value)]), "$inc", object([("n", amount)]), expected);
        };
        inc(1.into(), Value::number(0.5).unwrap(), "{n: 1.5}");
        inc(1.into(), Value::BigInt(2), "{n: 3n}");
        inc(Value::BigInt(2), 1.into(), "{n: 3n}");
        inc(Value::BigInt(2), Value::number(0.5).unwrap(), "`$inc` of `n`: a bigint and a fraction have no sum");
        inc(Value::BigInt(i64::MAX), Value::BigInt(1), "`$inc` of `n`: the sum is beyond 64 bits");
        inc("x".into(), 1.into(), "`$inc` of `n`: the value is string, not a number");
        inc(1.into(), "x".into(), "`$inc` of `n` takes a number or bigint, not string");
        let infinite = |sign: f64| Value::number(sign * f64::INFINITY).unwrap();
        inc(infinite(1.0), infinite(-1.0), "`$inc` of `n`: the sum is NaN");
        check(object([]), "$inc", object([("m.n", 1.into())]), "{m: {n: 1}}");
    }

    #[test]
    fn mistakes_are_named() {
        let document = || object([("id", 1.into())]);
        check(document(), "$set", object([("id", 2.into())]), "key field `id` cannot be changed");
        check(document(), "$unset", object([("id", 1.into())]), "key field `id` cannot be changed");
        check(document(), "$set", object([("id", Value::BigInt(1))]), "{id: 1n}");
        check(
            document(),
            "$set",
            object([("a", 1.into()), ("a.b", 2.into())]),
            "updates of `a` and `a.b` are in conflict",
        );
        check(document(), "$set", 1.into(), "`$set` takes an object, not number");
        check(document(), "$push", object([]), "update operator `$push` is not supported");
        check(document(), "$foo", object([]), "`$foo` is not an update operator");
        check(document(), "name", 1.into(), "`name` is not an update operator");
        check(document(), "$set", object([("a.$.b", 1.into())]), "`$set`: path `a.$.b`: `$` is not a field name");
    }
}
