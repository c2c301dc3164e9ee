//! Sorts: by several fields, each ascending or descending.
//!
//! Not an algorithm: a document gives bytes that sort as it should, and whoever holds the documents sorts the bytes.
//!
//! Invariants: what is missing sorts as null; an array sorts by its least element ascending and by its greatest
//! descending, an array without elements before null, as MongoDB has it.

use crate::error::{Error, Result};
use crate::limits::KEY_FIELDS_MAX;
use crate::value::path::Found;
use crate::value::view::ObjectView;
use crate::value::{Direction, Path, Value, View, key};
use core::ops::ControlFlow;

/// A checked sort; without fields, no order is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sort {
    fields: Vec<(Path, Direction)>,
    /// How many of the fields count more than the score of a text search, if that counts. The greatest comes first.
    score: Option<usize>,
}

impl Sort {
    /// No order.
    #[must_use]
    pub const fn none() -> Sort {
        Sort { fields: Vec::new(), score: None }
    }

    /// From pairs `[field, 1 | -1]`, the first the most important; `[any, { $meta: 'textScore' }]` is the score of a text search.
    ///
    /// # Errors
    /// `invalid` for anything else, a field that stands twice, and too many fields.
    pub fn parse(pairs: &[Value]) -> Result<Sort> {
        if pairs.len() > KEY_FIELDS_MAX {
            return Err(Error::invalid(format!("sort has {} fields, the limit is {KEY_FIELDS_MAX}", pairs.len())));
        }
        let mut fields: Vec<(Path, Direction)> = Vec::with_capacity(pairs.len());
        let mut score = None;
        for pair in pairs {
            let Some([Value::String(path), direction]) = pair.as_array() else {
                return Err(Error::invalid("sort takes pairs of a field and 1 or -1"));
            };
            let path = Path::parse(path).map_err(|error| error.context("sort"))?;
            if is_score(direction) {
                if score.replace(fields.len()).is_some() {
                    return Err(Error::invalid("sort: the score stands twice"));
                }
                continue;
            }
            let direction = match direction {
                Value::Number(number) if number.get() == 1.0 => Direction::Ascending,
                Value::Number(number) if number.get() == -1.0 => Direction::Descending,
                other => return Err(Error::invalid(format!("sort: direction of `{path}` is {other}, not 1 or -1"))),
            };
            if fields.iter().any(|(other, _)| *other == path) {
                return Err(Error::invalid(format!("sort: `{path}` stands twice")));
            }
            fields.push((path, direction));
        }
        Ok(Sort { fields, score })
    }

    /// The fields, the most important first.
    #[must_use]
    pub fn fields(&self) -> &[(Path, Direction)] {
        &self.fields
    }

    /// Whether no order is asked for.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.fields.is_empty() && self.score.is_none()
    }

    /// Whether the score of a text search is part of it.
    #[must_use]
    pub const fn by_score(&self) -> bool {
        self.score.is_some()
    }

    /// How many of the fields count more than the score, if that is part of it.
    pub(crate) const fn score_place(&self) -> Option<usize> {
        self.score
    }

    /// Whether nothing else is part of it.
    #[must_use]
    pub const fn is_none_but_score(&self) -> bool {
        self.fields.is_empty()
    }

    /// This order and, between what is alike in it, that of these fields, in the direction of the last one.
    #[must_use]
    pub fn with(&self, fields: &[Path]) -> Sort {
        let direction = self.fields.last().map_or(Direction::Ascending, |(_, direction)| *direction);
        let mut whole = self.clone();
        for field in fields {
            if !whole.fields.iter().any(|(known, _)| known == field) {
                whole.fields.push((field.clone(), direction));
            }
        }
        whole
    }

    /// Appends bytes that sort as the document does.
    ///
    /// # Errors
    /// `corrupt` for damaged rows; `invalid` where a score is part of the order.
    pub fn push_key(&self, document: ObjectView<'_>, sort_key: &mut Vec<u8>) -> Result<()> {
        if self.by_score() {
            return Err(no_score("sort"));
        }
        self.push_key_scored(document, 0.0, sort_key)
    }

    /// The same for a document that a text search found.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn push_key_scored(&self, document: ObjectView<'_>, score: f64, sort_key: &mut Vec<u8>) -> Result<()> {
        for (place, (path, direction)) in self.fields.iter().enumerate() {
            self.push_score(place, score, sort_key)?;
            let start = sort_key.len();
            match path.get_unless_array(document)? {
                Some(found) => key::push(sort_key, found.unwrap_or(View::Null))?,
                None => sort_key.extend_from_slice(&extreme(path, document, *direction)?),
            }
            turn(sort_key, start, *direction);
        }
        self.push_score(self.fields.len(), score, sort_key)
    }

    /// Appends the score where it stands in front of this field.
    fn push_score(&self, place: usize, score: f64, sort_key: &mut Vec<u8>) -> Result<()> {
        if self.score == Some(place) {
            let start = sort_key.len();
            key::push(sort_key, View::from(&Value::number(score)?))?;
            turn(sort_key, start, Direction::Descending);
        }
        Ok(())
    }
}

/// Whether `{ $meta: 'textScore' }` stands for the value.
pub(crate) fn is_score(value: &Value) -> bool {
    let meta = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("$meta"));
    meta.and_then(Value::as_str) == Some("textScore")
}

/// The error for a score where no text is searched.
pub(crate) fn no_score(what: &str) -> Error {
    let error = Error::invalid(format!("{what}: there is no `textScore` without `$text` in the filter"));
    error.with_hint("scores are of what `{ $text: { $search: '...' } }` finds")
}

/// Makes the bytes from `start` on, which are whole components, sort in this direction.
pub(crate) fn turn(sort_key: &mut [u8], start: usize, direction: Direction) {
    if direction == Direction::Descending {
        // No component is the beginning of another: inverted bytes sort the other way round.
        for byte in sort_key.iter_mut().skip(start) {
            *byte = !*byte;
        }
    }
}

/// The least or greatest component of what lies at the path.
fn extreme(path: &Path, document: ObjectView<'_>, direction: Direction) -> Result<Vec<u8>> {
    let mut best: Option<Vec<u8>> = None;
    let mut offer = |component: Vec<u8>| {
        let better = best.as_ref().is_none_or(|best| match direction {
            Direction::Ascending => component < *best,
            Direction::Descending => component > *best,
        });
        if better {
            best = Some(component);
        }
    };
    let _ = path.visit(document, &mut |found: Found<'_>| {
        match found.unwrap_or(View::Null) {
            View::Array(elements) if elements.is_empty() => offer(empty()),
            View::Array(elements) => {
                for element in elements.iter() {
                    offer(key::encode(element?)?);
                }
            }
            value => offer(key::encode(value)?),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(best.unwrap_or_else(empty))
}

fn empty() -> Vec<u8> {
    let mut component = Vec::new();
    key::push_empty(&mut component);
    component
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::Object;

    fn sort(fields: &[(&str, i32)]) -> Result<Sort> {
        let pair = |(field, direction): &(&str, i32)| Value::Array(vec![(*field).into(), (*direction).into()]);
        Sort::parse(&fields.iter().map(pair).collect::<Vec<_>>())
    }

    fn ordered(fields: &[(&str, i32)], documents: &[Object]) -> Vec<usize> {
        let sort = sort(fields).unwrap();
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_by_cached_key(|i| {
            let mut key = Vec::new();
            sort.push_key(documents.get(*i).unwrap().into(), &mut key).unwrap();
            key
        });
        order
    }

    #[test]
    fn arrays_sort_by_least_ascending_and_greatest_descending() {
        let a = |value: Value| Object::from([("a", value)]);
        let documents =
            [a(5.into()), a(vec![1.into(), 9.into()].into()), Object::new(), a(vec![].into()), a("".into())];
        assert_eq!(ordered(&[("a", 1)], &documents), [3, 2, 1, 0, 4]);
        assert_eq!(ordered(&[("a", -1)], &documents), [4, 1, 0, 2, 3]);
    }

    #[test]
    fn later_fields_decide_between_equals() {
        let ab = |a: &str, b: i32| Object::from([("a", a.into()), ("b", b.into())]);
        let documents = [ab("x", 1), ab("x", 2), ab("xy", 0), ab("", 7)];
        assert_eq!(ordered(&[("a", 1), ("b", -1)], &documents), [3, 1, 0, 2]);
        assert_eq!(ordered(&[("a", -1), ("b", 1)], &documents), [2, 0, 1, 3]);
    }

    #[test]
    fn mistakes_are_named() {
        let message = |fields| sort(fields).unwrap_err().to_string();
        assert_eq!(message(&[("a", 2)]), "sort: direction of `a` is 2, not 1 or -1");
        assert_eq!(message(&[("a", 1), ("a", 1)]), "sort: `a` stands twice");
        assert_eq!(message(&[("", 1)]), "sort: path `` has an empty part");
        assert!(Sort::parse(&[Value::Null]).is_err());
    }
}
