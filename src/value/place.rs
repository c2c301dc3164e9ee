//! Places in a tree: reading, setting and taking out what lies at a path.
//!
//! Not for rows, and not for paths that stand for several places: a part of a path names a field of an object, or the
//! number of an element.
//!
//! Invariant: what fails changes nothing but objects on the way that were missing.

use crate::error::{Error, Result};
use crate::limits::OBJECT_FIELDS_MAX;
use crate::value::path::Part;
use crate::value::{Object, Path, Value};

/// The value at a path; none where there is none.
#[must_use]
pub fn get<'a>(document: &'a Object, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.parts().split_first()?;
    rest.iter().try_fold(document.get(&first.name)?, part)
}

/// The field, or element, that a part of a path names.
pub(crate) fn part<'a>(value: &'a Value, part: &Part) -> Option<&'a Value> {
    match value {
        Value::Object(object) => object.get(&part.name),
        Value::Array(elements) => elements.get(part.index?),
        _ => None,
    }
}

/// The value at a path, to be changed; none where there is none.
#[must_use]
pub fn get_mut<'a>(document: &'a mut Object, path: &Path) -> Option<&'a mut Value> {
    let (first, rest) = path.parts().split_first()?;
    rest.iter().try_fold(document.get_mut(&first.name)?, part_mut)
}

fn part_mut<'a>(value: &'a mut Value, part: &Part) -> Option<&'a mut Value> {
    match value {
        Value::Object(object) => object.get_mut(&part.name),
        Value::Array(elements) => elements.get_mut(part.index?),
        _ => None,
    }
}

/// Sets a value: objects that are missing on the way are made, an array is filled up with nulls.
///
/// # Errors
/// `invalid` where the path leads through a value that has no such field.
pub fn set(document: &mut Object, path: &Path, value: Value) -> Result<()> {
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

/// The same for a field that is missing; where it stands at the top, it becomes the first.
///
/// # Errors
/// As [`set`].
pub fn set_in_front(mut document: Object, path: &Path, value: Value) -> Result<Object> {
    let [part] = path.parts() else {
        set(&mut document, path, value)?;
        return Ok(document);
    };
    let mut fields = vec![(part.name.clone(), value)];
    fields.extend(document.into_fields());
    Object::from_fields(fields)
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
pub fn unset(document: &mut Object, path: &Path) {
    let Some((last, before)) = path.parts().split_last() else {
        return;
    };
    let Some((first, before)) = before.split_first() else {
        document.remove(&last.name);
        return;
    };
    let holder = document.get_mut(&first.name).and_then(|place| before.iter().try_fold(place, part_mut));
    match holder {
        Some(Value::Object(object)) => drop(object.remove(&last.name)),
        Some(Value::Array(elements)) => {
            if let Some(element) = last.index.and_then(|index| elements.get_mut(index)) {
                *element = Value::Null;
            }
        }
        _ => {}
    }
}
