//! `$group`: documents with the same key become one, of what is folded over them.
//!
//! Not sorted: groups come in the order in which their keys first came.
//!
//! Invariants: keys are the same where the order of values has them equal (`5` and `5n`); what is missing is null as a
//! whole key, and missing as a field of one. No tree is built for a document: the key is bytes, folds take views.
//!
//! Where all that counts is in columns, no document is read: `group/vectors.rs`.

mod vectors;

use super::budget::Budget;
use super::row::{Record, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::query::expression::fold::{self, Fold, Kind};
use crate::query::expression::{Names, Operand, Scope, depth_checked, fuel};
use crate::query::weight;
use crate::query::{Column, Expression};
use crate::value::key_table::KeyTable;
use crate::value::{Name, Object, Value, View, key};

/// A parsed `$group`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    key: Key,
    fields: Vec<(Name, Kind)>,
    /// Of the key, then of each field.
    inputs: Vec<Expression>,
    /// The same as columns of documents; none where something else counts too.
    columns: Vec<Option<Column>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Key {
    One,
    /// An object of these fields.
    Fields(Vec<Name>),
}

impl Key {
    const fn len(&self) -> usize {
        match self {
            Key::One => 1,
            Key::Fields(names) => names.len(),
        }
    }
}

impl Group {
    pub(super) fn parse(operand: &Object, names: Names<'_>) -> Result<Group> {
        let Some(id) = operand.get("_id") else {
            return Err(Error::invalid("`_id` is missing").with_hint("it says by what to group; null makes one group"));
        };
        let (mut inputs, mut columns) = (Vec::new(), Vec::new());
        let mut take = |input: Expression, written: &Value| {
            columns.push(Column::of(&input, written).filter(|_| names.outer.is_empty()));
            inputs.push(input);
        };
        let naming =
            |name: &str, result: Result<Expression>| result.map_err(|error| error.context(format!("`{name}`")));
        let key = match id {
            Value::Object(parts) if !parts.is_empty() && !parts.iter().any(|(name, _)| name.starts_with('$')) => {
                for (name, part) in parts.iter() {
                    take(naming("_id", naming(name, Expression::parse(part, names)))?, part);
                }
                Key::Fields(parts.iter().map(|(name, _)| name.clone()).collect())
            }
            id => {
                take(naming("_id", Expression::parse(id, names))?, id);
                Key::One
            }
        };
        let mut fields = Vec::new();
        for (name, fold) in operand.iter().filter(|(name, _)| &***name != "_id") {
            if name.contains('.') || name.starts_with('$') {
                return Err(Error::invalid(format!("`{name}` is no name of a field")));
            }
            let (kind, input) = parse_fold(fold, names).map_err(|error| error.context(format!("`{name}`")))?;
            fields.push((name.clone(), kind));
            take(input, folded(fold));
        }
        Ok(Group { key, fields, inputs, columns })
    }

    pub(super) fn begin(&self) -> Grouping {
        Grouping { keys: KeyTable::default(), ids: Vec::new(), folds: Vec::new(), scratch: Vec::new() }
    }
}

/// What an accumulator takes, as it was written.
fn folded(fold: &Value) -> &Value {
    let operand = fold.as_object().and_then(|fold| fold.fields().first());
    match operand {
        Some((name, Value::Object(named))) if matches!(&**name, "$percentile" | "$median") => named.get("input"),
        Some((_, operand)) => Some(operand),
        None => None,
    }
    .unwrap_or(&Value::Null)
}

/// An accumulator with its input.
pub(super) fn parse_fold(fold: &Value, names: Names<'_>) -> Result<(Kind, Expression)> {
    let Some([(name, operand)]) = fold.as_object().map(Object::fields) else {
        return Err(Error::invalid("it takes an object with one accumulator").with_hint("e.g. `{ $sum: '$value' }`"));
    };
    let parsed = match &**name {
        "$count" => match operand.as_object() {
            Some(none) if none.is_empty() => Ok((Kind::Count, Expression::literal(Value::Null))),
            _ => Err(Error::invalid("it takes an object without fields")),
        },
        "$percentile" | "$median" => parse_percentile(name, operand, names),
        name => match Kind::named(name) {
            Some(kind) => Expression::parse(operand, names).map(|input| (kind, input)),
            None => {
                let error = Error::new(ErrorKind::Unsupported, "this accumulator is not supported");
                Err(error.with_hint("docs/aggregation.md lists those that are"))
            }
        },
    };
    parsed.map_err(|error| error.context(format!("`{name}`")))
}

fn parse_percentile(name: &str, operand: &Value, names: Names<'_>) -> Result<(Kind, Expression)> {
    let operand = operand.as_object().ok_or_else(|| Error::invalid("it takes an object"))?;
    super::parse::known(operand, if name == "$median" { &["input", "method"] } else { &["input", "p", "method"] })?;
    let input = operand.get("input").ok_or_else(|| Error::invalid("`input` is missing"))?;
    if let Some(method) = operand.get("method").filter(|method| method.as_str() != Some("approximate")) {
        return Err(Error::new(ErrorKind::Unsupported, format!("method {method} is not supported"))
            .with_hint("leave it out, or write `approximate`; what comes is exact"));
    }
    let kind = match operand.get("p") {
        None if name == "$median" => Kind::Median,
        parts => Kind::Percentile(fold::parse_parts(parts.unwrap_or(&Value::Null))?),
    };
    Ok((kind, Expression::parse(input, names)?))
}

/// A `$group` under way.
#[derive(Debug)]
pub(crate) struct Grouping {
    keys: KeyTable,
    ids: Vec<Value>,
    /// Of the first group, then of the second.
    folds: Vec<Fold>,
    scratch: Vec<u8>,
}

impl Grouping {
    pub(super) fn push<R: Record>(
        &mut self,
        group: &Group,
        row: &Row<R>,
        outer: &[Option<Value>],
        budget: &mut Budget,
    ) -> Result<()> {
        let steps = fuel();
        let scope = Scope::new(row.whole()?, outer, &steps);
        let values = group.inputs.iter().map(|input| input.evaluate(&scope)).collect::<Result<Vec<_>>>()?;
        self.push_values(group, &values, budget)
    }

    /// Takes in what a document has: the values of the inputs.
    fn push_values(&mut self, group: &Group, values: &[Operand<'_>], budget: &mut Budget) -> Result<()> {
        let (key, inputs) = values.split_at_checked(group.key.len()).unwrap_or((values, &[]));
        let start = self.place(group, key, budget)? * group.fields.len();
        let mut kept = 0;
        for (fold, input) in self.folds.iter_mut().skip(start).zip(inputs) {
            kept += fold.push(input.view())?;
        }
        if kept > 0 { budget.keep(kept) } else { Ok(()) }
    }

    /// The number of the group with this key, which begins where there is none.
    fn place(&mut self, group: &Group, key: &[Operand<'_>], budget: &mut Budget) -> Result<usize> {
        self.scratch.clear();
        for part in key {
            match (part.view(), &group.key) {
                (None, Key::Fields(_)) => key::push_empty(&mut self.scratch),
                (part, _) => key::push(&mut self.scratch, part.unwrap_or(View::Null))?,
            }
        }
        let place = self.keys.place(&self.scratch);
        let (place, is_new) = place.ok_or_else(|| Error::limit("it has too many groups"))?;
        if is_new {
            let id = id_of(&group.key, key)?;
            depth_checked(&id, 2)?;
            budget.keep(self.scratch.len() + weight::of(&id) + group.fields.len() * size_of::<Fold>() + 24)?;
            self.ids.push(id);
            self.folds.extend(group.fields.iter().map(|(_, kind)| kind.begin()));
        }
        Ok(place)
    }

    pub(super) fn finish<R>(self, group: &Group, out: &mut Vec<Row<R>>) -> Result<()> {
        let mut folds = self.folds.into_iter();
        for id in self.ids {
            let mut fields = Vec::with_capacity(group.fields.len() + 1);
            fields.push(("_id".into(), id));
            for ((name, _), fold) in group.fields.iter().zip(&mut folds) {
                let value = fold.finish();
                depth_checked(&value, 2).map_err(|error| error.context(format!("`{name}`")))?;
                fields.push((name.clone(), value));
            }
            out.push(Row::Made(Object::from_fields(fields)?));
        }
        Ok(())
    }
}

fn id_of(key: &Key, values: &[Operand<'_>]) -> Result<Value> {
    match key {
        Key::One => values.first().map_or(Ok(Value::Null), |id| id.or_null().to_value()),
        Key::Fields(names) => {
            let mut fields = Vec::with_capacity(names.len());
            for (name, value) in names.iter().zip(values) {
                if let Some(value) = value.view() {
                    fields.push((name.clone(), value.to_value()?));
                }
            }
            Object::from_fields(fields).map(Value::Object)
        }
    }
}
