//! Changes: what an operator makes of the value at a place.
//!
//! Not where that is: see `update/target.rs`. What is done to arrays is in `update/array.rs` and `update/pull.rs`.
//!
//! Invariant: a change that fails is told with its operator and path.

use super::array::{AddToSet, Push};
use super::number::{self, Calculation};
use super::pull::Pull;
use super::target::Target;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Object, Path, Value, order, place};

/// What is done at a place.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Set(Value),
    /// Only where the document is made.
    SetOnInsert(Value),
    Unset,
    /// Moved to another place.
    Rename(Path),
    /// By an operator, which is named where it fails.
    Modify(&'static str, Modifier),
}

/// What is done to a value.
#[derive(Clone, Debug)]
pub(super) enum Modifier {
    Calculate(Calculation, Value),
    Min(Value),
    Max(Value),
    Push(Push),
    AddToSet(AddToSet),
    Pop(End),
    Pull(Pull),
}

/// An end of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

impl Change {
    /// Reads an operand.
    ///
    /// # Errors
    /// `invalid` where it is not one for the operator.
    pub(super) fn parse(operator: &'static str, target: &Target, operand: &Value, now: Timestamp) -> Result<Change> {
        let wrong = |what: &str| {
            Error::invalid(format!("`{operator}` of `{target}` takes {what}, not {}", operand.type_name()))
        };
        let named = |error: Error| error.context(format!("`{operator}` of `{target}`"));
        let modifier = match operator {
            "$currentDate" => return time(operand, now).map(Change::Set).map_err(named),
            "$set" => return Ok(Change::Set(operand.clone())),
            "$setOnInsert" => return Ok(Change::SetOnInsert(operand.clone())),
            "$unset" => return Ok(Change::Unset),
            "$rename" => {
                let Value::String(to) = operand else { return Err(wrong("a path")) };
                if !target.is_place() {
                    return Err(Error::invalid(format!("`$rename` of `{target}`: elements have no names")));
                }
                return Path::parse(to).map(Change::Rename).map_err(named);
            }
            "$inc" | "$mul" => {
                if !matches!(operand, Value::Number(_) | Value::BigInt(_)) {
                    return Err(wrong("a number or bigint"));
                }
                let calculation = if operator == "$inc" { Calculation::Add } else { Calculation::Multiply };
                Modifier::Calculate(calculation, operand.clone())
            }
            "$bit" => {
                let one_of = "one of `and`, `or` and `xor`, with a whole number or bigint";
                let (operation, amount) = bits(operand).ok_or_else(|| wrong(one_of))?;
                Modifier::Calculate(operation, amount.clone())
            }
            "$min" => Modifier::Min(operand.clone()),
            "$max" => Modifier::Max(operand.clone()),
            "$push" => Modifier::Push(Push::parse(operand).map_err(named)?),
            "$addToSet" => Modifier::AddToSet(AddToSet::parse(operand).map_err(named)?),
            "$pop" => Modifier::Pop(match operand {
                Value::Number(number) if number.get() == 1.0 => End::Last,
                Value::Number(number) if number.get() == -1.0 => End::First,
                other => {
                    return Err(named(Error::invalid(format!("{other} is neither 1, the last, nor -1, the first"))));
                }
            }),
            "$pullAll" => {
                let values = operand.as_array().ok_or_else(|| wrong("an array"))?;
                Modifier::Pull(Pull::Equal(values.to_vec()))
            }
            _ => Modifier::Pull(Pull::parse(target, operand).map_err(named)?),
        };
        Ok(Change::Modify(operator, modifier))
    }

    /// Makes the change.
    ///
    /// # Errors
    /// As [`super::Update::apply`].
    pub(super) fn apply(&self, document: &mut Object, path: &Path) -> Result<()> {
        match self {
            Change::Set(value) | Change::SetOnInsert(value) => place::set(document, path, value.clone()),
            Change::Unset => {
                place::unset(document, path);
                Ok(())
            }
            Change::Rename(to) => rename(document, path, to),
            Change::Modify(operator, modifier) => {
                let failed = |error| naming(error, operator, path);
                match place::get_mut(document, path) {
                    Some(value) => modifier.modify(value).map_err(failed),
                    None => match modifier.initial().map_err(failed)? {
                        Some(value) => place::set(document, path, value),
                        None => Ok(()),
                    },
                }
            }
        }
    }
}

impl Modifier {
    /// Whether it makes a plain value of a plain one.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Modifier::Calculate(..) | Modifier::Min(_) | Modifier::Max(_))
    }

    /// What is made where nothing is; none where nothing stays.
    fn initial(&self) -> Result<Option<Value>> {
        Ok(match self {
            Modifier::Calculate(Calculation::Add, value) | Modifier::Min(value) | Modifier::Max(value) => {
                Some(value.clone())
            }
            Modifier::Calculate(Calculation::Multiply, Value::BigInt(_)) => Some(Value::BigInt(0)),
            Modifier::Calculate(Calculation::Multiply, _) => Some(Value::from(0)),
            Modifier::Calculate(bits, value) => Some(number::calculate(*bits, &Value::from(0), value)?),
            Modifier::Push(_) | Modifier::AddToSet(_) => {
                let mut value = Value::Array(Vec::new());
                self.modify(&mut value)?;
                Some(value)
            }
            Modifier::Pop(_) | Modifier::Pull(_) => None,
        })
    }

    /// Changes a value.
    ///
    /// # Errors
    /// `invalid` where the operator is not for such a value.
    pub(super) fn modify(&self, value: &mut Value) -> Result<()> {
        match self {
            Modifier::Calculate(calculation, amount) => *value = number::calculate(*calculation, value, amount)?,
            Modifier::Min(other) if order::compare_values(other, value).is_lt() => *value = other.clone(),
            Modifier::Max(other) if order::compare_values(other, value).is_gt() => *value = other.clone(),
            Modifier::Min(_) | Modifier::Max(_) => {}
            Modifier::Push(_) | Modifier::AddToSet(_) | Modifier::Pop(_) | Modifier::Pull(_) => {
                let Value::Array(elements) = value else {
                    return Err(Error::invalid(format!("the value is {}, not an array", value.type_name())));
                };
                return self.modify_array(elements);
            }
        }
        Ok(())
    }

    fn modify_array(&self, elements: &mut Vec<Value>) -> Result<()> {
        match self {
            Modifier::Push(push) => push.apply(elements)?,
            Modifier::AddToSet(set) => set.apply(elements),
            Modifier::Pull(pull) => pull.apply(elements)?,
            Modifier::Pop(End::First) if !elements.is_empty() => drop(elements.remove(0)),
            _ => drop(elements.pop()),
        }
        Ok(())
    }
}

/// What went wrong with the change of a value.
pub(super) fn naming(error: Error, operator: &str, path: &Path) -> Error {
    error.context(format!("`{operator}` of `{path}`"))
}

/// The time, where the operand asks for a date.
fn time(operand: &Value, now: Timestamp) -> Result<Value> {
    let kind = operand.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("$type"));
    match kind.and_then(Value::as_str) {
        Some("date") => {}
        _ if *operand == Value::Bool(true) => {}
        Some("timestamp") => return Err(Error::new(ErrorKind::Unsupported, "there are dates, and no timestamps")),
        _ => return Err(Error::invalid(format!("{operand} is neither true nor `{{ $type: 'date' }}`"))),
    }
    Ok(Value::Date(now.as_ms()))
}

/// The operation on bits, and its other operand.
fn bits(operand: &Value) -> Option<(Calculation, &Value)> {
    let [(name, amount)] = operand.as_object()?.fields() else { return None };
    let operation = match &**name {
        "and" => Calculation::And,
        "or" => Calculation::Or,
        "xor" => Calculation::Xor,
        _ => return None,
    };
    number::whole(amount).map(|_| (operation, amount))
}

/// Moves a field; nothing where it is missing.
fn rename(document: &mut Object, from: &Path, to: &Path) -> Result<()> {
    for path in [from, to] {
        if leads_into_array(document, path) {
            return Err(Error::invalid(format!("`$rename` of `{from}` to `{to}`: `{path}` leads into an array")));
        }
    }
    let Some(value) = place::get(document, from).cloned() else { return Ok(()) };
    place::set(document, to, value)?;
    place::unset(document, from);
    Ok(())
}

fn leads_into_array(document: &Object, path: &Path) -> bool {
    let Some((first, rest)) = path.parts().split_first() else { return false };
    let mut here = document.get(&first.name);
    for part in rest {
        here = match here {
            Some(Value::Array(_)) => return true,
            Some(value) => place::part(value, part),
            None => return false,
        };
    }
    false
}
