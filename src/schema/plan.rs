//! Plans: which schemas the fields of a shape are held against. Names are looked up, and patterns matched with them, once
//! for all rows of a shape.
//!
//! Not needed for an answer: what has no shape goes by its names (`schema/objects.rs`).
//!
//! Invariant: a plan is for the very names that it keeps. Because it keeps them, no other name can stand where they do,
//! so they are compared by place.

use crate::error::Result;
use crate::schema::program::{Fields, NodeId, Program};
use crate::schema::verdict::Verdict;
use crate::value::Name;
use crate::value::shape::Shape;
use core::cell::RefCell;
use std::rc::Rc;

/// How many shapes have a plan at a time.
const PLANS_MAX: usize = 8;

/// The plans of one schema, newest last.
#[derive(Debug, Default)]
pub(super) struct Plans(RefCell<Vec<Rc<Plan>>>);

#[derive(Debug)]
pub(super) struct Plan {
    names: Vec<Name>,
    /// For each field.
    pub(super) slots: Vec<Slot>,
    /// Whether no required field is missing.
    pub(super) is_complete: bool,
    pub(super) steps: u32,
}

/// The schemas for one field: its own, and those of patterns.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) nodes: Vec<NodeId>,
    /// What all of them say by the tag.
    pub(super) verdict: Verdict,
}

impl Plan {
    fn is_for(&self, shape: &Shape) -> bool {
        let names = shape.names();
        names.len() == self.names.len() && names.iter().zip(&self.names).all(|(name, own)| Rc::ptr_eq(name, own))
    }
}

impl Fields {
    /// The plan for rows of this shape.
    ///
    /// # Errors
    /// `limit` where matching names takes too many steps.
    pub(super) fn plan(&self, shape: &Shape, program: &Program, steps: &mut u32) -> Result<Rc<Plan>> {
        if let Some(plan) = self.plans.0.borrow().iter().rev().find(|plan| plan.is_for(shape)) {
            return Ok(plan.clone());
        }
        let mut slots = Vec::new();
        let (mut required, mut count) = (0, 0);
        for name in shape.names() {
            let named = self.place(name, 0).and_then(|place| self.named.get(place));
            required += usize::from(named.is_some_and(|named| named.is_required));
            let mut nodes: Vec<NodeId> = named.and_then(|named| named.node).into_iter().collect();
            for (pattern, node) in &self.patterns {
                if pattern.matches(name, steps)? {
                    nodes.push(*node);
                }
            }
            if nodes.is_empty() {
                nodes.extend(self.others);
            }
            count += 1 + nodes.len();
            let verdicts = nodes.iter().filter_map(|node| program.nodes.get(*node)).map(|node| node.verdict);
            let verdict = verdicts.fold(Verdict::NONE, Verdict::and);
            slots.push(Slot { nodes, verdict });
        }
        let steps = u32::try_from(count).unwrap_or(u32::MAX);
        let is_complete = required == self.required_count;
        let plan = Rc::new(Plan { names: shape.names().to_vec(), slots, is_complete, steps });
        let mut plans = self.plans.0.borrow_mut();
        if plans.len() >= PLANS_MAX {
            plans.remove(0);
        }
        plans.push(plan.clone());
        Ok(plan)
    }
}
