//! `$lookup`: documents of another collection join those that come in.
//!
//! Not one find for each document: all that come together are looked up by one, which an index over the foreign field
//! answers.
//!
//! Invariants: a local value matches a foreign one as `$in` has it: by element where either is an array, and null matches
//! what is missing; what is found comes in the order of its primary key.

use super::{BATCH, Outer, Rows, Run, Sources, Stored, Work, stored};
use crate::db::find::{Find, Query, Reading};
use crate::error::Result;
use crate::query::aggregate::{Budget, Lookup, Matched, Record, Row};
use crate::query::expression::depth_checked;
use crate::query::{Filter, weight};
use crate::sorted;
use crate::storage::Storage;
use crate::value::key_table::KeyTable;
use crate::value::view::ObjectView;
use crate::value::{Object, Path, Value, View, key, place};
use core::ops::ControlFlow;
use std::rc::Rc;

/// What a batch of documents matches.
struct Joined {
    foreign: Vec<Row<Stored>>,
    /// For each of the batch, the places of its matches, in order.
    matches: Vec<Vec<usize>>,
}

impl<S: Storage> Work<S> {
    pub(super) async fn look_up(&mut self, sources: &Rc<Sources<S>>, lookup: &Lookup, rows: Rows) -> Result<Rows> {
        // What is found for one batch is kept at once; the batches before are not.
        let mut budget = Budget::default();
        let joined = match &lookup.matched {
            Some(matched) => Some(join(sources, lookup, matched, &rows, &mut budget).await?),
            None => None,
        };
        let mut out = Vec::with_capacity(rows.len());
        for (place, row) in rows.into_iter().enumerate() {
            let mut found = Vec::new();
            if let Some(joined) = &joined {
                let matches = joined.matches.get(place).into_iter().flatten();
                found.extend(matches.filter_map(|place| joined.foreign.get(*place).cloned()));
            }
            let values = match (&lookup.pipeline, joined.is_some()) {
                (None, _) => {
                    let mut values = Vec::with_capacity(found.len());
                    super::take_in(found, &mut values, &mut budget)?;
                    values
                }
                (Some(_), false) if lookup.variables.is_empty() && self.known.is_some() => {
                    let known = self.known.clone().unwrap_or_default();
                    budget.keep(known.iter().map(weight::of).sum())?;
                    known
                }
                (Some(pipeline), has_matches) => {
                    let outer = self.variables(lookup, &row)?;
                    let mut run = match has_matches {
                        true => Run::over(sources, found, &pipeline.stages, &outer),
                        false => Run::open(sources, &lookup.from, pipeline, &outer, Reading::Documents)?,
                    };
                    let values = run.values(&mut budget).await?;
                    if !has_matches && lookup.variables.is_empty() {
                        self.known = Some(values.clone());
                    }
                    values
                }
            };
            let mut document: Object = row.into_object()?;
            let values = Value::Array(values);
            depth_checked(&values, lookup.to.parts().len() + 1)?;
            place::set(&mut document, &lookup.to, values)?;
            out.push(Row::Made(document));
        }
        Ok(out)
    }

    fn variables(&self, lookup: &Lookup, row: &Row<Stored>) -> Result<Outer> {
        let mut outer = self.step.outer.to_vec();
        for variable in &lookup.variables {
            outer.push(variable.value(row.whole()?, &self.step.outer)?);
        }
        Ok(outer.into())
    }
}

async fn join<S: Storage>(
    sources: &Rc<Sources<S>>,
    lookup: &Lookup,
    matched: &Matched,
    rows: &[Row<Stored>],
    budget: &mut Budget,
) -> Result<Joined> {
    let mut keys = KeyTable::default();
    let mut wanted: Vec<Value> = Vec::new();
    let mut locals: Vec<Vec<usize>> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut places = Vec::new();
        visit(&matched.local, row.view()?, Arrays::ByElement, &mut |value| {
            if let Some((place, is_new)) = keys.place(&key::encode(value)?) {
                places.push(place);
                if is_new {
                    wanted.push(value.to_value()?);
                }
            }
            Ok(())
        })?;
        locals.push(places);
    }
    let condition = Object::from([("$in", wanted.into())]);
    let filter = Filter::parse(&Object::from([(matched.foreign.as_str(), condition.into())]))?;
    let collection = sources.collection(&lookup.from)?;
    let find = Find::new(sources.reader.clone(), Rc::clone(&collection), Query::of(filter), Reading::Documents)?;
    let mut find = find.watched(&sources.slow);
    let mut foreign: Vec<Option<Stored>> = Vec::new();
    loop {
        let batch = find.next_batch(BATCH).await?;
        if batch.is_empty() {
            break;
        }
        for found in batch {
            let found = Stored { collection: Rc::clone(&collection), found };
            budget.keep(found.weight() + 64)?;
            foreign.push(Some(found));
        }
    }
    let primary = |place: usize| foreign.get(place).and_then(|found| found.as_ref().map(|found| found.found.primary()));
    let order = sorted::order(foreign.len(), &mut |left, right| primary(left).cmp(&primary(right)));
    let foreign: Vec<Stored> =
        order.into_iter().filter_map(|place| foreign.get_mut(place).and_then(Option::take)).collect();
    let mut by_key: Vec<Vec<usize>> = Vec::new();
    for (place, found) in foreign.iter().enumerate() {
        visit(&matched.foreign, found.view()?, Arrays::WholeToo, &mut |value| {
            if let Some(known) = keys.get(&key::encode(value)?) {
                if by_key.len() <= known {
                    by_key.resize(known + 1, Vec::new());
                }
                if let Some(places) = by_key.get_mut(known) {
                    places.push(place);
                }
            }
            Ok(())
        })?;
    }
    let of_local = |locals: Vec<usize>| {
        let mut places: Vec<usize> = locals.iter().filter_map(|local| by_key.get(*local)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    };
    let matches = locals.into_iter().map(of_local).collect();
    let foreign = foreign.into_iter().map(|found| stored(&collection, found.found)).collect();
    Ok(Joined { foreign, matches })
}

/// What of an array counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrays {
    ByElement,
    WholeToo,
}

/// The values at a path: null where it is missing, and of an array its elements (and, where asked, the array).
fn visit(
    path: &Path,
    document: ObjectView<'_>,
    arrays: Arrays,
    each: &mut dyn FnMut(View<'_>) -> Result<()>,
) -> Result<()> {
    // It never breaks.
    let _ = path.visit(document, &mut |found| {
        match found.unwrap_or(View::Null) {
            View::Array(elements) => {
                for element in elements.iter() {
                    each(element?)?;
                }
                if arrays == Arrays::WholeToo {
                    each(View::Array(elements))?;
                }
            }
            value => each(value)?,
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}
