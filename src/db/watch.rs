//! Watching: what each commit changed, told to listeners, and encoded for those who want to know it.
//!
//! Not a feed that can be read later, and not the documents: kinds and keys, so that a listener may look again.
//!
//! The message: `{ seq, own, reset, changes: [[collection, [[kind, key] ...]] ...] }`; with `reset`, too much changed
//! to tell, or it is not known what.
//!
//! Invariant: listeners are called after the commit is visible, in the order of commits; they must only take note.

use super::document;
use crate::engine::CommitEvent;
use crate::engine::catalog::{Catalog, Collection, split_document_key};
use crate::engine::format::SPACE_DOCUMENT;
use crate::engine::run::Run;
use crate::value::{Object, Value, codec, key};
use core::cell::RefCell;
use std::rc::Rc;

/// Changes told one by one; a commit with more is told as a reset.
const CHANGES_MAX: usize = 10_000;

type Listener = Rc<dyn Fn(&News)>;

/// A commit, with what is needed to tell of it. Cheap to clone.
#[derive(Clone)]
pub struct News {
    event: CommitEvent,
    catalog: Rc<Catalog>,
}

/// Who wants to know. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Rc<RefCell<Vec<Listener>>>);

impl Listeners {
    /// Adds one, for good.
    pub(crate) fn add(&self, listener: impl Fn(&News) + 'static) {
        self.0.borrow_mut().push(Rc::new(listener));
    }
}

/// Tells the listeners of a commit.
pub(crate) fn tell(listeners: &Listeners, catalog: &Rc<Catalog>, event: &CommitEvent) {
    let listeners = listeners.0.borrow().clone();
    if listeners.is_empty() {
        return;
    }
    let news = News { event: event.clone(), catalog: Rc::clone(catalog) };
    for listener in listeners {
        listener(&news);
    }
}

impl News {
    /// The encoded message. It costs as much as reading the keys of all documents that were written.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let changes = self.event.run.as_ref().and_then(|run| changes(run, &self.catalog));
        let message = Object::from([
            ("seq", Value::count(usize::try_from(self.event.seq.get()).unwrap_or(usize::MAX))),
            ("own", self.event.is_own.into()),
            ("reset", changes.is_none().into()),
            ("changes", changes.unwrap_or_default().into()),
        ]);
        codec::encoded(&message.into())
    }
}

/// What a commit changed, by collection; none where it is too much, or cannot be told.
fn changes(run: &Run, catalog: &Catalog) -> Option<Vec<Value>> {
    let first = run.lower_bound(&[SPACE_DOCUMENT]);
    let behind = run.lower_bound(&[SPACE_DOCUMENT + 1]);
    if behind - first > CHANGES_MAX {
        return None;
    }
    let mut grouped: Vec<(&Collection, Vec<Value>)> = Vec::new();
    for place in first..behind {
        let (key, value) = run.entry(place)?;
        let (id, primary) = split_document_key(key)?;
        let collection = catalog.by_id(id)?;
        let change = change(collection, primary, value)?;
        match grouped.last_mut() {
            Some((last, changes)) if last.id == id => changes.push(change),
            _ => grouped.push((collection, vec![change])),
        }
    }
    let pair = |(collection, changes): (&Collection, Vec<Value>)| {
        Value::Array(vec![Value::from(&*collection.name), Value::Array(changes)])
    };
    Some(grouped.into_iter().map(pair).collect())
}

fn change(collection: &Collection, primary: &[u8], value: Option<&[u8]>) -> Option<Value> {
    let (kind, key) = match value {
        None => ("delete", key::primary_to_value(collection.key_fields.len(), primary).ok()?),
        Some(value) => {
            let kind = if document::replaced_another(value) { "update" } else { "insert" };
            (kind, document::key_of(collection, primary, value).ok()?)
        }
    };
    Some(Value::Array(vec![kind.into(), key]))
}
