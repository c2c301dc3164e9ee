//! Replies: what comes out of a pipeline, encoded as the boundary wants it.
//!
//! Not of finds: those are in `db/answer.rs`, whose forms these are.

use super::{Rows, Run, Stored};
use crate::db::answer::{Documents, begin_columns, push_column};
use crate::engine::catalog::Collection;
use crate::error::Result;
use crate::query::aggregate::Row;
use crate::storage::Storage;
use crate::value::table::Table;
use crate::value::{Name, Path, View};
use std::rc::Rc;

/// Where documents have their shapes from: a table knows shapes by number, and each collection numbers its own.
#[derive(Default)]
struct Home(Option<Rc<Collection>>);

impl Home {
    /// The same documents, those of other collections as trees.
    fn settle(&mut self, rows: Rows) -> Result<Rows> {
        let settled = |row: Row<Stored>| match row {
            Row::Stored(stored)
                if !Rc::ptr_eq(self.0.get_or_insert_with(|| Rc::clone(&stored.collection)), &stored.collection) =>
            {
                Row::Stored(stored).into_object().map(Row::Made)
            }
            row => Ok(row),
        };
        rows.into_iter().map(settled).collect()
    }
}

/// `{ docs: [...] }`.
pub(crate) async fn docs<S: Storage>(mut run: Run<S>) -> Result<Vec<u8>> {
    let (mut documents, mut home) = (Documents::of(None), Home::default());
    loop {
        let rows = run.next_batch().await?;
        if rows.is_empty() {
            return Ok(documents.named());
        }
        for row in &home.settle(rows)? {
            documents.push(row.whole()?)?;
        }
    }
}

/// `{ docs: [...], done }`: the next part of a cursor. Answers whether it came to the end.
pub(crate) async fn part<S: Storage>(run: &mut Run<S>, count: usize) -> Result<(Vec<u8>, bool)> {
    let (mut documents, mut home) = (Documents::of(None), Home::default());
    let (mut left, mut done) = (count.max(1), false);
    while left > 0 && !done {
        let mut rows = run.next_batch().await?;
        done = rows.is_empty();
        let rest = rows.split_off(left.min(rows.len()));
        left -= rows.len();
        for row in &home.settle(rows)? {
            documents.push(row.whole()?)?;
        }
        run.give_back(rest);
    }
    Ok((documents.part(done)?, done))
}

/// `{ count, columns: [[field, [...]] ...] }`: of these fields, or without any of all fields that documents have at the
/// top, in the order in which they first came.
pub(crate) async fn columns<S: Storage>(mut run: Run<S>, fields: Option<&[Path]>) -> Result<Vec<u8>> {
    let mut columns: Vec<(Name, Table)> = Vec::new();
    for field in fields.unwrap_or_default() {
        columns.push((field.as_str().into(), Table::default()));
    }
    let (mut count, mut home) = (0, Home::default());
    loop {
        let rows = run.next_batch().await?;
        if rows.is_empty() {
            break;
        }
        for row in &home.settle(rows)? {
            let document = row.view()?;
            if let Some(fields) = fields {
                for (field, (_, column)) in fields.iter().zip(&mut columns) {
                    column.push(field.get(document)?.unwrap_or(View::Null))?;
                }
            } else {
                for field in document.iter() {
                    let (name, value) = field?;
                    let known = columns.iter().position(|(known, _)| &**known == name);
                    let place = known.unwrap_or_else(|| {
                        columns.push((name.into(), Table::default()));
                        columns.len() - 1
                    });
                    if let Some((_, column)) = columns.get_mut(place) {
                        fill(column, count)?;
                        column.push(value)?;
                    }
                }
            }
            count += 1;
        }
    }
    let mut out = begin_columns(count, columns.len())?;
    for (name, mut column) in columns {
        fill(&mut column, count)?;
        push_column(&name, &mut out)?;
        column.finish(&mut out);
    }
    Ok(out)
}

/// Documents before had no such field.
fn fill(column: &mut Table, len: usize) -> Result<()> {
    while column.len() < len {
        column.push(View::Null)?;
    }
    Ok(())
}
