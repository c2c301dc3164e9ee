//! A bulk write whose operations each name another document by its key: carried out as one statement.
//!
//! Not a meaning of its own: it does what the operations would do one after the other, or nothing, and then they are
//! carried out one after the other ([`carry_out`] answers none).
//!
//! Why: an operation by itself costs a plan, a scan and a run of its own, four times what changing a document costs.

use super::change::{Changes, Fate};
use super::collection::{self, Upsert};
use super::operation::Operation;
use super::work::Work;
use crate::engine::catalog::Collection;
use crate::error::Result;
use crate::storage::Storage;
use crate::value::key;

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) matched: usize,
    pub(crate) modified: usize,
    pub(crate) deleted: usize,
}

/// Carries the operations out; none where they have to be carried out one after the other. Then nothing is written.
pub(crate) async fn carry_out<S: Storage>(
    work: &Work<S>,
    name: &str,
    operations: &[Operation<'_>],
) -> Result<Option<Counts>> {
    let collection = work.collection(name).await?;
    let mut changes = Changes::with_capacity(operations.len(), 0);
    for operation in operations {
        let Some(primary) = primary_of(operation, &collection) else { return Ok(None) };
        changes.push_old(collection.id, &primary, None);
    }
    let order = changes.in_order();
    let is_repeated = order.windows(2).any(|pair| matches!(pair, [a, b] if changes.key(*a) == changes.key(*b)));
    if operations.len() < 2 || is_repeated {
        return Ok(None);
    }
    for (place, stored) in collection::read(work, &changes, &order).await? {
        match stored {
            Some(stored) => changes.set_old(place, stored),
            None => changes.set_fate(place, Fate::Idle),
        }
    }
    // What fails is told by the operation that it fails in.
    Ok(change(work, name, &collection, operations, changes).await.ok().flatten())
}

async fn change<S: Storage>(
    work: &Work<S>,
    name: &str,
    collection: &Collection,
    operations: &[Operation<'_>],
    mut changes: Changes,
) -> Result<Option<Counts>> {
    let mut counts = Counts::default();
    let mut trees = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        let is_there = changes.old(place).is_some();
        let Some((_, becomes, upsert)) = operation.change() else {
            counts.deleted += usize::from(is_there);
            continue;
        };
        if !is_there && upsert == Upsert::Insert {
            return Ok(None);
        }
        collection::become_new(collection, &mut changes, place, &becomes, &mut trees)?;
        counts.matched += usize::from(is_there);
        counts.modified += usize::from(changes.is_pending(place));
    }
    collection::write_all(work, name, &mut changes, trees).await?;
    Ok(Some(counts))
}

/// The key of the document that an operation names, where that is all that its filter says.
fn primary_of(operation: &Operation<'_>, collection: &Collection) -> Option<Vec<u8>> {
    let query = match operation {
        Operation::Delete { query } => query,
        _ => operation.change()?.0,
    };
    let [field] = collection.key_fields.as_slice() else { return None };
    let is_alone = query.filter.conjuncts().len() == 1;
    match query.filter.equalities().as_slice() {
        [(path, value)] if is_alone && *path == field => {
            key::primary_from_value(&collection.key_fields, (*value).into()).ok()
        }
        _ => None,
    }
}
