//! Steps: stages at work, with what they keep.
//!
//! Not those that read other collections: `db/aggregate.rs` does their work; here they let documents through.
//!
//! Invariant: a step gives out documents in order, and those that it held back when it is finished.

use super::budget::Budget;
use super::group::Grouping;
use super::row::{Record, Row};
use super::sort::Sorting;
use super::stage::Stage;
use super::window::Windowing;
use crate::error::{Error, Result};
use crate::query::Column;
use crate::query::expression::depth_checked;
use crate::value::vector::Vector;
use crate::value::{Object, Value};
use std::rc::Rc;

/// See the module.
pub(crate) struct Step<R> {
    pub(crate) stage: Rc<Stage>,
    /// Values of the outer variables.
    pub(crate) outer: Rc<[Option<Value>]>,
    state: State<R>,
    pub(crate) budget: Budget,
}

enum State<R> {
    Nothing,
    /// Documents that are still let through, or still left out; or how many there were.
    Count(usize),
    Grouping(Box<Grouping>),
    Sorting(Sorting<R>),
    Sample {
        kept: Vec<Row<R>>,
        seen: u64,
        random: u64,
    },
    Windowing(Windowing<R>),
}

impl<R: Record> Step<R> {
    /// `random` is for `$sample`.
    pub(crate) fn new(stage: Rc<Stage>, outer: Rc<[Option<Value>]>, random: &dyn Fn() -> u64) -> Self {
        let state = match &*stage {
            Stage::Group(group) => State::Grouping(Box::new(group.begin())),
            Stage::Sort(_, wanted) => State::Sorting(Sorting::new(*wanted)),
            Stage::Limit(count) | Stage::Skip(count) => State::Count(*count),
            Stage::Count(_) => State::Count(0),
            Stage::Sample(_) => State::Sample { kept: Vec::new(), seen: 0, random: random() },
            Stage::Window(_) => State::Windowing(Windowing::new()),
            _ => State::Nothing,
        };
        Step { stage, outer, state, budget: Budget::default() }
    }

    /// Whether it gives out nothing more, whatever comes.
    pub(crate) fn is_done(&self) -> bool {
        matches!((&*self.stage, &self.state), (Stage::Limit(_), State::Count(0)))
    }

    /// Takes documents in; those that it gives out are appended.
    ///
    /// # Errors
    /// `limit` where it keeps too much; `invalid` where an expression fails; `corrupt` for damaged rows.
    pub(crate) fn push(&mut self, rows: Vec<Row<R>>, out: &mut Vec<Row<R>>) -> Result<()> {
        let (outer, budget) = (&self.outer, &mut self.budget);
        match (&*self.stage, &mut self.state) {
            (Stage::Limit(_), State::Count(left)) => {
                let taken = rows.len().min(*left);
                *left -= taken;
                out.extend(rows.into_iter().take(taken));
            }
            (Stage::Skip(_), State::Count(left)) => {
                let skipped = rows.len().min(*left);
                *left -= skipped;
                out.extend(rows.into_iter().skip(skipped));
            }
            (Stage::Count(_), State::Count(count)) => *count += rows.len(),
            (Stage::Sample(size), State::Sample { kept, seen, random }) => {
                for row in rows {
                    *seen += 1;
                    if kept.len() < *size {
                        budget.keep(row.weight())?;
                        kept.push(row);
                    } else if let Some(place) = kept.get_mut(next(random, *seen)) {
                        budget.keep(row.weight().saturating_sub(place.weight()))?;
                        *place = row;
                    }
                }
            }
            (stage, state) => {
                for row in rows {
                    one(stage, state, row, outer, budget, out)?;
                }
            }
        }
        Ok(())
    }

    /// Takes rows of columns in, where it groups; then no document has to be.
    ///
    /// # Errors
    /// As [`Step::push`].
    pub(crate) fn push_vectors(
        &mut self,
        vector: &dyn Fn(&Column) -> Option<Rc<Vector>>,
        rows: &mut dyn Iterator<Item = u32>,
    ) -> Result<()> {
        match (&*self.stage, &mut self.state) {
            (Stage::Group(group), State::Grouping(grouping)) => {
                grouping.push_vectors(group, vector, rows, &mut self.budget)
            }
            _ => Ok(()),
        }
    }

    /// Appends what it held back.
    ///
    /// # Errors
    /// As [`Step::push`].
    pub(crate) fn finish(&mut self, out: &mut Vec<Row<R>>) -> Result<()> {
        match (&*self.stage, core::mem::replace(&mut self.state, State::Nothing)) {
            (Stage::Group(group), State::Grouping(grouping)) => grouping.finish(group, out)?,
            (Stage::Sort(..), State::Sorting(sorting)) => out.extend(sorting.finish()),
            // As in MongoDB, nothing is counted where nothing came.
            (Stage::Count(name), State::Count(count)) if count > 0 => {
                out.push(Row::Made(Object::from([(&**name, Value::count(count))])));
            }
            (Stage::Sample(_), State::Sample { mut kept, mut random, .. }) => {
                for last in (1..kept.len()).rev() {
                    kept.swap(last, next(&mut random, last as u64 + 1));
                }
                out.extend(kept);
            }
            (Stage::Window(window), State::Windowing(windowing)) => windowing.finish(window, out)?,
            _ => {}
        }
        Ok(())
    }
}

fn one<R: Record>(
    stage: &Stage,
    state: &mut State<R>,
    row: Row<R>,
    outer: &[Option<Value>],
    budget: &mut Budget,
    out: &mut Vec<Row<R>>,
) -> Result<()> {
    match (stage, state) {
        (Stage::Match(filter), _) => {
            if filter.matches(row.view()?)? {
                out.push(row);
            }
        }
        (Stage::Where(condition), _) => {
            if condition.holds(row.whole()?, outer)? {
                out.push(row);
            }
        }
        (Stage::Transform(_, transform), _) => {
            out.push(Row::Made(transform.apply(row.view()?, row.score(), outer)?));
        }
        (Stage::ReplaceRoot(root), _) => match root.value(row.whole()?, outer)? {
            Some(root @ Value::Object(_)) => {
                depth_checked(&root, 1)?;
                if let Value::Object(root) = root {
                    out.push(Row::Made(root));
                }
            }
            other => {
                let found = other.as_ref().map_or("missing", Value::type_name);
                return Err(Error::invalid(format!("the new document is {found}, not an object")));
            }
        },
        (Stage::Unwind(unwind), _) => unwind.push(row, out)?,
        (Stage::Group(group), State::Grouping(grouping)) => grouping.push(group, &row, outer, budget)?,
        (Stage::Sort(sort, _), State::Sorting(sorting)) => sorting.push(sort, row, budget)?,
        (Stage::Window(window), State::Windowing(windowing)) => windowing.push(window, row, outer, budget)?,
        _ => out.push(row),
    }
    Ok(())
}

/// A number below `bound`, by SplitMix64.
fn next(state: &mut u64, bound: u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    usize::try_from((u128::from(mixed) * u128::from(bound)) >> 64).unwrap_or(0)
}
