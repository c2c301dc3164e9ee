//! Paths: `a.b.0` names a place in a document, or several where arrays lie on the way.
//!
//! Not an expression: there are no wildcards. A field whose own name has a dot is data like any other, but no path
//! names it.
//!
//! Invariants: a path has at least one part; no part is empty or begins with `$`.

use crate::error::{Error, Result};
use crate::limits::{DOCUMENT_DEPTH_MAX, FIELD_NAME_BYTES_MAX};
use crate::value::view::ObjectView;
use crate::value::{Name, Object, Value, View};
use core::fmt;
use core::ops::ControlFlow;

/// A dotted path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: Name,
    parts: Vec<Part>,
}

/// One part of a path: the name of a field, which in an array may be the number of an element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// The field's name.
    pub name: Name,
    /// The element's number, where the name is one.
    pub index: Option<usize>,
}

/// What is found at the end of a path: a value, or (`None`) that it is missing.
pub type Found<'a> = Option<View<'a>>;

impl Path {
    /// Reads a dotted path.
    ///
    /// # Errors
    /// `invalid` where a part is empty, too long, or begins with `$`, or there are too many.
    pub fn parse(text: &str) -> Result<Path> {
        let mut parts = Vec::new();
        for name in text.split('.') {
            if name.is_empty() {
                return Err(Error::invalid(format!("path `{text}` has an empty part")));
            }
            if name.starts_with('$') {
                return Err(Error::invalid(format!("path `{text}`: `{name}` is not a field name")));
            }
            if name.len() > FIELD_NAME_BYTES_MAX {
                return Err(Error::invalid(format!("path has a part longer than {FIELD_NAME_BYTES_MAX} bytes")));
            }
            parts.push(Part { name: name.into(), index: element_index(name) });
        }
        if parts.len() > DOCUMENT_DEPTH_MAX {
            return Err(Error::invalid(format!("path has more than {DOCUMENT_DEPTH_MAX} parts")));
        }
        Ok(Path { text: text.into(), parts })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts, outermost first.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether one path is the other, or leads through it.
    #[must_use]
    pub fn overlaps(&self, other: &Path) -> bool {
        self.parts.iter().zip(&other.parts).all(|(left, right)| left.name == right.name)
    }

    /// The value that lies at the path through objects alone; arrays are not entered.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn get<'a>(&self, document: ObjectView<'a>) -> Result<Found<'a>> {
        let mut found = Some(View::Object(document));
        for part in &self.parts {
            found = match found {
                Some(View::Object(object)) => object.get(&part.name)?,
                _ => return Ok(None),
            };
        }
        Ok(found)
    }

    /// What lies at the path, where no array lies on the way or at the end; none where one does.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn get_unless_array<'a>(&self, document: ObjectView<'a>) -> Result<Option<Found<'a>>> {
        let mut here = View::Object(document);
        for part in &self.parts {
            here = match here {
                View::Object(object) => match object.get(&part.name)? {
                    Some(value) => value,
                    None => return Ok(Some(None)),
                },
                View::Array(_) => return Ok(None),
                _ => return Ok(Some(None)),
            };
        }
        Ok(if matches!(here, View::Array(_)) { None } else { Some(Some(here)) })
    }

    /// The value that lies at the path of a tree through objects alone.
    #[must_use]
    pub fn get_in<'a>(&self, document: &'a Object) -> Option<&'a Value> {
        let (last, before) = self.parts.split_last()?;
        let mut object = document;
        for part in before {
            object = object.get(&part.name)?.as_object()?;
        }
        object.get(&last.name)
    }

    /// Visits everything that the path leads to, as MongoDB does: an array on the way is entered, and each of its
    /// objects followed; a number as part of the path takes that element of an array. An array at the end is visited
    /// whole; its elements are the visitor's business. Stops where the visitor breaks; says whether it did.
    ///
    /// # Errors
    /// `corrupt` for damaged rows, and what the visitor returns.
    pub fn visit<'a>(&self, document: ObjectView<'a>, visitor: &mut Visitor<'_, 'a>) -> Result<ControlFlow<()>> {
        follow(View::Object(document), &self.parts, visitor)
    }

    /// Whether an array lies on the way or at the end.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn meets_array(&self, document: ObjectView<'_>) -> Result<bool> {
        let mut here = Some(View::Object(document));
        for part in &self.parts {
            here = match here {
                Some(View::Object(object)) => object.get(&part.name)?,
                Some(View::Array(_)) => return Ok(true),
                _ => return Ok(false),
            };
        }
        Ok(matches!(here, Some(View::Array(_))))
    }
}

/// What is called with each thing found.
pub type Visitor<'v, 'a> = dyn FnMut(Found<'a>) -> Result<ControlFlow<()>> + 'v;

fn follow<'a>(value: View<'a>, parts: &[Part], visitor: &mut Visitor<'_, 'a>) -> Result<ControlFlow<()>> {
    let Some((part, rest)) = parts.split_first() else {
        return visitor(Some(value));
    };
    match value {
        View::Object(object) => match object.get(&part.name)? {
            Some(value) => follow(value, rest, visitor),
            None => visitor(None),
        },
        View::Array(array) => {
            if let Some(index) = part.index
                && let Some(element) = array.get(index)?
                && follow(element, rest, visitor)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            for element in array.iter() {
                // What is no object has no fields: it is passed over, not missing. A number as part of the path names
                // an element first; it is missing from no object.
                let View::Object(object) = element? else {
                    continue;
                };
                if part.index.is_some() && object.get(&part.name)?.is_none() {
                    continue;
                }
                if follow(View::Object(object), parts, visitor)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        }
        _ => visitor(None),
    }
}

/// The number of an element: digits without a leading zero.
fn element_index(name: &str) -> Option<usize> {
    let canonical = name == "0" || !name.starts_with('0');
    let digits = name.len() <= 9 && name.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { name.parse().ok() } else { None }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn found(path: &str, document: &Object) -> Vec<String> {
        let mut found = Vec::new();
        let path = Path::parse(path).unwrap();
        let flow = path.visit(document.into(), &mut |value| {
            found.push(value.map_or("missing".to_owned(), |value| value.to_value().unwrap().to_string()));
            Ok(ControlFlow::Continue(()))
        });
        assert!(flow.unwrap().is_continue());
        found
    }

    fn object(name: &str, value: impl Into<Value>) -> Object {
        Object::from([(name, value.into())])
    }

    #[test]
    fn arrays_on_the_way_are_entered_and_at_the_end_are_whole() {
        let rows =
            vec![object("b", 1).into(), Value::from(7), object("c", 2).into(), vec![object("b", 9).into()].into()];
        let document = object("a", rows);
        assert_eq!(found("a.b", &document), ["1", "missing"]);
        assert_eq!(found("a.1", &document), ["7"]);
        assert_eq!(found("a.0.b", &document), ["1"]);
        assert_eq!(found("a.3.b", &document), ["9"]);
        assert_eq!(found("a", &object("a", vec![Value::from(1)])), ["[1]"]);
        assert_eq!(found("a.b", &object("a", vec![Value::from(1)])), Vec::<String>::new());
        assert_eq!(found("a.b", &object("a", 1)), ["missing"]);
        assert_eq!(found("x.b", &document), ["missing"]);
        assert!(Path::parse("a.b").unwrap().meets_array((&document).into()).unwrap());
        assert!(!Path::parse("x.b").unwrap().meets_array((&document).into()).unwrap());
    }

    #[test]
    fn bad_paths_are_refused() {
        for path in ["", "a..b", ".a", "a.", "$a", "a.$b"] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
        assert_eq!(Path::parse("a.01").unwrap().parts().last().unwrap().index, None);
    }
}
