//! `$sort` among documents that are in memory.
//!
//! Not of documents that a find gives in order already: such a sort is part of the find.
//!
//! Invariant: what sorts alike stays in the order in which it came.

use super::budget::Budget;
use super::row::{Record, Row};
use crate::error::Result;
use crate::query::Sort;
use crate::sorted;

/// This many more than twice what is wanted are kept before it is looked which to keep.
const SLACK: usize = 256;

/// Documents that are being sorted.
#[derive(Debug)]
pub(crate) struct Sorting<R> {
    rows: Vec<(Vec<u8>, Row<R>)>,
    wanted: usize,
    /// What does not sort before this is not wanted.
    last: Option<Vec<u8>>,
}

impl<R: Record> Sorting<R> {
    /// Keeps the first so many.
    pub(super) fn new(wanted: Option<usize>) -> Self {
        Sorting { rows: Vec::new(), wanted: wanted.unwrap_or(usize::MAX), last: None }
    }

    pub(super) fn push(&mut self, sort: &Sort, row: Row<R>, budget: &mut Budget) -> Result<()> {
        let mut key = Vec::new();
        match row.score() {
            Some(score) => sort.push_key_scored(row.view()?, score, &mut key)?,
            None => sort.push_key(row.view()?, &mut key)?,
        }
        if self.last.as_ref().is_some_and(|last| key >= *last) {
            return Ok(());
        }
        if self.wanted == usize::MAX {
            budget.keep(row.weight() + key.len())?;
        }
        self.rows.push((key, row));
        if self.rows.len() >= self.wanted.saturating_mul(2).saturating_add(SLACK) {
            self.prune();
            // Counted anew: it is what is kept now.
            *budget = Budget::default();
            budget.keep(self.rows.iter().map(|(key, row)| row.weight() + key.len()).sum())?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Vec<Row<R>> {
        self.prune();
        self.rows.into_iter().map(|(_, row)| row).collect()
    }

    fn prune(&mut self) {
        let mut rows: Vec<Option<(Vec<u8>, Row<R>)>> = core::mem::take(&mut self.rows).into_iter().map(Some).collect();
        let key = |place: usize| rows.get(place).and_then(|row| row.as_ref().map(|(key, _)| key));
        let order = sorted::order(rows.len(), &mut |left, right| key(left).cmp(&key(right)).then(left.cmp(&right)));
        self.rows = order
            .into_iter()
            .take(self.wanted)
            .filter_map(|place| rows.get_mut(place).and_then(Option::take))
            .collect();
        if self.rows.len() >= self.wanted {
            self.last = Some(self.rows.last().map(|(key, _)| key.clone()).unwrap_or_default());
        }
    }
}
