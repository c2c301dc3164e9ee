//! Rules: what is configured of documents that are to be written: a schema, and the version that they are written as.
//!
//! Not the schemas themselves (`schema.rs`), and not stored: each context holds what it writes against what it was opened
//! with. What is stored already is not looked at again.
//!
//! Invariants: every document passes here once its key is known, and before anything of its statement is written; what
//! is missing and has a `default` is filled first, in inserts and in changes alike, so that what is valid is what is
//! stored.

use super::change::{Changes, Fate};
use super::config::CollectionConfig;
use super::document;
use super::draft::Tree;
use super::write::{Mode, is_of_document};
use crate::engine::catalog::Collection;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Schema, Violation};
use crate::value::{Object, Value, View, codec};
use core::cell::RefCell;
use std::borrow::Cow;
use std::rc::Rc;

/// The detail of an error that lists what is wrong with a document.
pub(crate) const VIOLATIONS: &str = "violations";

/// What is configured for each collection.
#[derive(Debug, Default)]
pub(crate) struct Rules(RefCell<Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    collection: String,
    schema: Option<Rc<Schema>>,
    version: u32,
}

impl Rules {
    /// From now on this is what is configured for a collection.
    pub(crate) fn set(&self, config: &CollectionConfig) {
        let mut rules = self.0.borrow_mut();
        rules.retain(|rule| rule.collection != config.name);
        let (collection, schema) = (config.name.clone(), config.schema.clone());
        rules.push(Rule { collection, schema, version: config.version });
    }

    /// The schema of a collection.
    pub(crate) fn of(&self, collection: &str) -> Option<Rc<Schema>> {
        self.0.borrow().iter().find(|rule| rule.collection == collection)?.schema.clone()
    }

    /// The version that this context writes documents as.
    ///
    /// # Errors
    /// `unsupported` where the collection is at a newer one.
    pub(crate) fn version(&self, collection: &Collection) -> Result<u32> {
        let rules = self.0.borrow();
        let known = rules.iter().find(|rule| rule.collection == *collection.name).map_or(1, |rule| rule.version);
        if known >= collection.version.current {
            return Ok(known);
        }
        let (name, current) = (&collection.name, collection.version.current);
        let message = format!("collection `{name}` is at version {current}, and this context knows version {known}");
        let error = Error::new(ErrorKind::Unsupported, message);
        let error = error.with_hint("reload, to run the newer code; until then the collection can be read only");
        Err(error.with_detail("collection", name).with_detail("version", current))
    }
}

/// Holds the new documents of a statement against a schema: rows, and those that are still trees, by their place.
/// Answers the trees, with those rows among them to which something was filled. What is not valid is refused in its
/// place; where a statement is all or nothing, nothing is looked at behind the first.
///
/// # Errors
/// `corrupt` for damaged rows.
pub(crate) fn admit<'d>(
    schema: Option<&Schema>,
    collection: &Collection,
    changes: &mut Changes,
    trees: Vec<Tree<'d>>,
    mode: Mode,
) -> Result<Vec<Tree<'d>>> {
    let Some(schema) = schema else { return Ok(trees) };
    let mut trees = trees.into_iter().peekable();
    let mut admitted = Vec::new();
    for place in 0..changes.len() {
        let tree = trees.next_if(|(of, _)| *of == place);
        if !changes.is_pending(place) {
            continue;
        }
        let filled = match (&tree, changes.after(place)) {
            (Some((_, tree)), _) => fill_and_check(schema, View::Object((&**tree).into())),
            (None, Some(value)) => fill_and_check(schema, View::Object(document::open(collection, value)?)),
            (None, None) => continue,
        };
        match filled {
            Ok(None) => admitted.extend(tree),
            Ok(Some(filled)) => {
                changes.forget_new(place);
                admitted.push((place, Cow::Owned(filled)));
            }
            Err(error) if is_of_document(&error) => {
                let error = document::naming(error, collection, changes.primary(place));
                changes.set_fate(place, Fate::Refused(error));
                if mode == Mode::Together {
                    break;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(admitted)
}

/// The document with what was missing, if something was.
fn fill_and_check(schema: &Schema, value: View<'_>) -> Result<Option<Object>> {
    let fills = schema.fills(value)?;
    if fills.is_empty() {
        check(schema, value)?;
        return Ok(None);
    }
    let mut filled = value.to_value()?;
    fills.iter().for_each(|fill| fill.apply(&mut filled));
    check(schema, (&filled).into())?;
    match filled {
        Value::Object(filled) => Ok(Some(filled)),
        _ => Err(Error::internal("a document is no object")),
    }
}

fn check(schema: &Schema, value: View<'_>) -> Result<()> {
    let violations = schema.validate(value)?;
    let Some(first) = violations.first() else { return Ok(()) };
    let more = violations.len() - 1;
    let message = if more == 0 { first.to_string() } else { format!("{first}, and {more} more violations") };
    let told = Value::Array(violations.iter().map(told).collect());
    Err(Error::invalid(message)
        .with_hint("see `details.violations`; nothing of the document was written")
        .with_value(VIOLATIONS, codec::encoded(&told)))
}

fn told(violation: &Violation) -> Value {
    let Violation { pointer, keyword, schema_pointer, reason } = violation;
    let fields = [("pointer", &**pointer), ("keyword", keyword), ("schemaPointer", schema_pointer), ("reason", reason)];
    Object::from(fields.map(|(name, text)| (name, Value::from(text)))).into()
}
