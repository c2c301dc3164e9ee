//! Cursors: finds and pipelines that are read in parts.
//!
//! Not a lock: a cursor reads its snapshot for as long as it is open, whatever is committed meanwhile.
//!
//! Invariant: while a part is read, the cursor is out of the list, so that no borrow lives across an await.

use super::aggregate::Run;
use super::config::parse_count;
use super::find::Find;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Projection;
use crate::sorted::Sorted;
use crate::storage::Storage;
use crate::value::Value;
use core::cell::{Cell, RefCell};

/// Cursors that may be open at once.
const CURSORS_MAX: usize = 10_000;

/// What is read in parts.
pub(crate) enum Cursor<S: Storage> {
    Find(Box<Find<S>>, Option<Projection>),
    Run(Box<Run<S>>),
}

/// The open cursors, by number.
pub(crate) struct Cursors<S: Storage> {
    open: RefCell<Sorted<usize, Option<Cursor<S>>>>,
    last: Cell<usize>,
}

impl<S: Storage> Default for Cursors<S> {
    fn default() -> Self {
        Cursors { open: RefCell::default(), last: Cell::new(0) }
    }
}

impl<S: Storage> Cursors<S> {
    /// Opens one; answers its number.
    pub(crate) fn open(&self, cursor: Cursor<S>) -> Result<usize> {
        let mut open = self.open.borrow_mut();
        if open.len() >= CURSORS_MAX {
            let error = Error::limit(format!("{} cursors are open, the limit is {CURSORS_MAX}", open.len()));
            return Err(error.with_hint("close cursors that are not read to the end"));
        }
        self.last.set(self.last.get() + 1);
        open.insert(self.last.get(), Some(cursor));
        Ok(self.last.get())
    }

    /// Takes a cursor out, to read it.
    pub(crate) fn take(&self, number: &Value) -> Result<(usize, Cursor<S>)> {
        let number = parse_count("cursor", number)?;
        match self.open.borrow_mut().get_mut(&number) {
            Some(place) => {
                let cursor = place.take().ok_or_else(|| Error::invalid("the cursor is being read already"))?;
                Ok((number, cursor))
            }
            None => Err(Error::new(ErrorKind::NotFound, "the cursor is not open")),
        }
    }

    /// Puts a cursor back, unless it was closed meanwhile.
    pub(crate) fn put_back(&self, number: usize, cursor: Cursor<S>) {
        if let Some(place) = self.open.borrow_mut().get_mut(&number) {
            *place = Some(cursor);
        }
    }

    /// Closes a cursor; one that is not open is no error.
    pub(crate) fn close(&self, number: usize) {
        self.open.borrow_mut().remove(&number);
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        self.open.borrow_mut().clear();
    }
}
