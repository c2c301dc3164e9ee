//! `$unwind`: a document for each element of an array.
//!
//! Not through arrays: the path leads through objects alone.

use super::budget::Budget;
use super::row::{Record, Row};
use crate::error::{Error, Result};
use crate::query::weight;
use crate::value::path::Part;
use crate::value::{Name, Object, Path, Value, View};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unwind {
    path: Path,
    /// The field that gets the place of the element.
    index: Option<Name>,
    empty: Empty,
}

/// What becomes of documents without an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    Kept,
    LeftOut,
}

impl Unwind {
    pub(super) fn parse(operand: &Value) -> Result<Unwind> {
        let (path, index, empty) = match operand {
            Value::Object(object) => {
                super::parse::known(object, &["path", "includeArrayIndex", "preserveNullAndEmptyArrays"])?;
                let index = match object.get("includeArrayIndex") {
                    None | Some(Value::Null) => None,
                    Some(name) => Some(super::parse::field_name(name)?),
                };
                let empty = match object.get("preserveNullAndEmptyArrays") {
                    Some(Value::Bool(true)) => Empty::Kept,
                    None | Some(Value::Null | Value::Bool(false)) => Empty::LeftOut,
                    Some(other) => {
                        let message = format!("`preserveNullAndEmptyArrays` is {}, not a boolean", other.type_name());
                        return Err(Error::invalid(message));
                    }
                };
                (object.get("path"), index, empty)
            }
            path => (Some(path), None, Empty::LeftOut),
        };
        let path = path.and_then(Value::as_str).and_then(|path| path.strip_prefix('$'));
        let path = path.ok_or_else(|| Error::invalid("it takes the path of a field, which begins with `$`"))?;
        Ok(Unwind { path: Path::parse(path)?, index, empty })
    }

    pub(super) fn push<R: Record>(&self, row: Row<R>, out: &mut Vec<Row<R>>) -> Result<()> {
        let found = self.path.get(row.view()?)?;
        let elements = match found {
            Some(View::Array(array)) if !array.is_empty() => match View::Array(array).to_value()? {
                Value::Array(elements) => elements,
                _ => Vec::new(),
            },
            Some(View::Array(_)) | Some(View::Null) | None => {
                if self.empty == Empty::Kept {
                    let is_array = matches!(found, Some(View::Array(_)));
                    if !is_array && self.index.is_none() {
                        out.push(row);
                        return Ok(());
                    }
                    let mut document = row.into_object()?;
                    if is_array {
                        place(&mut document, self.path.parts(), None);
                    }
                    out.push(self.numbered(document, Value::Null));
                }
                return Ok(());
            }
            Some(_) => {
                match self.index {
                    None => out.push(row),
                    Some(_) => out.push(self.numbered(row.into_object()?, Value::Null)),
                }
                return Ok(());
            }
        };
        let mut document = row.into_object()?;
        // The array need not be copied with each element.
        place(&mut document, self.path.parts(), Some(Value::Null));
        Budget::default().keep(weight::of_object(&document).saturating_mul(elements.len()))?;
        let last = elements.len() - 1;
        for (number, element) in elements.into_iter().enumerate() {
            let mut document = if number == last { core::mem::take(&mut document) } else { document.clone() };
            place(&mut document, self.path.parts(), Some(element));
            out.push(self.numbered(document, Value::count(number)));
        }
        Ok(())
    }

    fn numbered<R>(&self, mut document: Object, number: Value) -> Row<R> {
        if let Some(name) = &self.index {
            document.set(name.clone(), number);
        }
        Row::Made(document)
    }
}

/// Sets what lies at a path through objects, or takes it away.
fn place(object: &mut Object, path: &[Part], value: Option<Value>) {
    let Some((part, rest)) = path.split_first() else { return };
    match (rest.is_empty(), value) {
        (true, Some(value)) => object.set(part.name.clone(), value),
        (true, None) => drop(object.remove(&part.name)),
        (false, value) => {
            if let Some(Value::Object(within)) = object.get_mut(&part.name) {
                place(within, rest, value);
            }
        }
    }
}
