//! Schemas that apply themselves to the same value again: those would never end.
//!
//! Not recursion as such: a schema of trees leads back to itself, but each time one step further into the value.

use crate::schema::program::{Node, NodeId, Operation};

/// A node that is in a circle, or behind one; none where there is no circle.
pub(super) fn find(nodes: &[Node]) -> Option<NodeId> {
    let mut waiting = vec![0_usize; nodes.len()];
    for node in nodes {
        in_place(node, &mut |target| {
            if let Some(count) = waiting.get_mut(target) {
                *count += 1;
            }
        });
    }
    // Those that nobody applies any more are taken away, until only circles, and what they lead to, are left.
    let mut free: Vec<NodeId> = (0..nodes.len()).filter(|node| waiting.get(*node) == Some(&0)).collect();
    while let Some(node) = free.pop() {
        let Some(node) = nodes.get(node) else { continue };
        in_place(node, &mut |target| {
            if let Some(count) = waiting.get_mut(target) {
                *count -= 1;
                if *count == 0 {
                    free.push(target);
                }
            }
        });
    }
    waiting.iter().position(|count| *count > 0)
}

/// The schemas that a schema applies to the same value.
fn in_place(node: &Node, each: &mut dyn FnMut(NodeId)) {
    for operation in &node.operations {
        match operation {
            Operation::Reference(node) | Operation::DynamicReference(_, node) | Operation::Not(node) => each(*node),
            Operation::All(nodes) | Operation::Any(nodes) | Operation::One(nodes) => {
                nodes.iter().for_each(|node| each(*node));
            }
            Operation::If(condition, then, otherwise) => {
                each(*condition);
                then.iter().chain(otherwise).for_each(|node| each(*node));
            }
            Operation::DependentSchemas(named) => named.iter().for_each(|(_, node)| each(*node)),
            _ => {}
        }
    }
}
