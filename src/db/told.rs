//! What statements of a transaction wrote, for whoever wants to look at it before the commit.
//!
//! Not kept unless someone asks: most transactions have nobody who does.
//!
//! Invariant: who asks is told all that his statement wrote, and perhaps what others wrote meanwhile.

use super::change::Changes;
use super::document;
use crate::engine::catalog::Collection;
use crate::error::Result;
use crate::value::{Object, Value};
use core::cell::{Cell, RefCell};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Told {
    asking: Cell<usize>,
    written: RefCell<Vec<(String, Object)>>,
}

/// Someone who asks, until this is dropped.
pub(crate) struct Telling<'a> {
    told: &'a Told,
    from: usize,
}

impl Told {
    /// From now on it is noted what is written.
    pub(crate) fn begin(&self) -> Telling<'_> {
        self.asking.set(self.asking.get() + 1);
        Telling { told: self, from: self.written.borrow().len() }
    }

    /// Notes the documents that are about to be written, if someone asks.
    pub(crate) fn take_note(&self, collection: &Collection, changes: &Changes) -> Result<()> {
        if self.asking.get() == 0 {
            return Ok(());
        }
        for place in 0..changes.len() {
            if let Some(value) = changes.after(place).filter(|_| changes.is_pending(place)) {
                let document = document::to_object(collection, changes.primary(place), value)?;
                self.written.borrow_mut().push((collection.name.to_string(), document));
            }
        }
        Ok(())
    }
}

impl Telling<'_> {
    /// The documents of a collection that were written.
    pub(crate) fn finish(self, collection: &str) -> Value {
        let written = self.told.written.borrow();
        let since = written.get(self.from..).unwrap_or_default().iter().filter(|(name, _)| name == collection);
        Value::Array(since.map(|(_, document)| Value::Object(document.clone())).collect())
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.told.asking.set(self.told.asking.get() - 1);
    }
}
