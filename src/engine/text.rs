//! Entries of a text index: the words of a document.
//!
//! Not a search: that is `db/find/text.rs`.
//!
//! An entry is the key `20` collection index, the word as a component (`value/key.rs`), the primary key; its value says
//! where in the document the word stands (`query/text/posting.rs`). A document with a word has one more, of the empty word,
//! whose value is its length: so that documents can be counted. Words are those of the strings at the index's fields, and of
//! those in arrays there.
//!
//! Invariants: what a document has follows from it alone; nothing is kept of all documents together, so that writes of
//! different documents are never in each other's way.

use super::catalog::{Collection, Index};
use super::index::Entries;
use crate::error::{Error, Result};
use crate::limits::INDEX_ENTRIES_PER_DOCUMENT_MAX;
use crate::part::Part;
use crate::query::text::posting::{self, Place};
use crate::sorted;
use crate::value::view::ObjectView;
use crate::value::{Path, View, key};
use crate::words;
use core::ops::ControlFlow;

/// The words of a document.
#[derive(Default)]
struct Words {
    text: String,
    /// Where in the text each ends, and where it stands in the document.
    each: Vec<(usize, Place)>,
}

impl Words {
    fn word(&self, place: usize) -> &str {
        let start = place.checked_sub(1).and_then(|before| self.each.get(before)).map_or(0, |(end, _)| *end);
        let end = self.each.get(place).map_or(0, |(end, _)| *end);
        self.text.get(start..end).unwrap_or_default()
    }

    /// Adds the words at a path. Answers how many.
    fn add(&mut self, field: u32, path: &Path, document: ObjectView<'_>) -> Result<u64> {
        let before = self.each.len();
        let mut word = 0;
        let mut add = |value: View<'_>| {
            let View::String(text) = value else { return };
            words::each(text, &mut |found, _| {
                self.text.push_str(found);
                self.each.push((self.text.len(), Place { field, word }));
                word += 1;
            });
            word += 1;
        };
        let _ = path.visit(document, &mut |found| {
            match found {
                Some(View::Array(elements)) => {
                    for element in elements.iter() {
                        add(element?);
                    }
                }
                found => found.into_iter().for_each(&mut add),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((self.each.len() - before) as u64)
    }
}

/// Makes `out` the entries of a document in a text index with these weights.
///
/// # Errors
/// `limit` for too many different words; `corrupt` for damaged rows; `unsupported` in a build without text search.
pub(super) fn fill(
    out: &mut Entries,
    collection: &Collection,
    (index, weights): (&Index, &[u32]),
    document: ObjectView<'_>,
    primary: &[u8],
) -> Result<()> {
    Part::Text.needed()?;
    let mut words = Words::default();
    let mut length = 0;
    for (field, (path, weight)) in index.facts.fields.iter().zip(weights).enumerate() {
        length += words.add(field as u32, path, document)? * u64::from(*weight);
    }
    if words.each.is_empty() {
        return Ok(());
    }
    let prefix = collection.id.index_entries(index.id);
    let mut posting = Vec::new();
    posting::push(&mut posting, length, 1, &mut core::iter::empty());
    out.push(&[&prefix, &[key::TAG_STRING, key::END], primary], &posting, index)?;
    let order = sorted::order(words.each.len(), &mut |left, right| words.word(left).cmp(words.word(right)));
    let mut different = 0;
    for same in order.chunk_by(|left, right| words.word(*left) == words.word(*right)) {
        different += 1;
        if different > INDEX_ENTRIES_PER_DOCUMENT_MAX {
            return Err(too_many(index));
        }
        let word = same.first().map_or("", |place| words.word(*place));
        posting.clear();
        let places =
            same.iter().map(|place| words.each.get(*place).map_or(Place { field: 0, word: 0 }, |(_, place)| *place));
        posting::push(&mut posting, length, weights.len(), &mut places.into_iter());
        out.push(&[&prefix, &[key::TAG_STRING], word.as_bytes(), &[key::END], primary], &posting, index)?;
    }
    Ok(())
}

fn too_many(index: &Index) -> Error {
    let name = &index.facts.name;
    let message = format!("a text has more than {INDEX_ENTRIES_PER_DOCUMENT_MAX} different words in index `{name}`");
    Error::limit(message).with_detail("index", name)
}
