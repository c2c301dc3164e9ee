//! What a schema says of a value in a row by its tag alone: most values of most schemas are not even read.
//!
//! Not a guess: a tag that does not decide is in neither set.

use crate::schema::program::{Measure, Operation, Types};
use crate::value::row::{
    TAG_ARRAY, TAG_BIGINT, TAG_BYTES, TAG_DATE, TAG_FALSE, TAG_INTEGER, TAG_NULL, TAG_NUMBER, TAG_OBJECT, TAG_STRING,
    TAG_TRUE,
};

/// Sets of tags, a bit for each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    valid: u16,
    invalid: u16,
    /// Whether no operation speaks of the parts of a value, or asks other schemas.
    pub(super) is_scalar: bool,
}

const ALL: u16 = u16::MAX;
const STRINGS: u16 = 1 << TAG_STRING;
const ARRAYS: u16 = 1 << TAG_ARRAY;
const OBJECTS: u16 = 1 << TAG_OBJECT;
const NUMBERS: u16 = 1 << TAG_INTEGER | 1 << TAG_NUMBER | 1 << TAG_BIGINT;

impl Verdict {
    /// That of no operations.
    pub(super) const NONE: Verdict = Verdict { valid: ALL, invalid: 0, is_scalar: true };

    /// That of the operations of both.
    pub(super) const fn and(self, other: Verdict) -> Verdict {
        Verdict {
            valid: self.valid & other.valid,
            invalid: self.invalid | other.invalid,
            is_scalar: self.is_scalar && other.is_scalar,
        }
    }

    pub(super) fn of(operations: &[Operation]) -> Verdict {
        operations.iter().fold(Verdict::NONE, |verdict, operation| {
            let (valid, invalid) = by_tag(operation);
            verdict.and(Verdict { valid, invalid, is_scalar: is_scalar(operation) })
        })
    }

    /// Whether a value with this tag is valid; none where it has to be read.
    pub(super) const fn by_tag(self, tag: u8) -> Option<bool> {
        if self.valid >> tag & 1 != 0 {
            Some(true)
        } else if self.invalid >> tag & 1 != 0 {
            Some(false)
        } else {
            None
        }
    }
}

/// The tags of which an operation says that they are valid whatever the value, and those that are not.
fn by_tag(operation: &Operation) -> (u16, u16) {
    match operation {
        Operation::Never => (0, ALL),
        Operation::Type(types) => by_type(*types),
        Operation::Limit(..) | Operation::MultipleOf(_) => (!NUMBERS, 0),
        Operation::Pattern(_) | Operation::Count(Measure::MinLength | Measure::MaxLength, _) => (!STRINGS, 0),
        Operation::Count(Measure::MinItems | Measure::MaxItems, _)
        | Operation::Unique
        | Operation::Elements(..)
        | Operation::Contains(..)
        | Operation::UnevaluatedElements(_) => (!ARRAYS, 0),
        Operation::Count(Measure::MinProperties | Measure::MaxProperties, _)
        | Operation::Fields(_)
        | Operation::FieldNames(_)
        | Operation::DependentRequired(_)
        | Operation::DependentSchemas(_)
        | Operation::UnevaluatedFields(_) => (!OBJECTS, 0),
        _ => (0, 0),
    }
}

fn by_type(types: Types) -> (u16, u16) {
    let mut valid = 0;
    for (bit, tags) in [
        1 << TAG_NULL,
        1 << TAG_FALSE | 1 << TAG_TRUE,
        OBJECTS,
        ARRAYS,
        NUMBERS,
        STRINGS,
        NUMBERS,
        1 << TAG_DATE,
        1 << TAG_BYTES,
        1 << TAG_BIGINT,
    ]
    .into_iter()
    .enumerate()
    {
        if types.0 >> bit & 1 != 0 {
            valid |= tags;
        }
    }
    // A number that is not stored as an integer may be one still, or infinite.
    (valid & !(1 << TAG_NUMBER), !valid)
}

fn is_scalar(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Never
            | Operation::Type(_)
            | Operation::OneOf(_)
            | Operation::Limit(..)
            | Operation::MultipleOf(_)
            | Operation::Count(..)
            | Operation::Pattern(_)
    )
}
