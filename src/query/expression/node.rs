//! Nodes: the parts of a parsed expression, and how each is evaluated.
//!
//! Not the operators that take all of their arguments as values: those are in the table of `operator.rs`. Here is what
//! evaluates a part only where it is needed, or several times.

use super::operand::Operand;
use super::operator::{Arguments, Operator};
use super::scope::{Scope, depth_checked};
use crate::error::{Error, Result};
use crate::limits::PATTERN_STEPS_MAX;
use crate::pattern::Pattern;
use crate::value::path::Part;
use crate::value::view::ArrayView;
use crate::value::{Name, Object, Value, View};
use std::rc::Rc;

const SCORE_HINT: &str = "scores are of what `$text` finds in the first stage; `$project`, `$set` and `$sort` see them, before others \
    make new documents";

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Literal(Value),
    /// `$$REMOVE`.
    Nothing,
    /// `{ $meta: 'textScore' }`.
    Score,
    Field {
        of: Source,
        path: Vec<Part>,
    },
    Object(Vec<(Name, Node)>),
    Array(Vec<Node>),
    Call(&'static Operator, Vec<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    /// The first that is neither null nor missing, else the last.
    IfNull(Vec<Node>),
    /// The second of the first pair whose first is true; else the default, without which it is an error.
    Switch(Vec<(Node, Node)>, Option<Box<Node>>),
    Let {
        first: usize,
        values: Vec<Node>,
        body: Box<Node>,
    },
    Each(Box<Each>),
    /// `$regexMatch`.
    Matches(Box<Node>, Rc<Pattern>),
}

/// `$map`, `$filter` and `$reduce`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Each {
    pub(super) name: &'static str,
    pub(super) input: Node,
    /// The number of the variable that stands for the element; of `$reduce`, `$$value` is the next.
    pub(super) variable: usize,
    pub(super) body: Node,
    pub(super) kind: EachKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum EachKind {
    Map,
    Filter { limit: Option<Node> },
    Reduce { initial: Node },
}

/// What a path leads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Document,
    Variable(usize),
}

impl Node {
    /// Whether all that it looks at of the document is one field, which is noted in `only`.
    pub(super) fn looks_at_no_more_than<'a>(&'a self, only: &mut Option<&'a Name>) -> bool {
        match self {
            Node::Literal(_) | Node::Nothing => true,
            Node::Field { of: Source::Document, path } => match path.as_slice() {
                [part] => *only.get_or_insert(&part.name) == &part.name,
                _ => false,
            },
            Node::Object(fields) => fields.iter().all(|(_, node)| node.looks_at_no_more_than(only)),
            Node::Array(nodes) | Node::Call(_, nodes) | Node::All(nodes) | Node::Any(nodes) | Node::IfNull(nodes) => {
                nodes.iter().all(|node| node.looks_at_no_more_than(only))
            }
            // What variables stand for is not followed.
            _ => false,
        }
    }

    pub(super) fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Operand<'a>> {
        scope.take(1)?;
        match self {
            Node::Literal(value) => Ok(Operand::Seen(value.into())),
            Node::Nothing => Ok(Operand::Missing),
            Node::Score => {
                let missing = || Error::invalid("no score is known here").with_hint(SCORE_HINT);
                Value::number(scope.score().ok_or_else(missing)?).map(Operand::from)
            }
            Node::Field { of, path } => {
                let from = match of {
                    Source::Document => Some(scope.document()),
                    Source::Variable(number) => scope.variable(*number),
                };
                from.map_or(Ok(Operand::Missing), |from| follow(from, path))
            }
            Node::Object(fields) => object(fields, scope),
            Node::Array(elements) => {
                let element =
                    |node: &'a Node| node.evaluate(scope)?.into_value().map(|made| made.unwrap_or(Value::Null));
                elements.iter().map(element).collect::<Result<Vec<_>>>().map(Operand::from)
            }
            Node::Call(operator, arguments) => {
                let values = arguments.iter().map(|node| node.evaluate(scope)).collect::<Result<Vec<_>>>()?;
                operator.call(&mut Arguments::new(values, scope.steps()))
            }
            Node::All(nodes) => first_that_is(false, nodes, scope),
            Node::Any(nodes) => first_that_is(true, nodes, scope),
            Node::IfNull(nodes) => {
                let mut value = Operand::Missing;
                for node in nodes {
                    value = node.evaluate(scope)?;
                    if !value.is_null() {
                        break;
                    }
                }
                Ok(value)
            }
            Node::Switch(branches, default) => {
                for (condition, then) in branches {
                    if condition.evaluate(scope)?.is_true() {
                        return then.evaluate(scope);
                    }
                }
                let default = default.as_ref();
                default
                    .ok_or_else(|| Error::invalid("`$switch` has no branch for a document, and no `default`"))?
                    .evaluate(scope)
            }
            Node::Let { first, values, body } => {
                let values = values.iter().map(|node| node.evaluate(scope)).collect::<Result<Vec<_>>>()?;
                let views: Vec<Option<View<'_>>> = values.iter().map(Operand::view).collect();
                body.evaluate(&scope.within(&scope.frame(*first, &views)))?.owned()
            }
            Node::Matches(input, pattern) => {
                let matched = matches(&input.evaluate(scope)?, pattern, scope);
                Ok(matched.map_err(|error| error.context("`$regexMatch`"))?.into())
            }
            Node::Each(each) => each.evaluate(scope).map_err(|error| error.context(format!("`{}`", each.name))),
        }
    }
}

/// Null, and what is missing, has no match.
fn matches(input: &Operand<'_>, pattern: &Pattern, scope: &Scope<'_>) -> Result<bool> {
    if input.is_null() {
        return Ok(false);
    }
    let text = input.text()?;
    scope.take(text.len())?;
    pattern.matches(text, &mut { PATTERN_STEPS_MAX })
}

fn object<'a>(fields: &'a [(Name, Node)], scope: &Scope<'a>) -> Result<Operand<'a>> {
    let mut made = Vec::with_capacity(fields.len());
    for (name, node) in fields {
        if let Some(value) = node.evaluate(scope)?.into_value()? {
            made.push((name.clone(), value));
        }
    }
    Object::from_fields(made).map(|object| Operand::Made(object.into()))
}

/// Whether one of them is that; those behind it are not evaluated.
fn first_that_is<'a>(wanted: bool, nodes: &'a [Node], scope: &Scope<'a>) -> Result<Operand<'a>> {
    for node in nodes {
        if node.evaluate(scope)?.is_true() == wanted {
            return Ok(wanted.into());
        }
    }
    Ok((!wanted).into())
}

/// What lies at a path. An array on the way gives the array of what its objects have there; a number as part of the path
/// takes that element.
pub(super) fn follow<'a>(from: View<'a>, path: &[Part]) -> Result<Operand<'a>> {
    let mut here = from;
    let mut rest = path;
    while let Some((part, behind)) = rest.split_first() {
        let next = match (here, part.index) {
            (View::Object(object), _) => object.get(&part.name)?,
            (View::Array(array), Some(index)) => array.get(index)?,
            (View::Array(array), None) => return gather(array, rest),
            _ => None,
        };
        let Some(next) = next else { return Ok(Operand::Missing) };
        here = next;
        rest = behind;
    }
    Ok(Operand::Seen(here))
}

fn gather<'a>(array: ArrayView<'a>, path: &[Part]) -> Result<Operand<'a>> {
    let mut gathered = Vec::new();
    for element in array.iter() {
        if let View::Object(object) = element?
            && let Some(value) = follow(View::Object(object), path)?.into_value()?
        {
            gathered.push(value);
        }
    }
    Ok(gathered.into())
}

impl Each {
    fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Operand<'a>> {
        let input = self.input.evaluate(scope)?;
        if input.is_null() {
            return Ok(Operand::NULL);
        }
        let elements = input.array()?;
        match &self.kind {
            EachKind::Map => {
                let mut mapped = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    mapped.push(self.body(scope, &[Some(element?)])?.unwrap_or(Value::Null));
                }
                Ok(mapped.into())
            }
            EachKind::Filter { limit } => {
                let limit = match limit {
                    Some(limit) => limit.evaluate(scope)?,
                    None => Operand::Missing,
                };
                let limit = if limit.is_null() { usize::MAX } else { usize::try_from(limit.integer()?).unwrap_or(0) };
                if limit == 0 {
                    return Err(Error::invalid("`limit` is not above 0"));
                }
                let mut kept = Vec::new();
                for element in elements.iter() {
                    let element = element?;
                    let views = [Some(element)];
                    if self.body.evaluate(&scope.within(&scope.frame(self.variable, &views)))?.is_true() {
                        scope.take(1)?;
                        kept.push(element.to_value()?);
                        if kept.len() == limit {
                            break;
                        }
                    }
                }
                Ok(kept.into())
            }
            EachKind::Reduce { initial } => {
                let mut value = initial.evaluate(scope)?.into_value()?;
                for element in elements.iter() {
                    let next = self.body(scope, &[Some(element?), value.as_ref().map(View::from)])?;
                    if let Some(next) = &next {
                        scope.take(depth_checked(next, 1)?)?;
                    }
                    value = next;
                }
                Ok(value.map_or(Operand::Missing, Operand::Made))
            }
        }
    }

    fn body(&self, scope: &Scope<'_>, views: &[Option<View<'_>>]) -> Result<Option<Value>> {
        let frame = scope.frame(self.variable, views);
        self.body.evaluate(&scope.within(&frame))?.into_value()
    }
}
