//! `$setWindowFields`: fields computed from the neighbours of a document in an order.
//!
//! Not a group: every document stays. Which neighbours: `window_frame.rs`.
//!
//! Invariants: documents come out partition by partition, each in its order; what sorts alike stays as it came.

use super::budget::Budget;
use super::group::parse_fold;
use super::parse::{known, needed, object, sort};
use super::row::{Record, Row};
use super::window_frame::Frame;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::WINDOW_STEPS_MAX;
use crate::query::expression::fold::Kind;
use crate::query::expression::{Names, depth_checked};
use crate::query::{Expression, Sort, weight};
use crate::sorted;
use crate::value::key_table::KeyTable;
use crate::value::{Object, Path, Value, key, place};

/// A parsed `$setWindowFields`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Window {
    partition: Option<Expression>,
    sort: Sort,
    outputs: Vec<Output>,
}

#[derive(Clone, Debug, PartialEq)]
struct Output {
    path: Path,
    function: Function,
    frame: Frame,
}

#[derive(Clone, Debug, PartialEq)]
enum Function {
    Fold(Kind, Expression),
    Number,
    /// Those that sort alike have one rank; the next has the number of documents before it, or the next number.
    Rank {
        is_dense: bool,
    },
    Shift {
        input: Expression,
        by: i64,
        default: Value,
    },
    /// The last value that was not null.
    Carry(Expression),
}

impl Window {
    pub(super) fn parse(operand: &Object, names: Names<'_>) -> Result<Window> {
        known(operand, &["partitionBy", "sortBy", "output"])?;
        let naming = |name: &str, error: Error| error.context(format!("`{name}`"));
        let partition = operand.get("partitionBy").map(|by| Expression::parse(by, names)).transpose();
        let sort = match operand.get("sortBy") {
            Some(by) => sort(by).map_err(|error| naming("sortBy", error))?,
            None => Sort::none(),
        };
        let mut outputs = Vec::new();
        for (name, output) in object(needed(operand, "output")?)?.iter() {
            let output = Output::parse(name, output, &sort, names);
            outputs.push(output.map_err(|error| naming(name, error).context("`output`"))?);
        }
        Ok(Window { partition: partition.map_err(|error| naming("partitionBy", error))?, sort, outputs })
    }
}

impl Output {
    fn parse(name: &str, output: &Value, sort: &Sort, names: Names<'_>) -> Result<Output> {
        let mut output = object(output)?.clone();
        let frame = output.remove("window");
        let function = Function::parse(&output.clone().into(), names)?;
        let frame = match &frame {
            Some(_) if !matches!(function, Function::Fold(..)) => {
                return Err(Error::invalid("it takes no `window`"));
            }
            Some(frame) => Frame::parse(object(frame)?, sort).map_err(|error| error.context("`window`"))?,
            None => Frame::Whole,
        };
        if sort.is_none() && (frame != Frame::Whole || !matches!(function, Function::Fold(..))) {
            return Err(Error::invalid("`sortBy` is missing").with_hint("an order says which documents come before"));
        }
        Ok(Output { path: Path::parse(name)?, function, frame })
    }
}

impl Function {
    fn parse(output: &Value, names: Names<'_>) -> Result<Function> {
        let (name, operand) = match output.as_object().map(Object::fields) {
            Some([(name, operand)]) => (&**name, operand),
            _ => return Err(Error::invalid("it takes one function, and perhaps `window`")),
        };
        let parsed = match name {
            "$documentNumber" => Ok(Function::Number),
            "$rank" => Ok(Function::Rank { is_dense: false }),
            "$denseRank" => Ok(Function::Rank { is_dense: true }),
            "$shift" => Function::parse_shift(operand, names),
            "$locf" => Expression::parse(operand, names).map(Function::Carry),
            "$derivative" | "$integral" | "$expMovingAvg" | "$linearFill" => {
                Err(Error::new(ErrorKind::Unsupported, "this window function is not supported")
                    .with_hint("docs/aggregation.md lists those that are"))
            }
            _ => return parse_fold(output, names).map(|(kind, input)| Function::Fold(kind, input)),
        };
        parsed.map_err(|error| error.context(format!("`{name}`")))
    }

    fn parse_shift(operand: &Value, names: Names<'_>) -> Result<Function> {
        let operand = object(operand)?;
        known(operand, &["output", "by", "default"])?;
        let by = match needed(operand, "by")? {
            Value::Number(number) => number.as_integer(),
            _ => None,
        };
        let default = operand.get("default").map(|default| Expression::parse(default, names)).transpose()?;
        let default = match &default {
            None => Value::Null,
            Some(default) => {
                let default = default.as_literal().cloned();
                default.ok_or_else(|| Error::invalid("`default` is no constant"))?
            }
        };
        Ok(Function::Shift {
            input: Expression::parse(needed(operand, "output")?, names)?,
            by: by.ok_or_else(|| Error::invalid("`by` is no whole number"))?,
            default,
        })
    }

    /// What it needs of each document.
    const fn input(&self) -> Option<&Expression> {
        match self {
            Function::Fold(_, input) | Function::Shift { input, .. } | Function::Carry(input) => Some(input),
            Function::Number | Function::Rank { .. } => None,
        }
    }
}

/// Documents that wait for all others.
#[derive(Debug)]
pub(crate) struct Windowing<R> {
    partitions: KeyTable,
    waiting: Vec<Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    partition: usize,
    sort_key: Vec<u8>,
    row: Row<R>,
    /// What the functions need of it.
    inputs: Vec<Option<Value>>,
    /// What frames of values are measured by.
    at: Option<Value>,
}

impl<R: Record> Windowing<R> {
    pub(super) fn new() -> Self {
        Windowing { partitions: KeyTable::default(), waiting: Vec::new() }
    }

    pub(super) fn push(
        &mut self,
        window: &Window,
        row: Row<R>,
        outer: &[Option<Value>],
        budget: &mut Budget,
    ) -> Result<()> {
        let whole = row.whole()?;
        let partition = match &window.partition {
            Some(by) => by.value(whole, outer)?.unwrap_or(Value::Null),
            None => Value::Null,
        };
        let partition_key = key::encode((&partition).into())?;
        let place = self.partitions.place(&partition_key);
        let (partition, is_new) = place.ok_or_else(|| Error::limit("it has too many partitions"))?;
        let mut sort_key = Vec::new();
        window.sort.push_key(row.view()?, &mut sort_key)?;
        let mut inputs = Vec::with_capacity(window.outputs.len());
        for output in &window.outputs {
            let input = output.function.input();
            inputs.push(input.map(|input| input.value(whole, outer)).transpose()?.flatten());
        }
        let at = match window.sort.fields().first() {
            Some((path, _)) => path.get(row.view()?)?.map(|value| value.to_value()).transpose()?,
            None => None,
        };
        let values: usize = inputs.iter().flatten().map(weight::of).sum();
        budget.keep(row.weight() + sort_key.len() + values + if is_new { partition_key.len() } else { 0 } + 64)?;
        self.waiting.push(Waiting { partition, sort_key, row, inputs, at });
        Ok(())
    }

    pub(super) fn finish(self, window: &Window, out: &mut Vec<Row<R>>) -> Result<()> {
        let mut waiting: Vec<Option<Waiting<R>>> = self.waiting.into_iter().map(Some).collect();
        let of = |place: usize| {
            let found = waiting.get(place).and_then(Option::as_ref);
            (found.map(|row| (row.partition, &row.sort_key)), place)
        };
        let order = sorted::order(waiting.len(), &mut |left, right| of(left).cmp(&of(right)));
        let all: Vec<Waiting<R>> =
            order.into_iter().filter_map(|place| waiting.get_mut(place).and_then(Option::take)).collect();
        drop(waiting);
        let mut steps = WINDOW_STEPS_MAX;
        let mut computed: Vec<Vec<Value>> = Vec::with_capacity(window.outputs.len());
        for (number, output) in window.outputs.iter().enumerate() {
            let mut values = Vec::with_capacity(all.len());
            for partition in all.chunk_by(|left, right| left.partition == right.partition) {
                output.compute(partition, number, &mut steps, &mut values)?;
            }
            computed.push(values);
        }
        let mut computed: Vec<_> = computed.into_iter().map(Vec::into_iter).collect();
        for waiting in all {
            let mut document = waiting.row.into_object()?;
            for (output, values) in window.outputs.iter().zip(&mut computed) {
                let value = values.next().unwrap_or(Value::Null);
                depth_checked(&value, output.path.parts().len() + 1)?;
                place::set(&mut document, &output.path, value)?;
            }
            out.push(Row::Made(document));
        }
        Ok(())
    }
}

impl Output {
    /// Appends the values for the documents of a partition.
    fn compute<R>(
        &self,
        partition: &[Waiting<R>],
        number: usize,
        steps: &mut usize,
        values: &mut Vec<Value>,
    ) -> Result<()> {
        let input = |place: usize| partition.get(place).and_then(|row| row.inputs.get(number)).and_then(Option::as_ref);
        match &self.function {
            Function::Number => values.extend((1..=partition.len()).map(Value::count)),
            Function::Rank { is_dense } => {
                let (mut rank, mut before) = (0, None);
                for (place, row) in partition.iter().enumerate() {
                    if before.replace(&row.sort_key) != Some(&row.sort_key) {
                        rank = if *is_dense { rank + 1 } else { place + 1 };
                    }
                    values.push(Value::count(rank));
                }
            }
            Function::Shift { by, default, .. } => {
                for place in 0..partition.len() {
                    let other = (place as i64).checked_add(*by).and_then(|other| usize::try_from(other).ok());
                    let other = other.filter(|other| *other < partition.len());
                    values.push(match other {
                        Some(other) => input(other).cloned().unwrap_or(Value::Null),
                        None => default.clone(),
                    });
                }
            }
            Function::Carry(_) => {
                let mut last = Value::Null;
                for place in 0..partition.len() {
                    if let Some(value) = input(place).filter(|value| **value != Value::Null) {
                        last = value.clone();
                    }
                    values.push(last.clone());
                }
            }
            Function::Fold(kind, _) => {
                let at = |place: usize| partition.get(place).and_then(|row| row.at.as_ref());
                self.frame.fold(kind, partition.len(), &input, &at, steps, values)?;
            }
        }
        Ok(())
    }
}
