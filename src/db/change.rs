//! Changes: what one statement does to documents, one change for each document, packed.
//!
//! Not a choice of documents (`db/collection.rs`), and not written yet (`db/write.rs`).
//!
//! Invariant: a change that is pending has a key, and a new document or an old one to delete.

use super::document;
use crate::engine::Slice;
use crate::engine::catalog::{CollectionId, DOCUMENT_PREFIX_LEN};
use crate::engine::unsorted::sorted;
use crate::error::{Error, Result};
use core::ops::Range;

/// What happens to one document.
#[derive(Debug, Default)]
pub(crate) struct Change {
    key: Range<usize>,
    /// The document as it will be stored; empty to delete it.
    new: Range<usize>,
    /// As stored now.
    old: Option<Slice>,
    /// Whether the document came without a key: nobody else can have it.
    pub(crate) has_made_key: bool,
    fate: Fate,
}

/// What becomes of a change.
#[derive(Debug, Default)]
pub(crate) enum Fate {
    /// It is to be written.
    #[default]
    Pending,
    /// There is nothing to write.
    Idle,
    /// It cannot be written.
    Refused(Error),
}

/// The changes of a statement, in the order in which they were given.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) list: Vec<Change>,
    keys: Vec<u8>,
    rows: Vec<u8>,
    /// Those that were pending at the last call of [`Changes::in_order`].
    order: Vec<usize>,
}

impl Changes {
    /// With room for so many, and so many bytes of documents.
    pub(crate) fn with_capacity(count: usize, size_bytes: usize) -> Self {
        Changes {
            list: Vec::with_capacity(count),
            keys: Vec::with_capacity(count * 32),
            rows: Vec::with_capacity(size_bytes),
            order: Vec::new(),
        }
    }

    /// How many there are, whatever becomes of them.
    pub(crate) const fn len(&self) -> usize {
        self.list.len()
    }

    /// A document that was found, to be deleted unless it gets a new state.
    pub(crate) fn push_old(&mut self, collection: CollectionId, primary: &[u8], old: Option<Slice>) {
        let start = self.keys.len();
        collection.push_document_prefix(&mut self.keys);
        self.keys.extend_from_slice(primary);
        self.list.push(Change { key: start..self.keys.len(), old, ..Change::default() });
    }

    /// A document, of which `write` appends the row; it has no key yet. Answers what `write` does.
    pub(crate) fn push_new<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<T>) -> Result<T> {
        self.list.push(Change::default());
        self.set_new(self.list.len() - 1, write)
    }

    /// A change that cannot be.
    pub(crate) fn push_refused(&mut self, error: Error) {
        self.list.push(Change { fate: Fate::Refused(error), ..Change::default() });
    }

    /// Sets the new state of a document, of which `write` appends the row.
    pub(crate) fn set_new<T>(&mut self, place: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<T>) -> Result<T> {
        let start = self.rows.len();
        let Some(change) = self.list.get_mut(place) else { return Err(Error::internal("a change is missing")) };
        self.rows.push(document::head(change.old.is_some()));
        let written = write(&mut self.rows);
        if written.is_err() {
            self.rows.truncate(start);
        }
        change.new = start..self.rows.len();
        written
    }

    /// Takes the new state of a document back.
    pub(crate) fn forget_new(&mut self, place: usize) {
        if let Some(change) = self.list.get_mut(place) {
            change.new = 0..0;
        }
    }

    /// Sets the key of a new document, which `push_key` takes from the document as it will be stored.
    pub(crate) fn set_key(
        &mut self,
        place: usize,
        collection: CollectionId,
        push_key: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let Some(change) = self.list.get_mut(place) else { return Ok(()) };
        let start = self.keys.len();
        collection.push_document_prefix(&mut self.keys);
        push_key(self.rows.get(change.new.clone()).unwrap_or_default(), &mut self.keys)?;
        change.key = start..self.keys.len();
        Ok(())
    }

    /// Sets what is stored now.
    pub(crate) fn set_old(&mut self, place: usize, old: Slice) {
        if let Some(change) = self.list.get_mut(place) {
            if let Some(head) = self.rows.get_mut(change.new.clone()).and_then(<[u8]>::first_mut) {
                *head = document::head(true);
            }
            change.old = Some(old);
        }
    }

    /// Puts a version into the documents that are to be written.
    pub(crate) fn set_version(&mut self, version: u32) {
        let stamp = document::stamp(version);
        for change in self.list.iter().filter(|change| stamp > 0 && matches!(change.fate, Fate::Pending)) {
            if let Some(head) = self.rows.get_mut(change.new.clone()).and_then(<[u8]>::first_mut) {
                *head |= stamp;
            }
        }
    }

    /// Says what becomes of a change.
    pub(crate) fn set_fate(&mut self, place: usize, fate: Fate) {
        if let Some(change) = self.list.get_mut(place) {
            change.fate = fate;
        }
    }

    /// Whether a change is to be written.
    pub(crate) fn is_pending(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(|change| matches!(change.fate, Fate::Pending))
    }

    /// Whether a document came without a key.
    pub(crate) fn has_made_key(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(|change| change.has_made_key)
    }

    /// How many are to be written.
    pub(crate) fn pending(&self) -> usize {
        self.list.iter().filter(|change| matches!(change.fate, Fate::Pending)).count()
    }

    /// The document's key, with the prefix of its collection.
    pub(crate) fn key(&self, place: usize) -> &[u8] {
        self.list.get(place).and_then(|change| self.keys.get(change.key.clone())).unwrap_or_default()
    }

    /// The document's primary key.
    pub(crate) fn primary(&self, place: usize) -> &[u8] {
        self.key(place).get(DOCUMENT_PREFIX_LEN..).unwrap_or_default()
    }

    /// As stored now.
    pub(crate) fn old(&self, place: usize) -> Option<&Slice> {
        self.list.get(place)?.old.as_ref()
    }

    /// The document as it will be stored; none where it is to be deleted.
    pub(crate) fn after(&self, place: usize) -> Option<&[u8]> {
        let new = self.list.get(place)?.new.clone();
        if new.is_empty() { None } else { self.rows.get(new) }
    }

    /// Those to be written, in the order of their keys; those with one key as they were given.
    /// Keys must not change any more, and no change may become pending again.
    pub(crate) fn in_order(&mut self) -> Vec<usize> {
        let mut order = core::mem::take(&mut self.order);
        if order.is_empty() {
            let pending: Vec<usize> = (0..self.list.len()).filter(|place| self.is_pending(*place)).collect();
            let place = |index: usize| pending.get(index).copied().unwrap_or_default();
            let sorted = sorted(pending.len(), |index| self.key(place(index)));
            order = sorted.into_iter().map(|index| place(index as usize)).collect();
        } else {
            order.retain(|place| self.is_pending(*place));
        }
        self.order.clone_from(&order);
        order
    }

    /// Bytes of keys and documents.
    pub(crate) const fn len_bytes(&self) -> usize {
        self.keys.len() + self.rows.len()
    }

    /// The first that cannot be written, and why.
    pub(crate) fn take_refused(&mut self) -> Option<(usize, Error)> {
        self.list.iter_mut().enumerate().find_map(|(place, change)| match core::mem::take(&mut change.fate) {
            Fate::Refused(error) => Some((place, error)),
            fate => {
                change.fate = fate;
                None
            }
        })
    }
}
