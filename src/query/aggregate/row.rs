//! Rows: documents on their way through a pipeline, as they are stored until a stage makes others of them.
//!
//! Not decoded before a stage needs the whole tree.

use crate::error::Result;
use crate::query::weight;
use crate::value::view::ObjectView;
use crate::value::{Object, Value, View};

/// A document as whoever reads the storage has it.
pub(crate) trait Record: Clone {
    /// The document, to be read.
    ///
    /// # Errors
    /// `corrupt` for damaged rows, naming the document.
    fn view(&self) -> Result<ObjectView<'_>>;

    /// Bytes that it keeps in memory.
    fn weight(&self) -> usize;

    /// How well it matches what was searched; none where nothing was.
    fn score(&self) -> Option<f64>;
}

/// A document in a pipeline.
#[derive(Clone, Debug)]
pub(crate) enum Row<R> {
    Stored(R),
    Made(Object),
}

impl<R: Record> Row<R> {
    pub(crate) fn view(&self) -> Result<ObjectView<'_>> {
        match self {
            Row::Stored(record) => record.view(),
            Row::Made(object) => Ok(object.into()),
        }
    }

    pub(crate) fn whole(&self) -> Result<View<'_>> {
        self.view().map(View::Object)
    }

    /// How well the document matches what was searched; none where nothing was, or another was made of it.
    pub(crate) fn score(&self) -> Option<f64> {
        match self {
            Row::Stored(record) => record.score(),
            Row::Made(_) => None,
        }
    }

    pub(crate) fn into_object(self) -> Result<Object> {
        match self {
            Row::Stored(record) => record.view()?.to_object(),
            Row::Made(object) => Ok(object),
        }
    }

    pub(crate) fn weight(&self) -> usize {
        const PLACE: usize = 64;
        PLACE
            + match self {
                Row::Stored(record) => record.weight(),
                Row::Made(object) => weight::of_object(object),
            }
    }
}

impl<R: Record> TryFrom<Row<R>> for Value {
    type Error = crate::error::Error;

    fn try_from(row: Row<R>) -> Result<Value> {
        row.into_object().map(Value::Object)
    }
}
