//! How a filter document becomes a filter.
//!
//! Not lenient: an operator that is not known, or stands where none can, is refused; nothing of a filter is ignored.
//!
//! Invariants: depth and the count of terms are bounded while they grow; a value that a field is compared with has no
//! name that begins with `$`.

use super::{Element, Filter, Test, Types};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{FILTER_DEPTH_MAX, FILTER_TERMS_MAX};
use crate::pattern::{Flags, Pattern};
use crate::query::expression::{Expression, Names};
use crate::query::text::Search;
use crate::sorted;
use crate::value::{Object, Path, Value, order};
use core::cmp::Ordering;
use std::rc::Rc;

const OPERATORS_HINT: &str = "a filter has fields, $and, $or, $nor, $expr and $text; a field has a value, or $eq $ne $gt $gte $lt \
    $lte $in $nin $exists $type $regex $size $all $elemMatch $mod $not";

/// Those that stand in a field.
const OF_FIELDS: [&str; 17] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$type",
    "$regex",
    "$options",
    "$size",
    "$all",
    "$elemMatch",
    "$mod",
    "$not",
];
/// Those that stand outside of fields.
const OF_FILTERS: [&str; 5] = ["$and", "$or", "$nor", "$expr", "$text"];

/// See [`Filter::parse`].
///
/// # Errors
/// As there.
pub(super) fn parse(filter: &Object) -> Result<Filter> {
    Parser { depth: 0, terms: 0, elements: 0, within: None, searches: 0 }.filter(filter)
}

struct Parser {
    depth: usize,
    terms: usize,
    /// How many `$elemMatch` are open.
    elements: usize,
    /// What stands around that does not simply have to hold.
    within: Option<&'static str>,
    /// How many `$text` there were.
    searches: usize,
}

impl Parser {
    /// What stands one level deeper.
    fn within<T>(&mut self, parse: &mut dyn FnMut(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > FILTER_DEPTH_MAX {
            return Err(Error::limit(format!("filter is more than {FILTER_DEPTH_MAX} operators deep")));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn filter(&mut self, filter: &Object) -> Result<Filter> {
        let mut all = Vec::with_capacity(filter.len());
        for (name, operand) in filter.iter() {
            match &**name {
                "$and" => all.extend(self.list("$and", operand)?),
                "$or" => all.push(Filter::Any(self.apart("$or", operand)?)),
                "$nor" => all.push(Filter::Not(Box::new(Filter::Any(self.apart("$nor", operand)?)))),
                "$text" => all.push(self.search(operand)?),
                "$expr" => all.push(self.expression(operand)?),
                name if name.starts_with('$') => return Err(misplaced(name)),
                name => self.field(name, operand, &mut all)?,
            }
        }
        Ok(Filter::All(all))
    }

    fn expression(&mut self, operand: &Value) -> Result<Filter> {
        if self.elements > 0 {
            let error = Error::invalid("`$expr` stands inside of `$elemMatch`");
            return Err(error.with_hint("an expression is of the document as a whole: put it beside the field"));
        }
        let expression = Expression::parse(operand, Names::default());
        let expression = expression.map_err(|error| error.context("`$expr`"))?;
        Ok(Filter::Expression(Rc::new(expression)))
    }

    fn search(&mut self, operand: &Value) -> Result<Filter> {
        let around = self.within.or((self.elements > 0).then_some("$elemMatch"));
        if let Some(around) = around {
            let error = Error::invalid(format!("`$text` stands inside of `{around}`"));
            return Err(error.with_hint("what is searched has to hold for the whole: put it beside, or into `$and`"));
        }
        self.searches += 1;
        if self.searches > 1 {
            let error = Error::invalid("`$text` stands twice");
            return Err(error.with_hint("one `$search` may have many words, phrases, and exclusions"));
        }
        let search = Search::parse(operand).map_err(|error| error.context("`$text`"))?;
        Ok(Filter::Text(Rc::new(search)))
    }

    /// Filters that do not all have to hold.
    fn apart(&mut self, operator: &'static str, operand: &Value) -> Result<Vec<Filter>> {
        let around = self.within.replace(operator);
        let filters = self.list(operator, operand);
        self.within = around;
        filters
    }

    fn list(&mut self, operator: &str, operand: &Value) -> Result<Vec<Filter>> {
        let filters = operand.as_array().filter(|filters| !filters.is_empty());
        let filters = filters.ok_or_else(|| Error::invalid(format!("`{operator}` takes an array of filters")))?;
        let mut parsed = Vec::with_capacity(filters.len());
        for (place, filter) in filters.iter().enumerate() {
            let Value::Object(filter) = filter else {
                let message = format!("`{operator}` takes an array of filters, not of {}", filter.type_name());
                return Err(Error::invalid(message));
            };
            let filter = self.within(&mut |parser| parser.filter(filter));
            parsed.push(filter.map_err(|error| error.context(format!("`{operator}[{place}]`")))?);
        }
        Ok(parsed)
    }

    fn field(&mut self, name: &str, operand: &Value, all: &mut Vec<Filter>) -> Result<()> {
        let path = Path::parse(name)?;
        let parsed = match operand {
            Value::Object(object) if has_operator(object) => self.operators(Some(&path), object, all),
            value => literal(value)
                .map(Test::Eq)
                .and_then(|test| self.term(Some(&path), test))
                .map(|filter| all.push(filter)),
        };
        parsed.map_err(|error| error.context(format!("field `{path}`")))
    }

    /// What is asked of the field or, without a path, of the value itself.
    fn term(&mut self, path: Option<&Path>, test: Test) -> Result<Filter> {
        self.terms += 1;
        if self.terms > FILTER_TERMS_MAX {
            return Err(Error::limit(format!("filter has more than {FILTER_TERMS_MAX} conditions")));
        }
        Ok(path.map_or_else(|| Filter::Itself(test.clone()), |path| Filter::Field(path.clone(), test.clone())))
    }

    fn operators(&mut self, path: Option<&Path>, operators: &Object, all: &mut Vec<Filter>) -> Result<()> {
        for (operator, operand) in operators.iter() {
            match &**operator {
                "$in" => all.push(self.among(path, "$in", operand)?),
                "$nin" => match self.among(path, "$nin", operand)? {
                    Filter::Field(path, Test::In(values)) => all.push(Filter::Field(path, Test::Nin(values))),
                    filter => all.push(Filter::Not(Box::new(filter))),
                },
                "$all" => self.every(path, operand, all)?,
                "$not" => {
                    let Some(operators) = operand.as_object().filter(|operand| has_operator(operand)) else {
                        let message = format!("`$not` takes an object of operators, not {}", operand.type_name());
                        return Err(Error::invalid(message).with_hint("for a value that is not equal there is `$ne`"));
                    };
                    let mut parts = Vec::new();
                    self.within(&mut |parser| parser.operators(path, operators, &mut parts))?;
                    all.push(Filter::Not(Box::new(Filter::All(parts))));
                }
                "$options" if operators.get("$regex").is_some() => {}
                "$regex" => {
                    let pattern = pattern(operators)?;
                    all.push(self.term(path, Test::Pattern(pattern))?);
                }
                "$elemMatch" => {
                    let element = self.element(operand)?;
                    all.push(self.term(path, Test::Element(Box::new(element)))?);
                }
                operator => {
                    let test = test(operator, operand)?;
                    all.push(self.term(path, test)?);
                }
            }
        }
        Ok(())
    }

    /// `$in`: values, and patterns.
    fn among(&mut self, path: Option<&Path>, operator: &str, operand: &Value) -> Result<Filter> {
        let mut either = Vec::new();
        let mut values = Vec::new();
        for value in array(operator, operand)? {
            match value {
                Value::Object(object) if object.get("$regex").is_some() => {
                    only_pattern(operator, object)?;
                    let pattern = pattern(object)?;
                    either.push(self.term(path, Test::Pattern(pattern))?);
                }
                value => values.push(literal(value)?),
            }
        }
        let values = self.term(path, Test::In(in_order(&values)))?;
        if either.is_empty() {
            return Ok(values);
        }
        either.insert(0, values);
        Ok(Filter::Any(either))
    }

    /// `$all`: each of its values is to be there.
    fn every(&mut self, path: Option<&Path>, operand: &Value, all: &mut Vec<Filter>) -> Result<()> {
        let values = array("$all", operand)?;
        if values.is_empty() {
            all.push(Filter::Any(Vec::new()));
        }
        for value in values {
            let test = match value {
                Value::Object(object) if object.get("$elemMatch").is_some() && object.len() == 1 => {
                    Test::Element(Box::new(self.element(object.get("$elemMatch").unwrap_or(value))?))
                }
                Value::Object(object) if object.get("$regex").is_some() => {
                    only_pattern("$all", object)?;
                    Test::Pattern(pattern(object)?)
                }
                value => Test::Eq(literal(value)?),
            };
            all.push(self.term(path, test)?);
        }
        Ok(())
    }

    /// `$elemMatch`: operators for the element itself, or a filter for objects.
    fn element(&mut self, operand: &Value) -> Result<Element> {
        let Value::Object(object) = operand else {
            return Err(Error::invalid(format!("`$elemMatch` takes an object, not {}", operand.type_name())));
        };
        let first = object.fields().first().map_or("", |(name, _)| name);
        let is_of_value = first.starts_with('$') && !OF_FILTERS.contains(&first);
        self.elements += 1;
        let parsed = self.within(&mut |parser| {
            if !is_of_value {
                return parser.filter(object).map(Element::Object);
            }
            let mut all = Vec::new();
            parser.operators(None, object, &mut all)?;
            Ok(Element::Value(Filter::All(all)))
        });
        self.elements -= 1;
        parsed.map_err(|error| error.context("`$elemMatch`"))
    }
}

/// An operator that asks one thing of a field.
fn test(operator: &str, operand: &Value) -> Result<Test> {
    Ok(match operator {
        "$eq" => Test::Eq(literal(operand)?),
        "$ne" => Test::Ne(literal(operand)?),
        "$gt" => Test::Gt(literal(operand)?),
        "$gte" => Test::Gte(literal(operand)?),
        "$lt" => Test::Lt(literal(operand)?),
        "$lte" => Test::Lte(literal(operand)?),
        "$exists" => match operand {
            Value::Bool(exists) => Test::Exists(*exists),
            Value::Number(number) => Test::Exists(number.get() != 0.0),
            other => return Err(Error::invalid(format!("`$exists` takes a boolean, not {}", other.type_name()))),
        },
        "$type" => Test::Type(Types::parse(operand)?),
        "$size" => {
            let size = integer(operand).and_then(|size| usize::try_from(size).ok());
            Test::Size(
                size.ok_or_else(|| Error::invalid(format!("`$size` takes a whole number from 0 on, not {operand}")))?,
            )
        }
        "$mod" => modulo(operand)?,
        "$options" => return Err(Error::invalid("`$options` stands without `$regex`")),
        operator if OF_FILTERS.contains(&operator) => {
            return Err(Error::invalid(format!("`{operator}` stands inside of a field")).with_hint(OPERATORS_HINT));
        }
        operator if operator.starts_with('$') => return Err(unsupported(operator)),
        name => {
            let message = format!("`{name}` stands among operators; it is no operator");
            return Err(Error::invalid(message).with_hint(OPERATORS_HINT));
        }
    })
}

fn modulo(operand: &Value) -> Result<Test> {
    let numbers = operand.as_array().and_then(|numbers| match numbers {
        [divisor, rest] => Some((integer(divisor)?, integer(rest)?)),
        _ => None,
    });
    match numbers {
        None => Err(Error::invalid("`$mod` takes an array of two whole numbers: what to divide by, and what is left")),
        Some((0, _)) => Err(Error::invalid("`$mod` cannot divide by 0")),
        Some((divisor, rest)) => Ok(Test::Mod(divisor, rest)),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_integer(),
        Value::BigInt(number) => Some(*number),
        _ => None,
    }
}

/// `$regex`, with the `$options` beside it.
fn pattern(operators: &Object) -> Result<Rc<Pattern>> {
    let text = |name: &str| match operators.get(name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => Err(Error::invalid(format!("`{name}` takes a string, not {}", other.type_name()))),
    };
    let flags = Flags::parse(text("$options")?).map_err(|error| error.context("`$options`"))?;
    Pattern::parse(text("$regex")?, flags).map(Rc::new)
}

fn only_pattern(operator: &str, object: &Object) -> Result<()> {
    match object.iter().find(|(name, _)| !matches!(&***name, "$regex" | "$options")) {
        None => Ok(()),
        Some((name, _)) => Err(Error::invalid(format!("`{name}` stands beside a pattern of `{operator}`"))),
    }
}

/// What a field is compared with.
fn literal(value: &Value) -> Result<Value> {
    check_literal(value)?;
    Ok(value.clone())
}

fn check_literal(value: &Value) -> Result<()> {
    match value {
        Value::Array(elements) => elements.iter().try_for_each(check_literal),
        Value::Object(object) => object.iter().try_for_each(|(name, value)| {
            if name.starts_with('$') {
                let hint =
                    "operators stand right behind a field: `{ 'a.b': { $gt: 5 } }`, not `{ a: { b: { $gt: 5 } } }`";
                return Err(Error::invalid(format!("operator `{name}` stands inside of a value")).with_hint(hint));
            }
            check_literal(value)
        }),
        _ => Ok(()),
    }
}

fn array<'a>(operator: &str, operand: &'a Value) -> Result<&'a [Value]> {
    let array = operand.as_array();
    array.ok_or_else(|| Error::invalid(format!("`{operator}` takes an array, not {}", operand.type_name())))
}

/// The values in order, each once.
fn in_order(values: &[Value]) -> Vec<Value> {
    let compare = |left: usize, right: usize| match (values.get(left), values.get(right)) {
        (Some(left), Some(right)) => order::compare_values(left, right),
        _ => Ordering::Equal,
    };
    let mut places = sorted::order(values.len(), &mut { compare });
    places.dedup_by(|left, right| compare(*left, *right).is_eq());
    places.into_iter().filter_map(|place| values.get(place).cloned()).collect()
}

fn has_operator(object: &Object) -> bool {
    object.iter().any(|(name, _)| name.starts_with('$'))
}

fn misplaced(operator: &str) -> Error {
    if OF_FIELDS.contains(&operator) {
        return Error::invalid(format!("`{operator}` stands outside of a field")).with_hint(OPERATORS_HINT);
    }
    unsupported(operator)
}

fn unsupported(operator: &str) -> Error {
    let error = Error::new(ErrorKind::Unsupported, format!("filter operator `{operator}` is not supported"));
    error.with_hint(OPERATORS_HINT).with_detail("operator", operator)
}
