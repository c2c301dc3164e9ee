//! Reading expressions: which operator, which arguments, which variable.
//!
//! Not evaluation. What can be said without a document is said here, so that a wrong expression is refused before any
//! document is read.
//!
//! Invariant: each error names the way to it: `` `$project`: `total`: `$add`: ... ``.

use super::Names;
use super::node::{Each, EachKind, Node, Source};
use super::operator::{Operator, Takes};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::DOCUMENT_DEPTH_MAX;
use crate::pattern::{Flags, Pattern};
use crate::value::{Name, Object, Path, Value};
use std::rc::Rc;

pub(super) fn parse(expression: &Value, names: Names<'_>) -> Result<Node> {
    Parser { now: names.now, variables: names.outer.to_vec(), depth: 0 }.node(expression)
}

struct Parser {
    now: Option<crate::env::Timestamp>,
    /// Of the outer ones and those around the place that is read; each has its place as its number.
    variables: Vec<Name>,
    depth: usize,
}

fn naming<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| error.context(format!("`{name}`")))
}

impl Parser {
    fn node(&mut self, expression: &Value) -> Result<Node> {
        if self.depth == DOCUMENT_DEPTH_MAX {
            return Err(Error::limit(format!("an expression is nested deeper than {DOCUMENT_DEPTH_MAX}")));
        }
        self.depth += 1;
        let node = match expression {
            Value::String(text) => match text.strip_prefix('$') {
                Some(path) => match path.strip_prefix('$') {
                    Some(variable) => self.variable(variable),
                    None => field(Source::Document, path),
                },
                None => Ok(Node::Literal(expression.clone())),
            },
            Value::Array(elements) => self.nodes(elements).map(|nodes| array(elements, nodes)),
            Value::Object(object) => self.object(object),
            literal => Ok(Node::Literal(literal.clone())),
        };
        self.depth -= 1;
        node
    }

    fn nodes(&mut self, elements: &[Value]) -> Result<Vec<Node>> {
        let mut nodes = Vec::with_capacity(elements.len());
        for (place, element) in elements.iter().enumerate() {
            nodes.push(naming(&place.to_string(), self.node(element))?);
        }
        Ok(nodes)
    }

    fn variable(&self, text: &str) -> Result<Node> {
        let (name, path) = text.split_once('.').unwrap_or((text, ""));
        let source = match name {
            "ROOT" | "CURRENT" => Source::Document,
            "REMOVE" => return Ok(Node::Nothing),
            "NOW" => {
                let now = self.now.ok_or_else(|| Error::invalid("`$$NOW` is not known here"))?;
                return Ok(Node::Literal(Value::Date(now.as_ms())));
            }
            name => match self.variables.iter().rposition(|variable| &**variable == name) {
                Some(number) => Source::Variable(number),
                None => {
                    let error = Error::invalid(format!("variable `$${name}` is not known"));
                    return Err(
                        error.with_hint("there are $$ROOT, $$CURRENT, $$REMOVE, $$NOW, and those of $let and its like")
                    );
                }
            },
        };
        field(source, path)
    }

    fn object(&mut self, object: &Object) -> Result<Node> {
        match object.fields() {
            [(name, operand)] if name.starts_with('$') => naming(name, self.operator(name, operand)),
            fields => {
                let mut nodes = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    if name.starts_with('$') || name.contains('.') {
                        let error = Error::invalid(format!("`{name}` stands among the fields of an object"));
                        return Err(error.with_hint("an operator stands alone; names of fields have no point and no $"));
                    }
                    nodes.push((name.clone(), naming(name, self.node(value))?));
                }
                let is_literal = nodes.iter().all(|(_, node)| matches!(node, Node::Literal(_)));
                Ok(if is_literal { Node::Literal(literals(nodes)?) } else { Node::Object(nodes) })
            }
        }
    }

    fn operator(&mut self, name: &str, operand: &Value) -> Result<Node> {
        Ok(match name {
            "$literal" => Node::Literal(operand.clone()),
            "$meta" => match operand.as_str() {
                Some("textScore") => Node::Score,
                _ => return Err(Error::invalid("it takes 'textScore'")),
            },
            "$and" => Node::All(self.list(operand, (0, usize::MAX))?),
            "$or" => Node::Any(self.list(operand, (0, usize::MAX))?),
            "$ifNull" => Node::IfNull(self.list(operand, (2, usize::MAX))?),
            "$cond" => {
                let parts = match operand {
                    Value::Object(object) => self.named(object, &["if", "then", "else"], 3)?,
                    operand => self.list(operand, (3, 3))?,
                };
                let Ok([condition, then, otherwise]) = <[Node; 3]>::try_from(parts) else { return Err(no_fields()) };
                Node::Switch(vec![(condition, then)], Some(Box::new(otherwise)))
            }
            "$switch" => self.switch(operand)?,
            "$let" => self.binding(operand)?,
            "$map" => self.each("$map", operand)?,
            "$filter" => self.each("$filter", operand)?,
            "$reduce" => self.each("$reduce", operand)?,
            "$regexMatch" => self.pattern(operand)?,
            name => self.call(Operator::find(name).ok_or_else(unsupported)?, operand)?,
        })
    }

    fn call(&mut self, operator: &'static Operator, operand: &Value) -> Result<Node> {
        let arguments = match (operator.takes, operand) {
            (Takes::List(least, most), operand) => self.list(operand, (least, most))?,
            (Takes::Fold, Value::Array(elements)) => self.nodes(elements)?,
            (Takes::Fold, operand) => vec![self.node(operand)?],
            (Takes::Named(names, needed), Value::Object(object))
                if needed > 1 || object.fields().iter().any(|(name, _)| names.contains(&&**name)) =>
            {
                self.named(object, names, needed)?
            }
            (Takes::Named(_, 1), operand) => self.list(operand, (1, 1))?,
            _ => return Err(no_fields()),
        };
        Ok(Node::Call(operator, arguments))
    }

    /// Arguments in an array; one may stand by itself.
    fn list(&mut self, operand: &Value, (least, most): (usize, usize)) -> Result<Vec<Node>> {
        let nodes = match operand {
            Value::Array(elements) => self.nodes(elements)?,
            operand => vec![self.node(operand)?],
        };
        if (least..=most).contains(&nodes.len()) {
            return Ok(nodes);
        }
        let wanted = match (least, most) {
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        Err(Error::invalid(format!("it takes {wanted} argument(s), not {}", nodes.len())))
    }

    /// Arguments by name, in the order of the names; one that is not given is missing.
    fn named(&mut self, object: &Object, names: &[&str], needed: usize) -> Result<Vec<Node>> {
        known_fields(object, names, needed)?;
        let argument = |name: &&str| match object.get(name) {
            Some(value) => naming(name, self.node(value)),
            None => Ok(Node::Nothing),
        };
        names.iter().map(argument).collect()
    }

    /// The pattern is a constant: it is compiled once.
    fn pattern(&mut self, operand: &Value) -> Result<Node> {
        let operand = fields_of(operand, &["input", "regex", "options"], 2)?;
        let text = |name: &str| match operand.get(name) {
            None => Ok(""),
            Some(Value::String(text)) if !text.starts_with('$') => Ok(text.as_str()),
            Some(_) => Err(Error::invalid(format!("`{name}` is no constant text"))),
        };
        let flags = naming("options", text("options").and_then(Flags::parse))?;
        let pattern = naming("regex", text("regex").and_then(|source| Pattern::parse(source, flags)))?;
        let input = self.node(operand.get("input").unwrap_or(&Value::Null));
        Ok(Node::Matches(Box::new(naming("input", input)?), Rc::new(pattern)))
    }

    fn switch(&mut self, operand: &Value) -> Result<Node> {
        let operand = fields_of(operand, &["branches", "default"], 1)?;
        let branches = operand.get("branches").and_then(Value::as_array).filter(|branches| !branches.is_empty());
        let branches = branches.ok_or_else(|| Error::invalid("`branches` is no array of branches"))?;
        let mut parsed = Vec::with_capacity(branches.len());
        for branch in branches {
            let branch = naming("branches", fields_of(branch, &["case", "then"], 2))?;
            let mut parts = self.named(branch, &["case", "then"], 2)?.into_iter();
            parsed.extend(parts.next().zip(parts.next()));
        }
        let default = operand.get("default").map(|default| naming("default", self.node(default))).transpose()?;
        Ok(Node::Switch(parsed, default.map(Box::new)))
    }

    fn binding(&mut self, operand: &Value) -> Result<Node> {
        let operand = fields_of(operand, &["vars", "in"], 2)?;
        let (Some(Value::Object(bound)), Some(body)) = (operand.get("vars"), operand.get("in")) else {
            return Err(Error::invalid("`vars` is no object"));
        };
        let first = self.variables.len();
        let mut values = Vec::with_capacity(bound.len());
        for (name, value) in bound.iter() {
            variable_name(name)?;
            values.push(naming(name, self.node(value))?);
        }
        self.variables.extend(bound.iter().map(|(name, _)| name.clone()));
        let body = naming("in", self.node(body))?;
        self.variables.truncate(first);
        Ok(Node::Let { first, values, body: Box::new(body) })
    }

    fn each(&mut self, name: &'static str, operand: &Value) -> Result<Node> {
        let (fields, needed): (&[&str], usize) = match name {
            "$map" => (&["input", "in", "as"], 2),
            "$filter" => (&["input", "cond", "as", "limit"], 2),
            _ => (&["input", "in", "initialValue"], 3),
        };
        let operand = fields_of(operand, fields, needed)?;
        let of = |field: &str| operand.get(field).unwrap_or(&Value::Null);
        let input = naming("input", self.node(of("input")))?;
        let variable = self.variables.len();
        let element = match operand.get("as") {
            None => "this",
            Some(Value::String(name)) => {
                variable_name(name)?;
                name
            }
            Some(other) => return Err(Error::invalid(format!("`as` is {}, not a name", other.type_name()))),
        };
        let kind = match name {
            "$map" => EachKind::Map,
            "$filter" => {
                let limit = operand.get("limit").map(|limit| naming("limit", self.node(limit))).transpose()?;
                EachKind::Filter { limit }
            }
            _ => EachKind::Reduce { initial: naming("initialValue", self.node(of("initialValue")))? },
        };
        self.variables.push(element.into());
        if let EachKind::Reduce { .. } = kind {
            self.variables.push("value".into());
        }
        let body = if name == "$filter" { "cond" } else { "in" };
        let body = naming(body, self.node(of(body)))?;
        self.variables.truncate(variable);
        Ok(Node::Each(Box::new(Each { name, input, variable, body, kind })))
    }
}

fn field(of: Source, path: &str) -> Result<Node> {
    let path = match (of, path) {
        (Source::Variable(_), "") => Vec::new(),
        (Source::Document, "") => Vec::new(),
        (_, path) => Path::parse(path)?.parts().to_vec(),
    };
    Ok(Node::Field { of, path })
}

fn array(elements: &[Value], nodes: Vec<Node>) -> Node {
    let is_literal = nodes.iter().all(|node| matches!(node, Node::Literal(_)));
    // Literals within, as `$literal` makes them, are not what was written.
    let same = |(element, node): (&Value, &Node)| matches!(node, Node::Literal(value) if value == element);
    if is_literal && elements.iter().zip(&nodes).all(same) {
        Node::Literal(Value::Array(elements.to_vec()))
    } else {
        Node::Array(nodes)
    }
}

fn literals(nodes: Vec<(Name, Node)>) -> Result<Value> {
    let value = |(name, node)| if let Node::Literal(value) = node { Some((name, value)) } else { None };
    Object::from_fields(nodes.into_iter().filter_map(value).collect()).map(Value::Object)
}

fn fields_of<'a>(operand: &'a Value, names: &[&str], needed: usize) -> Result<&'a Object> {
    let object = operand.as_object().ok_or_else(no_fields)?;
    known_fields(object, names, needed)?;
    Ok(object)
}

fn known_fields(object: &Object, names: &[&str], needed: usize) -> Result<()> {
    if let Some((name, _)) = object.iter().find(|(name, _)| !names.contains(&&***name)) {
        return Err(Error::invalid(format!("argument `{name}` is not known"))
            .with_hint(format!("there are {}", names.join(", "))));
    }
    match names.iter().take(needed).find(|name| object.get(name).is_none()) {
        Some(name) => Err(Error::invalid(format!("argument `{name}` is missing"))),
        None => Ok(()),
    }
}

fn no_fields() -> Error {
    Error::invalid("it takes its arguments by name, in an object")
}

/// # Errors
/// `invalid` for what is no name of a variable.
pub(crate) fn variable_name(name: &str) -> Result<()> {
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(|first| first.is_ascii_lowercase() || !first.is_ascii())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii());
    if is_name {
        return Ok(());
    }
    Err(Error::invalid(format!("`{name}` is no name of a variable"))
        .with_hint("it begins with a small letter; letters, digits and _ follow"))
}

fn unsupported() -> Error {
    let error = Error::new(ErrorKind::Unsupported, "this expression operator is not supported");
    error.with_hint("docs/aggregation.md lists those that are; a constant object is written with $literal")
}
