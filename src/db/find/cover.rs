//! Covers: documents made of the entries of an index, where these tell all that a projection takes.
//!
//! Not a plan: which index is read, and whether it holds the fields, is decided in `query/plan.rs`.
//!
//! Invariant: what is made of an entry is what the projection makes of its document. An entry that does not tell a value
//! exactly (see [`key::is_exact`]) makes nothing, and its document is read. The order of fields is that of all shapes that
//! have them; objects with so many fields that they have no shape are taken to have it too.

use crate::engine::catalog::Collection;
use crate::error::Result;
use crate::limits::SHAPES_PER_COLLECTION_MAX;
use crate::query::{Plan, Projection, Question};
use crate::sorted;
use crate::value::{Name, Object, Path, Value, key};

/// What a document is made of.
pub(crate) struct Cover {
    /// For each of the first components of an entry the place of its field in the document, if it has one.
    places: Vec<Option<usize>>,
    names: Vec<Name>,
}

/// The fields that a projection takes, in the order in which documents have them; none where that is not known, or
/// no index has them all.
pub(super) fn fields(collection: &Collection, projection: Option<&Projection>) -> Vec<Path> {
    let fields = projection.and_then(Projection::plain_fields).unwrap_or_default();
    let is_held = collection.ready.iter().any(|index| {
        let mut fields = fields.iter();
        fields.all(|field| index.fields.contains(field) || collection.key_fields.contains(field))
    });
    let order = if is_held { order(collection, &fields) } else { None };
    order.unwrap_or_default().into_iter().filter_map(|place| fields.get(place).cloned()).collect()
}

/// The order in which documents have all of the fields, as places among them.
fn order(collection: &Collection, fields: &[Path]) -> Option<Vec<usize>> {
    if fields.len() == 1 {
        return Some(vec![0]);
    }
    let mut known: Option<Vec<usize>> = None;
    for (_, shape) in collection.shapes.iter() {
        let places: Option<Vec<usize>> = fields.iter().map(|field| shape.place(field.as_str())).collect();
        let Some(places) = places else { continue };
        let order = sorted::order(places.len(), &mut |left, right| places.get(left).cmp(&places.get(right)));
        if *known.get_or_insert_with(|| order.clone()) != order {
            return None;
        }
    }
    known.filter(|_| collection.shapes.len() < SHAPES_PER_COLLECTION_MAX)
}

impl Cover {
    /// None where documents are read.
    pub(super) fn of(plan: &Plan, question: &Question<'_>) -> Option<Cover> {
        if !plan.covers(question) {
            return None;
        }
        let mut cover = Cover { places: Vec::new(), names: Vec::new() };
        for (at, field) in question.fields.iter().enumerate() {
            let component = plan.holds(field, question.indexes, question.key_fields)?;
            if component >= cover.places.len() {
                cover.places.resize(component + 1, None);
            }
            *cover.places.get_mut(component)? = Some(at);
            cover.names.push(field.as_str().into());
        }
        Some(cover)
    }

    /// Whether the entry tells all values exactly; what is damaged does not.
    pub(super) fn tells(&self, mut entry: &[u8]) -> bool {
        self.places.iter().all(|place| {
            let is_exact = place.is_none() || key::is_exact(entry);
            is_exact && key::skip(&mut entry).is_ok()
        })
    }

    /// What the projection makes of a document with this entry, which tells it.
    pub(super) fn object(&self, mut entry: &[u8]) -> Result<Object> {
        let mut fields: Vec<(Name, Value)> = self.names.iter().map(|name| (name.clone(), Value::Null)).collect();
        for place in &self.places {
            match place.and_then(|place| fields.get_mut(place)) {
                Some((_, value)) => *value = key::read(&mut entry)?,
                None => key::skip(&mut entry)?,
            }
        }
        Object::from_fields(fields)
    }
}
