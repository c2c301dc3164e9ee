//! Groups over vectors: the same as document by document, but for the documents.
//!
//! Not other folds: what has no quick way takes values one by one, as `$group` does.
//!
//! Invariants: groups come in the order of their first rows, and numbers are added in the order of the rows, so that the result
//! is the same to the last bit. Loops are plain ones over doubles: for size the compiler turns none of them into vector
//! instructions, and what they wait for is memory.

use super::{Group, Grouping};
use crate::error::{Error, Result};
use crate::query::Column;
use crate::query::aggregate::budget::Budget;
use crate::query::expression::Operand;
use crate::query::expression::fold::{Fold, Kind};
use crate::query::expression::numeric::Numeric;
use crate::value::Value;
use crate::value::vector::{Holds, MISSING, NULL, THERE, Vector};
use std::rc::Rc;

/// Rows that go through together.
const BATCH: usize = 1024;
/// The key has not been seen.
const NEW: u32 = u32::MAX;

/// What each document gives to a group.
pub(super) enum Input<'a> {
    Literal(&'a Value),
    Vector(Rc<Vector>),
}

impl Input<'_> {
    fn operand(&self, row: usize) -> Operand<'_> {
        match self {
            Input::Literal(value) => Operand::Seen((*value).into()),
            Input::Vector(vector) => vector.view(row).map_or(Operand::Missing, Operand::Seen),
        }
    }
}

/// Numbers for doubles, in the order in which they first came.
#[derive(Default)]
struct Numbering {
    keys: Vec<u64>,
    /// A number and 1, or 0.
    slots: Vec<u32>,
    last: Option<(u64, u32)>,
}

impl Numbering {
    fn number(&mut self, key: u64) -> u32 {
        if let Some((last, number)) = self.last
            && last == key
        {
            return number;
        }
        if self.slots.len() < 2 * (self.keys.len() + 1) {
            self.grow();
        }
        let mut slot = self.slot(key);
        let number = loop {
            match self.slots.get(slot).and_then(|number| number.checked_sub(1)) {
                Some(number) if self.keys.get(number as usize) == Some(&key) => break number,
                Some(_) => slot = (slot + 1) & (self.slots.len() - 1),
                None => {
                    self.keys.push(key);
                    if let Some(slot) = self.slots.get_mut(slot) {
                        *slot = self.keys.len() as u32;
                    }
                    break self.keys.len() as u32 - 1;
                }
            }
        };
        self.last = Some((key, number));
        number
    }

    fn slot(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.slots.len() - 1)
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(64)];
        for number in 0..self.keys.len() {
            let mut slot = self.slot(self.keys.get(number).copied().unwrap_or_default());
            while self.slots.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = number as u32 + 1;
            }
        }
    }
}

/// One part of the key.
struct KeyPart {
    vector: Rc<Vector>,
    values: Numbering,
    /// Numbers for what the parts before have together with this one.
    pairs: Numbering,
}

impl KeyPart {
    /// Joins the values of some rows to the numbers that the parts before gave.
    fn join(&mut self, rows: &[u32], numbers: &mut [u32], is_first: bool) {
        let (tags, floats, codes) = (self.vector.tags(), self.vector.floats(), self.vector.codes());
        let holds = self.vector.holds();
        for (row, number) in rows.iter().zip(numbers) {
            let row = *row as usize;
            let value = match tags.get(row).copied().unwrap_or(THERE) {
                THERE if holds == Holds::Words => u32::from(codes.get(row).copied().unwrap_or_default()) + 3,
                THERE => {
                    let float = floats.get(row).copied().unwrap_or_default();
                    // Zeros are one key, whatever their sign.
                    self.values.number(if float == 0.0 { 0 } else { float.to_bits() }) + 3
                }
                tag => u32::from(tag),
            };
            *number = if is_first { value } else { self.pairs.number(u64::from(*number) << 32 | u64::from(value)) };
        }
    }
}

/// A fold of one field over all groups.
struct Lane {
    fold: Quick,
    vector: Option<Rc<Vector>>,
    /// By group.
    numbers: Vec<f64>,
    counts: Vec<f64>,
}

/// Folds that have a quick way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quick {
    /// Of each row the same.
    Sum,
    Avg,
    Min,
    Max,
    Count,
    /// None.
    Each,
}

impl Lane {
    fn of(kind: &Kind, input: &Input<'_>) -> Lane {
        let holds = |wanted: &[Holds]| matches!(input, Input::Vector(vector) if wanted.contains(&vector.holds()));
        let is_ordered = || holds(&[Holds::Numbers, Holds::Dates, Holds::Bools]);
        let fold = match kind {
            Kind::Count => Quick::Count,
            Kind::Sum if matches!(input, Input::Literal(Value::Number(_))) || holds(&[Holds::Numbers]) => Quick::Sum,
            Kind::Avg if holds(&[Holds::Numbers]) => Quick::Avg,
            Kind::Min if is_ordered() => Quick::Min,
            Kind::Max if is_ordered() => Quick::Max,
            _ => Quick::Each,
        };
        let vector = if let Input::Vector(vector) = input { Some(Rc::clone(vector)) } else { None };
        Lane { fold, vector, numbers: Vec::new(), counts: Vec::new() }
    }

    fn grow(&mut self, groups: usize) {
        self.numbers.resize(groups, 0.0);
        self.counts.resize(groups, 0.0);
    }

    /// Takes in some rows, each of which belongs to a group.
    fn push(&mut self, rows: &[u32], groups: &[u32], literal: Option<f64>) {
        let (floats, tags) = match &self.vector {
            Some(vector) => (vector.floats(), vector.tags()),
            None => (&[][..], &[][..]),
        };
        for (row, group) in rows.iter().zip(groups) {
            let row = *row as usize;
            let (Some(kept), Some(count)) =
                (self.numbers.get_mut(*group as usize), self.counts.get_mut(*group as usize))
            else {
                continue;
            };
            if tags.get(row).is_some_and(|tag| *tag != THERE) && self.fold != Quick::Count {
                continue;
            }
            let number = literal.or_else(|| floats.get(row).copied()).unwrap_or_default();
            match self.fold {
                Quick::Sum => *kept += number,
                Quick::Avg => {
                    *kept += number;
                    *count += 1.0;
                }
                Quick::Min | Quick::Max => {
                    let is_better = if self.fold == Quick::Min { number < *kept } else { number > *kept };
                    if is_better || *count == 0.0 {
                        *kept = number;
                    }
                    *count += 1.0;
                }
                Quick::Count => *count += 1.0,
                Quick::Each => {}
            }
        }
    }

    /// Hands over what a group has come to.
    fn finish(&self, group: usize, fold: &mut Fold) -> Result<()> {
        let number = self.numbers.get(group).copied().unwrap_or_default();
        let counted = self.counts.get(group).copied().unwrap_or_default();
        match fold {
            Fold::Sum(sum) => *sum = Numeric::Float(number),
            Fold::Avg { sum, count } => (*sum, *count) = (number, counted),
            Fold::Count(count) => *count = counted as usize,
            Fold::Extreme { best, .. } if counted > 0.0 => {
                *best = self.vector.as_ref().map(|vector| vector.view_of(number).to_value()).transpose()?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Group {
    /// What has to be taken out of each document; none where that is not all that counts.
    pub(crate) fn columns(&self) -> Option<Vec<Column>> {
        let wanted = self.inputs.iter().zip(&self.columns).filter(|(input, _)| input.as_literal().is_none());
        wanted.map(|(_, column)| column.clone()).collect()
    }

    fn input(&self, place: usize, vector: &dyn Fn(&Column) -> Option<Rc<Vector>>) -> Option<Input<'_>> {
        match self.inputs.get(place)?.as_literal() {
            Some(literal) => Some(Input::Literal(literal)),
            None => vector(self.columns.get(place)?.as_ref()?).map(Input::Vector),
        }
    }
}

impl Grouping {
    /// Takes in rows of vectors, which come in ascending order unless some are given: all of them.
    ///
    /// # Errors
    /// `limit` where it keeps too much.
    pub(crate) fn push_vectors(
        &mut self,
        group: &Group,
        vector: &dyn Fn(&Column) -> Option<Rc<Vector>>,
        rows: &mut dyn Iterator<Item = u32>,
        budget: &mut Budget,
    ) -> Result<()> {
        let inputs = (0..group.inputs.len()).map(|place| group.input(place, vector)).collect::<Option<Vec<_>>>();
        let inputs = inputs.ok_or_else(|| Error::internal("a column was not asked for"))?;
        let (keys, inputs) = inputs.split_at_checked(group.key.len()).unwrap_or((&inputs, &[]));
        let mut parts: Vec<KeyPart> = Vec::new();
        for key in keys {
            if let Input::Vector(vector) = key {
                let (values, pairs) = (Numbering::default(), Numbering::default());
                parts.push(KeyPart { vector: Rc::clone(vector), values, pairs });
            }
        }
        let mut lanes: Vec<Lane> =
            group.fields.iter().zip(inputs).map(|((_, kind), input)| Lane::of(kind, input)).collect();
        // By the number of a key: its group.
        let mut places: Vec<u32> = Vec::new();
        let (mut batch, mut numbers) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        loop {
            batch.clear();
            batch.extend(rows.take(BATCH));
            if batch.is_empty() {
                break;
            }
            numbers.clear();
            numbers.resize(batch.len(), 0);
            for (place, part) in parts.iter_mut().enumerate() {
                part.join(&batch, &mut numbers, place == 0);
            }
            for (row, number) in batch.iter().zip(&mut numbers) {
                let at = *number as usize;
                if places.len() <= at {
                    places.resize(at + 1, NEW);
                }
                let Some(place) = places.get_mut(at) else { continue };
                if *place == NEW {
                    let key: Vec<Operand<'_>> = keys.iter().map(|key| key.operand(*row as usize)).collect();
                    *place = self.place(group, &key, budget)? as u32;
                }
                *number = *place;
            }
            for (place, (lane, input)) in lanes.iter_mut().zip(inputs).enumerate() {
                if lane.fold == Quick::Each {
                    self.push_each(group, place, input, (&batch, &numbers), budget)?;
                    continue;
                }
                lane.grow(self.ids.len());
                let literal = if let Input::Literal(Value::Number(number)) = input { Some(number.get()) } else { None };
                lane.push(&batch, &numbers, literal);
            }
        }
        let width = group.fields.len();
        for (place, lane) in lanes.iter().enumerate().filter(|(_, lane)| lane.fold != Quick::Each) {
            for (at, fold) in self.folds.iter_mut().skip(place).step_by(width.max(1)).enumerate() {
                lane.finish(at, fold)?;
            }
        }
        Ok(())
    }

    /// Takes values one by one into the folds of one field.
    fn push_each(
        &mut self,
        group: &Group,
        place: usize,
        input: &Input<'_>,
        (rows, groups): (&[u32], &[u32]),
        budget: &mut Budget,
    ) -> Result<()> {
        for (row, at) in rows.iter().zip(groups) {
            let value = input.operand(*row as usize);
            if let Some(fold) = self.folds.get_mut(*at as usize * group.fields.len() + place) {
                let kept = fold.push(value.view())?;
                if kept > 0 {
                    budget.keep(kept)?;
                }
            }
        }
        Ok(())
    }
}

const _: () = assert!(MISSING < 3 && NULL < 3);
