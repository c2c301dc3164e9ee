//! What to fill: the `default` of each property that is missing.
//!
//! Not validation, and nothing is changed here: whoever writes the document fills it, then holds it against the schema.

use crate::error::{Error, Result};
use crate::schema::parts;
use crate::schema::program::{NodeId, Operation, Program};
use crate::schema::run::spend;
use crate::schema::{APPLIED_DEPTH_MAX, STEPS_MAX};
use crate::value::{Name, Value, View};

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a field.
    Field(Name),
    /// To an element.
    Element(usize),
}

/// A field that is missing, and the value for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// From the value to the field, which is the last step.
    pub path: Vec<Step>,
    /// What the schema has for it; fields that are missing in this are filled already.
    pub value: Value,
}

impl Fill {
    /// Puts the value in; does nothing where the path does not exist.
    pub fn apply(&self, target: &mut Value) {
        let Some((Step::Field(name), path)) = self.path.split_last() else { return };
        let mut place = Some(target);
        for step in path {
            place = match (step, place) {
                (Step::Field(name), Some(Value::Object(object))) => object.get_mut(name),
                (Step::Element(index), Some(Value::Array(elements))) => elements.get_mut(*index),
                _ => None,
            };
        }
        if let Some(Value::Object(object)) = place {
            object.set(name.clone(), self.value.clone());
        }
    }
}

/// See the module.
///
/// # Errors
/// As [`crate::schema::Schema::fills`].
pub(super) fn fills(program: &Program, value: View<'_>) -> Result<Vec<Fill>> {
    let mut walk = Walk { program, path: Vec::new(), fills: Vec::new(), steps: STEPS_MAX };
    if program.has_defaults {
        walk.node(0, &value, 0)?;
    }
    Ok(walk.fills)
}

struct Walk<'p> {
    program: &'p Program,
    path: Vec<Step>,
    fills: Vec<Fill>,
    steps: u32,
}

impl Walk<'_> {
    fn node(&mut self, id: NodeId, value: &View<'_>, depth: u16) -> Result<()> {
        if depth > APPLIED_DEPTH_MAX {
            return Err(Error::limit(format!("schemas are applied more than {APPLIED_DEPTH_MAX} deep")));
        }
        spend(&mut self.steps, 1)?;
        let Some(node) = self.program.nodes.get(id) else { return Ok(()) };
        for operation in &node.operations {
            match (operation, value) {
                (Operation::Reference(node) | Operation::DynamicReference(_, node), value) => {
                    self.node(*node, value, depth + 1)?;
                }
                (Operation::All(nodes), value) => {
                    for node in nodes {
                        self.node(*node, value, depth + 1)?;
                    }
                }
                (Operation::Fields(fields), View::Object(object)) => {
                    for named in &fields.named {
                        let Some(node) = named.node.filter(|node| self.fills_at(*node)) else { continue };
                        let value = object.get(&named.name)?;
                        // In most values there is nothing to fill.
                        if value.is_some_and(|value| !matches!(value, View::Object(_) | View::Array(_))) {
                            continue;
                        }
                        self.path.push(Step::Field(named.name.clone()));
                        match value {
                            Some(value) => self.node(node, &value, depth + 1)?,
                            None => self.missing(node, depth)?,
                        }
                        self.path.pop();
                    }
                }
                (Operation::Elements(first, rest), View::Array(array))
                    if first.iter().chain(rest).any(|node| self.fills_within(*node)) =>
                {
                    parts::elements(array, &mut |index, element| {
                        let Some(node) = first.get(index).copied().or(*rest) else { return Ok(false) };
                        self.path.push(Step::Element(index));
                        self.node(node, element, depth + 1)?;
                        self.path.pop();
                        Ok(true)
                    })?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether something may be filled in for a value that this schema is applied to, or in it.
    fn fills_at(&self, id: NodeId) -> bool {
        self.program.nodes.get(id).is_some_and(|node| node.default.is_some() || !node.verdict.is_scalar)
    }

    /// Whether something may be filled in within such a value.
    fn fills_within(&self, id: NodeId) -> bool {
        self.program.nodes.get(id).is_some_and(|node| !node.verdict.is_scalar)
    }

    fn missing(&mut self, node: NodeId, depth: u16) -> Result<()> {
        let is_filled = self.fills.iter().any(|fill| fill.path == self.path);
        let Some(default) = self.default(node, depth).filter(|_| !is_filled) else { return Ok(()) };
        let mut value = default.clone();
        let mut inner = Walk { program: self.program, path: Vec::new(), fills: Vec::new(), steps: self.steps };
        inner.node(node, &(&value).into(), depth + 1)?;
        self.steps = inner.steps;
        inner.fills.iter().for_each(|fill| fill.apply(&mut value));
        self.fills.push(Fill { path: self.path.clone(), value });
        Ok(())
    }

    /// The default of a schema, or of one that it applies to the same value in any case.
    fn default(&self, id: NodeId, depth: u16) -> Option<&Value> {
        let node = self.program.nodes.get(id).filter(|_| depth <= APPLIED_DEPTH_MAX)?;
        let inherited = |operation: &Operation| match operation {
            Operation::Reference(node) | Operation::DynamicReference(_, node) => self.default(*node, depth + 1),
            Operation::All(nodes) => nodes.iter().find_map(|node| self.default(*node, depth + 1)),
            _ => None,
        };
        node.default.as_ref().or_else(|| node.operations.iter().find_map(inherited))
    }
}
