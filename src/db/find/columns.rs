//! Finds over columns: which documents match, and what they have in some fields, told without reading documents.
//!
//! Not another plan: where a plan reads every document, vectors are asked in their place (`engine/columns.rs`); where they
//! cannot tell, documents are.
//!
//! Invariant: what is chosen is what reading documents would choose, in the same order. A transaction reads documents: what it
//! read is part of what it depends on.

use super::running::Running;
use super::{Found, Query, Reading};
use crate::db::document;
use crate::db::work::Reader;
use crate::engine::catalog::{Collection, DOCUMENT_PREFIX_LEN};
use crate::engine::{Columns, Next, Open, Snapshot};
use crate::error::Result;
use crate::query::filter::Columnar;
use crate::query::{Access, Column, Plan};
use crate::storage::Storage;
use crate::value::shape::Shapes;
use crate::value::vector::Vector;
use crate::value::view::ObjectView;
use crate::value::{Direction, Path, Value};
use std::rc::Rc;

/// So few documents are read.
const FEW: usize = 1000;

/// Documents that were chosen, as rows of columns.
pub(crate) struct Chosen {
    columns: Columns,
    /// In the order of `columns`.
    wanted: Vec<Column>,
    /// All of them where none are given.
    rows: Option<Vec<u32>>,
}

impl Chosen {
    /// How many documents there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.as_ref().map_or(self.columns.len(), Vec::len)
    }

    /// The rows, where they are not all of them in their order.
    pub(crate) fn some_rows(&self) -> Option<&[u32]> {
        self.rows.as_deref()
    }

    /// The rows in their order.
    pub(crate) fn rows(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match &self.rows {
            Some(rows) => Box::new(rows.iter().copied()),
            None => Box::new(0..self.columns.len() as u32),
        }
    }

    /// One of the columns that were asked for.
    pub(crate) fn vector(&self, column: &Column) -> Option<Rc<Vector>> {
        let place = self.wanted.iter().position(|wanted| wanted == column)?;
        self.columns.vectors().get(place).cloned()
    }

    fn reverse(&mut self) {
        let count = self.columns.len() as u32;
        self.rows.get_or_insert_with(|| (0..count).collect()).reverse();
    }

    fn cut(&mut self, skip: usize, limit: Option<usize>) {
        if skip > 0 || limit.is_some() {
            let rows = self.rows().skip(skip).take(limit.unwrap_or(usize::MAX)).collect();
            self.rows = Some(rows);
        }
    }
}

/// Opens documents of a collection.
struct Opening<'a>(&'a Collection);

impl Open for Opening<'_> {
    fn open<'a>(&'a self, value: &'a [u8]) -> Result<ObjectView<'a>> {
        document::open(self.0, value)
    }

    fn row<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        document::row_of(value)
    }

    fn shapes(&self) -> &Shapes {
        &self.0.shapes
    }
}

/// Chosen documents that are still to be read.
pub(super) struct Picked<S: Storage> {
    snapshot: Snapshot<S>,
    columns: Columns,
    rows: std::vec::IntoIter<u32>,
}

impl<S: Storage> Picked<S> {
    /// The next of them, at most so many.
    pub(super) async fn next(&mut self, max: usize) -> Result<Vec<Found>> {
        let rows: Vec<u32> = self.rows.by_ref().take(max).collect();
        let read = self.snapshot.rows(&self.columns, &rows).await?;
        let found = |(key, value)| Found { key, primary_at: DOCUMENT_PREFIX_LEN, value: Some(value), score: 0.0 };
        Ok(read.into_iter().map(found).collect())
    }
}

/// Whether the plan reads every document.
fn is_scan(plan: &Plan) -> bool {
    matches!(plan.walks.as_slice(), [walk] if matches!(walk.access, Access::Scan))
}

/// Whether documents that match are picked over vectors before they are read.
fn is_picked(plan: &Plan, query: &Query, reading: Reading) -> bool {
    // Who wants few, or may stop at any time, is sooner done with documents.
    let are_all_wanted = reading != Reading::Stream && (query.limit.is_none() || !plan.is_sorted());
    is_scan(plan) && are_all_wanted && Columnar::of(&plan.residual).paths().next().is_some()
}

/// Whether columns alone can tell all that is asked for.
fn is_chosen(plan: &Plan, query: &Query) -> bool {
    let are_many = query.limit.is_none_or(|limit| limit > FEW);
    are_many && is_scan(plan) && plan.is_sorted() && Columnar::of(&plan.residual).is_whole
}

/// For people: the fields that vectors would be asked for; none where documents are read.
pub(super) fn explain(plan: &Plan, query: &Query, reading: Reading, grouped: Option<&[Column]>) -> Option<Value> {
    let is_grouped = grouped.is_some() && is_chosen(plan, query);
    if !is_grouped && !is_picked(plan, query, reading) {
        return None;
    }
    let mut fields: Vec<Value> = Vec::new();
    let filtered = Columnar::of(&plan.residual);
    let more = grouped.filter(|_| is_grouped).unwrap_or_default();
    for field in filtered.paths().map(Path::as_str).chain(more.iter().map(Column::shown)) {
        let field = Value::from(field);
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Some(fields.into())
}

impl<S: Storage> Running<S> {
    /// Rows that pass what vectors can be asked, with further columns; none where vectors cannot tell.
    async fn over_columns(&self, more: &[Column], next: Next) -> Result<Option<(Chosen, bool)>> {
        let Reader::Snapshot(snapshot) = &self.reader else { return Ok(None) };
        let columnar = Columnar::of(&self.plan.residual);
        let mut wanted: Vec<Column> = more.to_vec();
        for path in columnar.paths() {
            let column = Column::Path(path.clone());
            if !wanted.contains(&column) {
                wanted.push(column);
            }
        }
        let of: &Collection = &self.collection;
        let columns = snapshot.columns(&of.id.documents(), &wanted, &Opening(of), next).await?;
        let Some(columns) = columns else { return Ok(None) };
        self.note_keys(columns.len());
        let mut chosen = Chosen { columns, wanted, rows: None };
        // What a test fails with, a document fails with as well, and is named.
        let Ok(rows) = columnar.rows(&|path: &Path| chosen.vector(&Column::Path(path.clone()))) else {
            return Ok(None);
        };
        chosen.rows = rows;
        if self.plan.direction == Direction::Descending {
            chosen.reverse();
        }
        Ok(Some((chosen, columnar.is_whole)))
    }

    /// All documents that are asked for, with some of their columns.
    pub(super) async fn choose(&self, wanted: &[Column]) -> Result<Option<Chosen>> {
        if !is_chosen(&self.plan, &self.query) {
            return Ok(None);
        }
        let chosen = self.over_columns(wanted, Next::Nothing).await?;
        Ok(chosen.map(|(mut chosen, _)| {
            chosen.cut(self.query.skip, self.query.limit);
            chosen
        }))
    }

    /// Picks the documents that may match, and says whether all of them do.
    pub(super) async fn pick(&self) -> Result<Option<(Picked<S>, bool)>> {
        if !is_picked(&self.plan, &self.query, self.reading) {
            return Ok(None);
        }
        let Reader::Snapshot(snapshot) = &self.reader else { return Ok(None) };
        let chosen = self.over_columns(&[], Next::Rows).await?;
        Ok(chosen.map(|(chosen, is_whole)| {
            let rows: Vec<u32> = chosen.rows().collect();
            (Picked { snapshot: snapshot.clone(), columns: chosen.columns, rows: rows.into_iter() }, is_whole)
        }))
    }
}
