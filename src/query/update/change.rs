//! Changes: what an operator makes of the value at a place.
//!
//! Not where that is: see `update/target.rs`. What is done to arrays is in `update/array.rs` and `update/pull.rs`.
//!
//! Invariant: a change that fails is told with its operator and path.

use super::array::{AddToSet, Push};
use super::number::{self, Calculation};
use super::pull::Pull;
use super::target::Target;
use crate::error::{Error, Result};
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
    Modify(Modifier),
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
    pub(super) fn parse(operator: &str, target: &Target, operand: &Value) -> Result<Change> {
        let wrong = |what: &str| {
            Error::invalid(format!("`{operator}` of `{target}` takes {what}, not {}", operand.type_name()))
        };
        let named = |error: Error| error.context(format!("`{operator}` of `{target}`"));
        Ok(match operator {
            "$set" => Change::Set(operand.clone()),
            "$setOnInsert" => Change::SetOnInsert(operand.clone()),
            "$unset" => Change::Unset,
            "$rename" => {
                let Value::String(to) = operand else { return Err(wrong("a path")) };
                if !target.is_place() {
                    return Err(Error::invalid(format!("`$rename` of `{target}`: elements have no names")));
                }
                Change::Rename(Path::parse(to).map_err(named)?)
            }
            "$inc" | "$mul" => {
                if !matches!(operand, Value::Number(_) | Value::BigInt(_)) {
                    return Err(wrong("a number or bigint"));
                }
                let calculation = if operator == "$inc" { Calculation::Add } else { Calculation::Multiply };
                Change::Modify(Modifier::Calculate(calculation, operand.clone()))
            }
            "$min" => Change::Modify(Modifier::Min(operand.clone())),
            "$max" => Change::Modify(Modifier::Max(operand.clone())),
            "$push" => Change::Modify(Modifier::Push(Push::parse(operand).map_err(named)?)),
            "$addToSet" => Change::Modify(Modifier::AddToSet(AddToSet::parse(operand).map_err(named)?)),
            "$pop" => Change::Modify(Modifier::Pop(match operand {
                Value::Number(number) if number.get() == 1.0 => End::Last,
                Value::Number(number) if number.get() == -1.0 => End::First,
                other => {
                    return Err(named(Error::invalid(format!("{other} is neither 1, the last, nor -1, the first"))));
                }
            })),
            _ => Change::Modify(Modifier::Pull(Pull::parse(target, operand).map_err(named)?)),
        })
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
            Change::Modify(modifier) => match place::get_mut(document, path) {
                Some(value) => modifier.modify(value, path),
                None => match modifier.initial(path)? {
                    Some(value) => place::set(document, path, value),
                    None => Ok(()),
                },
            },
        }
    }
}

impl Modifier {
    /// Whether it makes a plain value of a plain one.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Modifier::Calculate(..) | Modifier::Min(_) | Modifier::Max(_))
    }

    /// What is made where nothing is; none where nothing stays.
    fn initial(&self, path: &Path) -> Result<Option<Value>> {
        Ok(match self {
            Modifier::Calculate(Calculation::Add, value) | Modifier::Min(value) | Modifier::Max(value) => {
                Some(value.clone())
            }
            Modifier::Calculate(Calculation::Multiply, Value::BigInt(_)) => Some(Value::BigInt(0)),
            Modifier::Calculate(Calculation::Multiply, _) => Some(Value::from(0)),
            Modifier::Push(_) | Modifier::AddToSet(_) => {
                let mut value = Value::Array(Vec::new());
                self.modify(&mut value, path)?;
                Some(value)
            }
            Modifier::Pop(_) | Modifier::Pull(_) => None,
        })
    }

    /// Changes a value.
    ///
    /// # Errors
    /// `invalid` where the operator is not for such a value.
    pub(super) fn modify(&self, value: &mut Value, path: &Path) -> Result<()> {
        match self {
            Modifier::Calculate(calculation, amount) => {
                if !matches!(value, Value::Number(_) | Value::BigInt(_)) {
                    return Err(self.fails(path, &format!("the value is {}, not a number", value.type_name())));
                }
                *value = number::calculate(*calculation, value, amount).map_err(|what| self.fails(path, what))?;
            }
            Modifier::Min(other) if order::compare_values(other, value).is_lt() => *value = other.clone(),
            Modifier::Max(other) if order::compare_values(other, value).is_gt() => *value = other.clone(),
            Modifier::Min(_) | Modifier::Max(_) => {}
            Modifier::Push(_) | Modifier::AddToSet(_) | Modifier::Pop(_) | Modifier::Pull(_) => {
                let Value::Array(elements) = value else {
                    return Err(self.fails(path, &format!("the value is {}, not an array", value.type_name())));
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

    fn fails(&self, path: &Path, what: &str) -> Error {
        let operator = match self {
            Modifier::Calculate(Calculation::Add, _) => "$inc",
            Modifier::Calculate(Calculation::Multiply, _) => "$mul",
            Modifier::Min(_) => "$min",
            Modifier::Max(_) => "$max",
            Modifier::Push(_) => "$push",
            Modifier::AddToSet(_) => "$addToSet",
            Modifier::Pop(_) => "$pop",
            Modifier::Pull(_) => "$pull",
        };
        Error::invalid(format!("`{operator}` of `{path}`: {what}"))
    }
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
