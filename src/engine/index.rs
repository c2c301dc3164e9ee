//! Index entries: which keys a document has in an index, and which come and go when it changes.
//!
//! Not a reader or a writer: it takes documents and gives keys.
//!
//! An entry is the key `20` collection index, a component (`value/key.rs`) for each field, the primary key; its value
//! is empty. Those of a text index are of words instead: `engine/text.rs`. What is missing is entered as null; a sparse index has no entry for a document without any of the fields.
//! Where an array lies at a field or on the way to it, there is an entry for each value that the path leads to, each
//! once; where that gives nothing, one for "an array without elements".
//!
//! Invariants: a document has an entry with a component exactly where a filter would find an equal value at the path;
//! at most one field of an index may meet an array in one document.

use super::catalog::{Collection, Index};
use super::text;
use crate::error::{Error, Result};
use crate::limits::{INDEX_ENTRIES_PER_DOCUMENT_MAX, KEY_BYTES_MAX};
use crate::planted::{Bug, planted};
use crate::sorted;
use crate::value::path::Found;
use crate::value::row::RowObject;
use crate::value::view::ObjectView;
use crate::value::{Path, View, key};
use core::ops::ControlFlow;

/// The entries of one document in one index: whole keys, ascending, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    // The keys one behind the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    // The same of their values; none where all are empty.
    values: Vec<u8>,
    value_ends: Vec<usize>,
    /// The field that met an array, as a bit; 0 where none did.
    pub multi: u16,
}

impl Entries {
    /// The keys in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let key = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            key
        })
    }

    /// The keys that another list, ascending as well, does not have.
    pub fn without<'a>(&'a self, other: &'a Entries) -> impl Iterator<Item = &'a [u8]> {
        let mut others = other.iter().peekable();
        self.iter().filter(move |key| {
            while others.next_if(|other| other < key).is_some() {}
            others.peek() != Some(key)
        })
    }

    /// The keys in order, with their values.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.iter().enumerate().map(move |(place, key)| {
            let end = self.value_ends.get(place).copied().unwrap_or_default();
            let value = self.values.get(start..end).unwrap_or_default();
            start = end;
            (key, value)
        })
    }

    /// The keys, with their values, that another list, ascending as well, does not have like this.
    pub fn unlike<'a>(&'a self, other: &'a Entries) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut others = other.pairs().peekable();
        self.pairs().filter(move |(key, value)| {
            while others.next_if(|(other, _)| other < key).is_some() {}
            let is_there =
                others.peek().is_some_and(|(other, old)| other == key && (old == value || planted(Bug::PostingsKept)));
            !is_there
        })
    }

    /// Forgets them, and keeps their room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.values.clear();
        self.value_ends.clear();
        self.multi = 0;
    }

    /// Adds a key, of which these are the parts, with its value: behind all that are there.
    pub(super) fn push(&mut self, parts: &[&[u8]], value: &[u8], index: &Index) -> Result<()> {
        let start = self.bytes.len();
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.values.extend_from_slice(value);
        self.value_ends.push(self.values.len());
        self.end_key(start, index)
    }

    fn end_key(&mut self, start: usize, index: &Index) -> Result<()> {
        check_len(self.bytes.len() - start, index)?;
        self.ends.push(self.bytes.len());
        Ok(())
    }
}

/// What lies at a path, when no array is entered.
enum Reached<'a> {
    Missing,
    Scalar(View<'a>),
    Array,
}

fn reach<'a>(path: &Path, document: ObjectView<'a>) -> Result<Reached<'a>> {
    let mut here = View::Object(document);
    for part in path.parts() {
        here = match here {
            View::Object(object) => match object.get(&part.name)? {
                Some(value) => value,
                None => return Ok(Reached::Missing),
            },
            View::Array(_) => return Ok(Reached::Array),
            _ => return Ok(Reached::Missing),
        };
    }
    Ok(if matches!(here, View::Array(_)) { Reached::Array } else { Reached::Scalar(here) })
}

/// The entries of a document in an index.
///
/// # Errors
/// As [`fill`].
pub fn entries(collection: &Collection, index: &Index, document: ObjectView<'_>, primary: &[u8]) -> Result<Entries> {
    let mut entries = Entries::default();
    fill(&mut entries, collection, index, document, primary)?;
    Ok(entries)
}

/// Makes `out` the entries of a document in an index.
///
/// # Errors
/// `invalid` where two fields meet arrays; `limit` where there are too many entries, or one is too long; `corrupt` for
/// damaged rows; `unsupported` for a text index in a build without text search.
pub fn fill(
    out: &mut Entries,
    collection: &Collection,
    index: &Index,
    document: ObjectView<'_>,
    primary: &[u8],
) -> Result<()> {
    out.clear();
    if let Some(weights) = &index.facts.weights {
        return text::fill(out, collection, (index, weights), document, primary);
    }
    collection.id.push_index_prefix(index.id, &mut out.bytes);
    let mut array: Option<(usize, usize)> = None;
    let mut is_there = false;
    for (place, path) in index.facts.fields.iter().enumerate() {
        match reach(path, document)? {
            Reached::Missing => key::push(&mut out.bytes, View::Null)?,
            Reached::Scalar(value) => {
                is_there = true;
                key::push(&mut out.bytes, value)?;
            }
            Reached::Array => {
                if let Some((other, _)) = array {
                    return Err(two_arrays(index, other, path));
                }
                array = Some((place, out.bytes.len()));
            }
        }
    }
    if let Some((place, at)) = array {
        return fill_multi(out, index, document, (place, at, is_there), primary);
    }
    if !index.facts.sparse || is_there {
        out.bytes.extend_from_slice(primary);
        out.end_key(0, index)?;
    }
    Ok(())
}

/// The same where the field `place` meets an array: its values belong at `at` of the key that has been begun.
fn fill_multi(
    out: &mut Entries,
    index: &Index,
    document: ObjectView<'_>,
    (place, at, is_there): (usize, usize, bool),
    primary: &[u8],
) -> Result<()> {
    let path = index.facts.fields.get(place).ok_or_else(|| Error::internal("an index lost a field"))?;
    let components = components(path, document)?;
    let begun = core::mem::take(&mut out.bytes);
    out.multi = 1 << place;
    if index.facts.sparse && !is_there && !components.is_there {
        return Ok(());
    }
    if components.each.len() > INDEX_ENTRIES_PER_DOCUMENT_MAX {
        let message = format!(
            "the array at `{path}` has {} entries in index `{}`, the limit is {INDEX_ENTRIES_PER_DOCUMENT_MAX}",
            components.each.len(),
            index.facts.name
        );
        return Err(Error::limit(message));
    }
    let (before, behind) = begun.split_at_checked(at).unwrap_or((&begun, &[]));
    for component in &components.each {
        let start = out.bytes.len();
        for part in [before, component, behind, primary] {
            out.bytes.extend_from_slice(part);
        }
        out.end_key(start, index)?;
    }
    Ok(())
}

/// Whether a document's entries may have changed between two of its rows.
///
/// # Errors
/// `corrupt` for damaged rows.
pub fn is_touched(index: &Index, old: &RowObject<'_>, new: &RowObject<'_>) -> Result<bool> {
    for path in &index.facts.fields {
        let Some(part) = path.parts().first() else { return Ok(true) };
        if old.raw(&part.name)? != new.raw(&part.name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Components {
    // Ascending, each once; never empty.
    each: Vec<Vec<u8>>,
    // Whether the path leads to something.
    is_there: bool,
}

fn components(path: &Path, document: ObjectView<'_>) -> Result<Components> {
    let mut each = Vec::new();
    let mut is_there = false;
    let _ = path.visit(document, &mut |found: Found<'_>| {
        is_there |= found.is_some();
        match found.unwrap_or(View::Null) {
            View::Array(elements) => {
                for element in elements.iter() {
                    each.push(key::encode(element?)?);
                }
            }
            value => each.push(key::encode(value)?),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut each = sorted::once_each(each);
    if each.is_empty() {
        let mut empty = Vec::new();
        key::push_empty(&mut empty);
        each.push(empty);
    }
    Ok(Components { each, is_there })
}

fn two_arrays(index: &Index, other: usize, path: &Path) -> Error {
    let other = index.facts.fields.get(other).map_or("", Path::as_str);
    let message = format!("`{other}` and `{path}` are both arrays, which index `{}` cannot hold", index.facts.name);
    Error::invalid(message)
        .with_hint("an index may have one array in a document")
        .with_detail("index", &index.facts.name)
}

fn check_len(len: usize, index: &Index) -> Result<()> {
    if len > KEY_BYTES_MAX {
        let message = format!("an entry of index `{}` has {len} bytes, the limit is {KEY_BYTES_MAX}", index.facts.name);
        return Err(Error::limit(message).with_detail("index", &index.facts.name));
    }
    Ok(())
}

/// The primary key at the end of an entry, given without its prefix.
///
/// # Errors
/// `corrupt` where it is no entry of an index with so many fields.
pub fn primary_of(fields: usize, mut entry: &[u8]) -> Result<&[u8]> {
    for _ in 0..fields {
        key::skip(&mut entry)?;
    }
    Ok(entry)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::catalog::{Catalog, IndexState};
    use super::*;
    use crate::query::IndexFacts;
    use crate::value::{Object, Value};

    fn index_of(collection: &Collection, facts: IndexFacts) -> Index {
        let (is_unique, state, totals) = (false, IndexState::Ready, std::rc::Rc::default());
        Index { id: collection.next_index_id(), facts, is_unique, state, totals }
    }

    /// Entries as text: the values of each, and whether the primary key stands behind them.
    fn check(fields: &[&str], sparse: bool, document: Object, expected: &str) {
        let fields: Vec<Path> = fields.iter().map(|field| Path::parse(field).unwrap()).collect();
        let collection = Catalog::new().next_collection("c", vec![]);
        let facts = IndexFacts { name: "i".into(), fields: fields.clone(), sparse, multi: 0, weights: None };
        let index = index_of(&collection, facts);
        let text = |entry: &[u8]| {
            let mut rest = entry.strip_prefix(&*collection.id.index_entries(index.id)).unwrap();
            assert_eq!(primary_of(fields.len(), rest).unwrap(), b"pk");
            let value = |rest: &mut &[u8]| match key::read(rest) {
                Ok(value) => value.to_string(),
                Err(_) => "empty".to_owned(),
            };
            (0..fields.len()).map(|_| value(&mut rest)).collect::<Vec<_>>().join(",")
        };
        let found = entries(&collection, &index, (&document).into(), b"pk");
        let found = found.map(|entries| {
            assert!(entries.iter().is_sorted());
            let keys: Vec<_> = entries.iter().map(text).collect();
            format!("{} multi {}", keys.join(" "), entries.multi)
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
    }

    fn list<const N: usize>(values: [i32; N]) -> Value {
        Value::Array(values.into_iter().map(Value::from).collect())
    }

    #[test]
    fn scalars_have_one_entry_and_what_is_missing_is_null() {
        check(&["a"], false, Object::from([("a", 5.into())]), "5 multi 0");
        check(&["a", "b"], false, Object::from([("b", 5.into())]), "null,5 multi 0");
        check(&["a"], false, Object::new(), "null multi 0");
        check(&["a"], true, Object::new(), " multi 0");
        check(&["a"], true, Object::from([("a", Value::Null)]), "null multi 0");
        check(&["a", "b"], true, Object::from([("b", 5.into())]), "null,5 multi 0");
    }

    #[test]
    fn arrays_have_an_entry_for_each_element_once() {
        check(&["a"], false, Object::from([("a", list([3, 1, 3]))]), "1 3 multi 1");
        check(&["x", "a"], false, Object::from([("x", 7.into()), ("a", list([3, 1]))]), "7,1 7,3 multi 2");
        check(&["a"], false, Object::from([("a", list([]))]), "empty multi 1");
        check(&["a"], true, Object::from([("a", list([]))]), "empty multi 1");
        check(&["a.b"], true, Object::from([("a", list([1]))]), " multi 1");
        let rows = vec![Object::from([("b", 2.into())]).into(), Object::new().into()];
        check(&["a.b"], false, Object::from([("a", rows.into())]), "null 2 multi 1");
        let both = Object::from([("a", list([1])), ("b", list([1]))]);
        check(&["a", "b"], false, both, "`a` and `b` are both arrays, which index `i` cannot hold");
    }

    #[test]
    fn entries_are_compared_with_those_before() {
        let collection = Catalog::new().next_collection("c", vec![]);
        let fields = vec![Path::parse("a").unwrap()];
        let index =
            index_of(&collection, IndexFacts { name: "i".into(), fields, sparse: false, multi: 0, weights: None });
        let of = |list: Value| entries(&collection, &index, (&Object::from([("a", list)])).into(), b"pk").unwrap();
        let (old, new) = (of(list([1, 2, 4])), of(list([2, 3, 5])));
        assert_eq!(old.without(&new).collect::<Vec<_>>(), of(list([1, 4])).iter().collect::<Vec<_>>());
        assert_eq!(new.without(&old).collect::<Vec<_>>(), of(list([3, 5])).iter().collect::<Vec<_>>());
        assert_eq!(new.without(&new).count(), 0);
        assert_eq!(new.without(&Entries::default()).count(), 3);
    }

    #[test]
    fn too_many_and_too_long_entries_are_refused() {
        let many = Value::Array((0..=10_000).map(Value::from).collect());
        check(
            &["a"],
            false,
            Object::from([("a", many)]),
            "the array at `a` has 10001 entries in index `i`, the limit is 10000",
        );
        let long = Value::from("x".repeat(KEY_BYTES_MAX));
        check(&["a"], false, Object::from([("a", long)]), "an entry of index `i` has 4109 bytes, the limit is 4096");
    }
}
