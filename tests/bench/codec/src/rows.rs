//! The way of HyphaDB: requests and answers in bytes, rows in between.
//!
//! Not another codec: it calls the product's own, as its collections do.

use crate::told;
use hyphadb::error::Result;
use hyphadb::value::batch::{Batch, Rows as Writer};
use hyphadb::value::shape::{Lists, Shapes};
use hyphadb::value::table::Table;
use hyphadb::value::{Object, Value, View, codec, row, writer};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// So many documents are answered one by one, as the product does.
const FEW: usize = 3;

/// What a collection knows of its documents: the shapes that were met before.
#[wasm_bindgen]
#[derive(Default)]
pub struct Collection(Shapes);

/// Documents as they are stored.
#[wasm_bindgen]
#[derive(Default)]
pub struct Rows {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    fn of_batch(batch: &Batch<'_>, shapes: &Shapes) -> Result<(Rows, Lists)> {
        let mut rows = Rows::default();
        let mut writer = Writer::new(batch, shapes, None);
        for _ in 0..batch.len() {
            writer.next(&mut rows.bytes, &mut String::new)?;
            rows.ends.push(rows.bytes.len());
        }
        writer.finish()?;
        Ok((rows, writer.take_missing()))
    }

    fn each(&self, shapes: &Shapes, mut use_it: impl FnMut(View<'_>) -> Result<()>) -> Result<()> {
        let mut start = 0;
        for end in &self.ends {
            let bytes = self.bytes.get(start..*end).unwrap_or_default();
            use_it(View::Object(row::open(bytes, shapes)?))?;
            start = *end;
        }
        Ok(())
    }
}

impl Collection {
    /// Learns these shapes, if there are any, and says whether there were.
    fn learn(&mut self, missing: &Lists) -> Result<bool> {
        for names in missing.iter() {
            self.0.add(names)?;
        }
        Ok(!missing.is_empty())
    }

    /// The documents of a batch as rows.
    fn write(&mut self, batch: &Batch<'_>) -> Result<Rows> {
        let (rows, missing) = Rows::of_batch(batch, &self.0)?;
        if self.learn(&missing)? { Rows::of_batch(batch, &self.0).map(|(rows, _)| rows) } else { Ok(rows) }
    }

    /// Trees as rows: the step that the other ways have still before them.
    pub(crate) fn write_trees<'a>(&mut self, trees: impl Iterator<Item = &'a Object>) -> Result<Rows> {
        let mut rows = Rows::default();
        for tree in trees {
            let start = rows.bytes.len();
            let missing = writer::encode(tree, &self.0, &mut rows.bytes)?;
            if self.learn(&missing)? {
                rows.bytes.truncate(start);
                writer::encode(tree, &self.0, &mut rows.bytes)?;
            }
            rows.ends.push(rows.bytes.len());
        }
        Ok(rows)
    }
}

#[wasm_bindgen]
impl Collection {
    /// Knows nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Collection {
        Collection::default()
    }

    /// The rows of a request that holds documents.
    ///
    /// # Errors
    /// Where the product would refuse it.
    pub fn rows(&mut self, request: &[u8]) -> core::result::Result<Rows, JsError> {
        let request = codec::decode(request).map_err(told)?;
        let Some(Value::Bytes(batch)) = request.as_object().and_then(|fields| fields.get("docs")) else {
            return Err(told("there are no documents"));
        };
        Batch::open(batch).and_then(|batch| self.write(&batch)).map_err(told)
    }

    /// Rows as an answer: a few one by one, many as a table.
    ///
    /// # Errors
    /// Where rows are damaged.
    pub fn answer(&self, rows: &Rows) -> core::result::Result<Vec<u8>, JsError> {
        let mut out = Vec::new();
        if rows.ends.len() <= FEW {
            codec::push_array(&mut out, rows.ends.len());
            rows.each(&self.0, |document| codec::encode(document, &mut out)).map_err(told)?;
        } else {
            let mut table = Table::default();
            rows.each(&self.0, |document| table.push(document)).map_err(told)?;
            table.finish(&mut out);
        }
        Ok(out)
    }
}
