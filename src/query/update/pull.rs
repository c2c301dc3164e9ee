//! What is taken out of arrays: `$pull` and `$pullAll`.
//!
//! Not by place: that is `$pop`.

use super::target::Target;
use crate::error::Result;
use crate::query::Filter;
use crate::value::{Name, Object, Value, order};

/// Which elements go.
#[derive(Clone, Debug)]
pub(super) enum Pull {
    /// Those that are equal to one of the values.
    Equal(Vec<Value>),
    /// Objects that match.
    Objects(Filter),
    /// Those that match as a field of this name would.
    Values(Name, Filter),
}

impl Pull {
    /// Reads the operand: operators, a filter for objects, or a value.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub(super) fn parse(target: &Target, operand: &Value) -> Result<Pull> {
        let Value::Object(object) = operand else { return Ok(Pull::Equal(vec![operand.clone()])) };
        let of_values = ["$and", "$or", "$nor"];
        let is_operator = |name: &str| name.starts_with('$') && !of_values.contains(&name);
        if !object.iter().any(|(name, _)| is_operator(name)) {
            return Filter::parse(object).map(Pull::Objects);
        }
        let name = target.last_name();
        let filter = Filter::parse(&Object::from([(&*name, operand.clone())]))?;
        Ok(Pull::Values(name, filter))
    }

    /// # Errors
    /// As [`Filter::matches`].
    pub(super) fn apply(&self, elements: &mut Vec<Value>) -> Result<()> {
        let mut kept = Vec::with_capacity(elements.len());
        for element in elements.drain(..) {
            let goes = match (self, &element) {
                (Pull::Equal(values), element) => {
                    values.iter().any(|value| order::compare_values(value, element).is_eq())
                }
                (Pull::Objects(filter), Value::Object(object)) => filter.matches(object.into())?,
                (Pull::Objects(_), _) => false,
                (Pull::Values(name, filter), element) => {
                    filter.matches((&Object::from([(&**name, element.clone())])).into())?
                }
            };
            if !goes {
                kept.push(element);
            }
        }
        *elements = kept;
        Ok(())
    }
}
