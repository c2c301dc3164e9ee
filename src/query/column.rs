//! Columns: what is taken out of each document into a vector.
//!
//! Not a projection: nothing is built; and not all can be taken out (arrays, several types): then the vector says so.
//!
//! Invariant: what a column gives for a document follows from the document alone, so that it may be kept.

use crate::error::Result;
use crate::query::Expression;
use crate::query::expression::{Scope, fuel};
use crate::value::shape::Shapes;
use crate::value::vector::Vector;
use crate::value::view::ObjectView;
use crate::value::{Name, Object, Path, Value, View, codec, row};
use std::rc::Rc;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    Path(Path),
    /// What an expression gives, and its name: as it was written.
    Computed(Rc<Expression>, Vec<u8>),
}

impl Column {
    /// The column of an expression, given as it was written; none where it depends on more than the document.
    pub(crate) fn of(expression: &Expression, written: &Value) -> Option<Column> {
        if let Some(path) = expression.as_field() {
            return Path::parse(&path).ok().map(Column::Path);
        }
        // No path has this byte.
        let mut name = vec![0xff];
        codec::encode(written.into(), &mut name).ok()?;
        const NOW: &[u8] = b"$$NOW";
        let is_dated = name.windows(NOW.len()).any(|part| part == NOW);
        (!is_dated).then(|| Column::Computed(Rc::new(expression.clone()), name))
    }

    /// What tells it from other columns.
    pub(crate) fn name(&self) -> &[u8] {
        match self {
            Column::Path(path) => path.as_str().as_bytes(),
            Column::Computed(_, name) => name,
        }
    }

    /// The field of documents themselves that it is, or that is all it follows from.
    pub(crate) fn field(&self) -> Option<&Name> {
        match self {
            Column::Path(path) => {
                if let [part] = path.parts() {
                    Some(&part.name)
                } else {
                    None
                }
            }
            Column::Computed(expression, _) => expression.only_field(),
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Column::Path(path) => path.as_str(),
            Column::Computed(..) => "(computed)",
        }
    }

    /// Adds what follows from the fields of some documents, given as they lie in rows of these shapes.
    ///
    /// # Errors
    /// As [`Column::take`].
    pub(crate) fn take_fields(
        &self,
        raws: &mut dyn Iterator<Item = Option<&[u8]>>,
        shapes: &Shapes,
        vector: &mut Vector,
    ) -> Result<()> {
        let (Column::Computed(..), Some(field)) = (self, self.field()) else {
            for raw in raws {
                vector.push_raw(raw, shapes)?;
            }
            return Ok(());
        };
        // One document for all of them: it is what is looked at.
        let mut document = Object::new();
        for raw in raws {
            match raw {
                Some(raw) => document.set(field.clone(), row::read_raw(raw, shapes)?.to_value()?),
                None => drop(document.remove(field)),
            }
            self.take((&document).into(), vector)?;
        }
        Ok(())
    }

    /// Adds what the document has.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub(crate) fn take(&self, document: ObjectView<'_>, vector: &mut Vector) -> Result<()> {
        match self {
            Column::Path(path) => vector.push_field(document, path)?,
            Column::Computed(expression, _) => {
                let steps = fuel();
                match expression.evaluate(&Scope::new(View::Object(document), &[], &steps)) {
                    Ok(value) => vector.push(value.view()),
                    // The document may be one that nobody asks for: whoever does finds out.
                    Err(_) => vector.give_up(),
                }
            }
        }
        Ok(())
    }
}
