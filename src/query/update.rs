//! Updates: MongoDB's update documents, parsed once and applied to documents.
//!
//! Not a write: an update takes a document and gives the changed one; who keeps it is not said here. Which places of a
//! document are meant is in `update/target.rs`, what becomes of a value in `update/change.rs`.
//!
//! Invariants: an update that fails leaves nothing behind; no two of its places are the same or lie in each other; the
//! fields of the primary key do not change. Source: MongoDB manual, "Update Operators"
//! (<https://www.mongodb.com/docs/manual/reference/operator/update/>).

use crate::env::Timestamp;
use crate::error::{Error, Result};
use crate::query::Filter;
use crate::value::row::RowObject;
use crate::value::{Object, Path, Value, order, writer};

mod array;
mod array_filter;
mod change;
mod number;
mod pull;
mod target;

use array_filter::ArrayFilters;
use change::Change;
use target::Target;

/// A checked update.
///
/// ```
/// use hyphadb::env::Timestamp;
/// use hyphadb::query::{Filter, Update};
/// use hyphadb::value::{Object, Value};
/// let update = Object::from([("$inc", Object::from([("n", Value::from(2))]).into())]);
/// let update = Update::parse(&update, &[], &Filter::all(), Timestamp::from_ms(0))?;
/// let (document, changed) = update.apply(&Object::from([("n", Value::from(40))]), &[])?;
/// assert!(changed && document.get("n") == Some(&Value::from(42)));
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Update {
    changes: Vec<(Target, Change)>,
}

/// Whether a document is changed, or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    Change,
    Insert,
}

const OPERATORS: [&str; 15] = [
    "$set",
    "$unset",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$rename",
    "$push",
    "$pull",
    "$pullAll",
    "$pop",
    "$addToSet",
    "$bit",
    "$currentDate",
    "$setOnInsert",
];

const OPERATORS_HINT: &str = "an update is an object of operators: $set $unset $inc $mul $min $max $rename $push $pull \
    $pullAll $pop $addToSet $bit $currentDate $setOnInsert";

impl Update {
    /// Checks an update document: operators, each with an object of paths. `array_filters` say which elements `$[name]`
    /// means; the filter by which documents are found, which one `$` does. `now` is what `$currentDate` sets: in every
    /// document, however often the update is tried again.
    ///
    /// # Errors
    /// `invalid` where it is anything else, or two paths are in conflict; `unsupported` for a time of a type that is not
    /// there.
    pub fn parse(update: &Object, array_filters: &[Value], filter: &Filter, now: Timestamp) -> Result<Update> {
        let mut filters = ArrayFilters::parse(array_filters)?;
        let mut changes: Vec<(Target, Change)> = Vec::new();
        if update.is_empty() {
            return Err(Error::invalid("update has no operator").with_hint(OPERATORS_HINT));
        }
        for (operator, operands) in update.iter() {
            let known = OPERATORS.iter().find(|known| **known == &**operator);
            let operator = *known.ok_or_else(|| unknown(operator))?;
            let Value::Object(operands) = operands else {
                return Err(Error::invalid(format!("`{operator}` takes an object, not {}", operands.type_name())));
            };
            for (path, operand) in operands.iter() {
                let target = Target::parse(path, &mut filters, filter);
                let target = target.map_err(|error| error.context(format!("`{operator}`")))?;
                let change = Change::parse(operator, &target, operand, now)?;
                if let Change::Rename(to) = &change {
                    check_conflict(&changes, &Target::Place(to.clone()))?;
                    if matches!(&target, Target::Place(path) if path.overlaps(to)) {
                        return Err(conflict(&target, to));
                    }
                }
                check_conflict(&changes, &target)?;
                changes.push((target, change));
            }
        }
        filters.check_all_used()?;
        Ok(Update { changes })
    }

    /// The changed document, and whether it differs from the given one.
    ///
    /// # Errors
    /// `invalid` where a path leads through a value that has no fields, an operator meets a value that it is not for, a
    /// sum is no value, or a field of the primary key would change.
    pub fn apply(&self, document: &Object, key_fields: &[Path]) -> Result<(Object, bool)> {
        let changed = self.carry_out(document, Occasion::Change)?;
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

    /// The document that an upsert makes of what its filter says.
    ///
    /// # Errors
    /// As [`Update::apply`].
    pub fn insert(&self, seed: &Object) -> Result<Object> {
        self.carry_out(seed, Occasion::Insert)
    }

    fn carry_out(&self, document: &Object, occasion: Occasion) -> Result<Object> {
        let mut places = Vec::with_capacity(self.changes.len());
        for (target, change) in &self.changes {
            let found = target.places(document)?;
            places.extend(found.into_iter().map(|place| (place, change)));
        }
        if self.changes.iter().any(|(target, _)| !target.is_place()) {
            target::check_apart(places.iter().map(|(place, _)| place))?;
        }
        let mut changed = document.clone();
        for (path, change) in &places {
            match change {
                Change::SetOnInsert(_) if occasion == Occasion::Change => {}
                change => change.apply(&mut changed, path)?,
            }
        }
        Ok(changed)
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
    /// to plain values, or plain values there are changed. What is appended is a row only where the answer is `Changed`.
    ///
    /// # Errors
    /// As [`Update::apply`], and `limit` where the row grows too large.
    pub fn patch(&self, old: &RowObject<'_>, key_fields: &[Path], row: &mut Vec<u8>) -> Result<Patched> {
        let Some((id, shape)) = old.shape() else { return Ok(Patched::Not) };
        let mut places: Vec<(usize, Value)> = Vec::with_capacity(self.changes.len());
        for (target, change) in &self.changes {
            let Target::Place(path) = target else { return Ok(Patched::Not) };
            let ([part], false) = (path.parts(), key_fields.iter().any(|field| field.overlaps(path))) else {
                return Ok(Patched::Not);
            };
            let Some(place) = shape.place(&part.name) else { return Ok(Patched::Not) };
            let value = match change {
                Change::Set(value) => value.clone(),
                Change::SetOnInsert(_) => continue,
                Change::Modify(operator, modifier) if modifier.is_plain() => {
                    let value = old.get(&part.name)?.map(|value| value.to_value()).transpose()?;
                    let mut value = value.unwrap_or(Value::Null);
                    modifier.modify(&mut value).map_err(|error| change::naming(error, operator, path))?;
                    value
                }
                _ => return Ok(Patched::Not),
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

fn unknown(operator: &str) -> Error {
    let error = Error::invalid(format!("`{operator}` is not an update operator"));
    error.with_hint(OPERATORS_HINT).with_detail("operator", operator)
}

/// Two paths that are certainly in conflict; where elements are meant, it is known for each document only.
fn check_conflict(changes: &[(Target, Change)], target: &Target) -> Result<()> {
    for (other, change) in changes {
        if other.overlaps(target) {
            return Err(conflict(other, target));
        }
        if let Change::Rename(to) = change
            && Target::Place(to.clone()).overlaps(target)
        {
            return Err(conflict(to, target));
        }
    }
    Ok(())
}

fn conflict(one: &dyn core::fmt::Display, other: &dyn core::fmt::Display) -> Error {
    Error::invalid(format!("updates of `{one}` and `{other}` are in conflict"))
}

#[cfg(test)]
mod tests;
