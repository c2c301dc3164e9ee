//! Runs: a program held against one value.
//!
//! Not two interpreters: the same one stops at the first thing that is wrong, or collects all of them where there is a
//! report. What is the case for a value itself is in `scalars.rs`, for its parts in `objects.rs` and `arrays.rs`.
//!
//! Invariants: steps and depth are bounded, so a run ends and holds the stack whatever schema and value are; without
//! a report nothing is formatted.

use crate::error::{Error, Result};
use crate::schema::program::{Node, NodeId, Operation, Program};
use crate::schema::seen::Seen;
use crate::schema::violation::{Violation, push_token};
use crate::schema::{APPLIED_DEPTH_MAX, STEPS_MAX, VIOLATIONS_MAX};
use crate::value::View;
use core::fmt;

pub(super) struct Run<'p> {
    pub(super) program: &'p Program,
    pub(super) steps: u32,
    report: Option<Vec<Violation>>,
    /// Within the search for the nearest of some schemas: it is not made again for those in it.
    is_searching: bool,
}

/// How one gets from a value to the one that a schema is applied to.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    Same,
    Field(&'a str),
    Element(usize),
}

/// Where a run is: the schemas that are being applied, and the way into the value.
pub(super) struct Scope<'a> {
    pub(super) parent: Option<&'a Scope<'a>>,
    part: Part<'a>,
    pub(super) node: &'a Node,
    depth: u16,
}

/// Takes steps off.
///
/// # Errors
/// `limit` where there are none left.
pub(super) fn spend(steps: &mut u32, count: u32) -> Result<()> {
    match steps.checked_sub(count) {
        Some(rest) => {
            *steps = rest;
            Ok(())
        }
        None => Err(Error::limit(format!("validation takes more than {STEPS_MAX} steps"))),
    }
}

fn no_such_node() -> Error {
    Error::internal("a schema has no such node")
}

impl<'p> Run<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Run { program, steps: STEPS_MAX, report: None, is_searching: false }
    }

    pub(super) fn answer(mut self, value: &View<'_>) -> Result<bool> {
        self.apply(0, value, Part::Same, None, None)
    }

    pub(super) fn violations(mut self, value: &View<'_>) -> Result<Vec<Violation>> {
        self.report = Some(Vec::new());
        self.apply(0, value, Part::Same, None, None)?;
        Ok(self.report.unwrap_or_default())
    }

    /// Applies a schema. What it evaluates is added to `seen`, where someone asks for it.
    pub(super) fn apply(
        &mut self,
        id: NodeId,
        value: &View<'_>,
        part: Part<'_>,
        parent: Option<&Scope<'_>>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        spend(&mut self.steps, 1)?;
        let Some(node) = self.program.nodes.get(id) else { return Err(no_such_node()) };
        let depth = parent.map_or(0, |parent| parent.depth + 1);
        if depth > APPLIED_DEPTH_MAX {
            return Err(Error::limit(format!("schemas are applied more than {APPLIED_DEPTH_MAX} deep")));
        }
        let here = Scope { parent, part, node, depth };
        let mut own = node.tracks.then(Seen::default);
        let mut is_valid = true;
        for operation in &node.operations {
            let seen = own.as_mut().or(seen.as_deref_mut());
            is_valid &= self.operation(operation, value, &here, seen)?;
            if !is_valid && self.is_done() {
                return Ok(false);
            }
        }
        if let (Some(own), Some(seen)) = (own, seen) {
            seen.merge(&own);
        }
        Ok(is_valid)
    }

    /// The same, where the question is only whether it is valid, and nobody asks what was evaluated.
    pub(super) fn check(&mut self, id: NodeId, value: &View<'_>, part: Part<'_>, parent: &Scope<'_>) -> Result<bool> {
        let Some(node) = self.program.nodes.get(id) else { return Err(no_such_node()) };
        if !node.verdict.is_scalar {
            return self.apply(id, value, part, Some(parent), None);
        }
        for operation in &node.operations {
            if !self.holds(operation, value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn operation(
        &mut self,
        operation: &Operation,
        value: &View<'_>,
        here: &Scope<'_>,
        seen: Option<&mut Seen>,
    ) -> Result<bool> {
        match operation {
            Operation::Fields(fields) => self.fields(fields, value, here, seen),
            Operation::Reference(node) => self.apply(*node, value, Part::Same, Some(here), seen),
            Operation::DynamicReference(name, node) => {
                let node = self.outermost(name, *node, here);
                self.apply(node, value, Part::Same, Some(here), seen)
            }
            Operation::All(nodes) => self.all(nodes, value, here, seen),
            Operation::Any(nodes) => self.any(nodes, value, here, seen),
            Operation::One(nodes) => self.one(nodes, value, here, seen),
            Operation::Not(node) => {
                let matches = self.probe(*node, value, here, None)?;
                Ok(!matches || self.fail(here, "not", format_args!("matches the schema that it must not match")))
            }
            Operation::If(condition, then, otherwise) => {
                let mut seen = seen;
                let branch = if self.probe(*condition, value, here, seen.as_deref_mut())? { then } else { otherwise };
                match branch {
                    Some(node) => self.apply(*node, value, Part::Same, Some(here), seen),
                    None => Ok(true),
                }
            }
            Operation::DependentSchemas(named) => self.dependent_schemas(named, value, here, seen),
            Operation::DependentRequired(named) => self.dependent_required(named, value, here),
            Operation::FieldNames(node) => self.field_names(*node, value, here),
            Operation::UnevaluatedFields(node) => self.unevaluated_fields(*node, value, here, seen),
            Operation::Elements(first, rest) => self.elements(first, *rest, value, here, seen),
            Operation::Contains(node, least, most) => self.contains(*node, (*least, *most), value, here, seen),
            Operation::Unique => self.unique(value, here),
            Operation::UnevaluatedElements(node) => self.unevaluated_elements(*node, value, here, seen),
            scalar => self.scalar(scalar, value, here),
        }
    }

    /// Where `$dynamicRef` leads: of the resources that are being applied, the outermost with such an anchor says.
    fn outermost(&self, name: &str, fallback: NodeId, here: &Scope<'_>) -> NodeId {
        let mut node = fallback;
        let mut scope = Some(here);
        while let Some(here) = scope {
            let mut anchors = self.program.anchors.iter();
            if let Some(anchor) = anchors.find(|anchor| anchor.resource == here.node.resource && &*anchor.name == name)
            {
                node = anchor.node;
            }
            scope = here.parent;
        }
        node
    }

    fn all(
        &mut self,
        nodes: &[NodeId],
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let mut is_valid = true;
        for node in nodes {
            is_valid &= self.apply(*node, value, Part::Same, Some(here), seen.as_deref_mut())?;
            if !is_valid && self.is_done() {
                break;
            }
        }
        Ok(is_valid)
    }

    fn any(
        &mut self,
        nodes: &[NodeId],
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let mut is_valid = false;
        for node in nodes {
            is_valid |= self.probe(*node, value, here, seen.as_deref_mut())?;
            // Whoever asks what was evaluated has to hear it of all that match.
            if is_valid && seen.is_none() {
                break;
            }
        }
        Ok(is_valid || self.fail_nearest("anyOf", nodes, value, here)?)
    }

    fn one(
        &mut self,
        nodes: &[NodeId],
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let mut matched = 0;
        for node in nodes {
            matched += usize::from(self.probe(*node, value, here, seen.as_deref_mut())?);
            if matched > 1 {
                let count = nodes.len();
                return Ok(self.fail(here, "oneOf", format_args!("matches more than one of the {count} schemas")));
            }
        }
        Ok(matched == 1 || self.fail_nearest("oneOf", nodes, value, here)?)
    }

    /// Whether a schema matches, without a word where it does not.
    pub(super) fn probe(
        &mut self,
        node: NodeId,
        value: &View<'_>,
        here: &Scope<'_>,
        seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let report = self.report.take();
        let mut own = seen.is_some().then(Seen::default);
        let result = self.apply(node, value, Part::Same, Some(here), own.as_mut());
        self.report = report;
        if let (Ok(true), Some(seen), Some(own)) = (&result, seen, own) {
            seen.merge(&own);
        }
        result
    }

    /// Why a schema does not match.
    pub(super) fn reasons(&mut self, node: NodeId, value: &View<'_>, here: &Scope<'_>) -> Result<Vec<Violation>> {
        let report = self.report.replace(Vec::new());
        let was_searching = core::mem::replace(&mut self.is_searching, true);
        let result = self.apply(node, value, Part::Same, Some(here), None);
        self.is_searching = was_searching;
        let reasons = core::mem::replace(&mut self.report, report);
        result.map(|_| reasons.unwrap_or_default())
    }

    /// None of some schemas matches: says what the nearest of them, the one with the least to say, is missing.
    fn fail_nearest(
        &mut self,
        keyword: &'static str,
        nodes: &[NodeId],
        value: &View<'_>,
        here: &Scope<'_>,
    ) -> Result<bool> {
        if self.report.is_none() {
            return Ok(false);
        }
        let mut nearest: Option<Vec<Violation>> = None;
        let nodes_searched = if self.is_searching { &[] } else { nodes };
        for node in nodes_searched {
            let reasons = self.reasons(*node, value, here)?;
            if nearest.as_ref().is_none_or(|nearest| reasons.len() < nearest.len()) {
                nearest = Some(reasons);
            }
        }
        let count = nodes.len();
        Ok(match nearest.as_ref().and_then(|nearest| nearest.first()) {
            Some(reason) => self.fail(
                here,
                keyword,
                format_args!("matches none of the {count} schemas; the nearest says: {reason}"),
            ),
            None => self.fail(here, keyword, format_args!("matches none of the {count} schemas")),
        })
    }

    /// Whether there is nothing more to find out once something is wrong.
    pub(super) fn is_done(&self) -> bool {
        self.report.as_ref().is_none_or(|report| report.len() >= VIOLATIONS_MAX)
    }

    /// Whether nobody wants to hear what is wrong.
    pub(super) fn is_silent(&self) -> bool {
        self.report.is_none()
    }

    /// Reports, where there is a report; false in any case.
    pub(super) fn fail(&mut self, here: &Scope<'_>, keyword: &'static str, reason: fmt::Arguments<'_>) -> bool {
        if let Some(report) = &mut self.report
            && report.len() < VIOLATIONS_MAX
        {
            let mut schema_pointer = String::from(&*here.node.pointer);
            // A schema `false` stands at its keyword.
            if keyword != here.node.keyword || !matches!(here.node.operations.first(), Some(Operation::Never)) {
                push_token(&mut schema_pointer, keyword);
            }
            report.push(Violation { pointer: here.pointer(), keyword, schema_pointer, reason: reason.to_string() });
        }
        false
    }
}

impl Scope<'_> {
    /// The way into the value.
    fn pointer(&self) -> String {
        let mut parts = Vec::new();
        let mut scope = Some(self);
        while let Some(here) = scope {
            parts.push(here.part);
            scope = here.parent;
        }
        let mut pointer = String::new();
        for part in parts.into_iter().rev() {
            match part {
                Part::Same => {}
                Part::Field(name) => push_token(&mut pointer, name),
                Part::Element(index) => push_token(&mut pointer, &index.to_string()),
            }
        }
        pointer
    }
}
