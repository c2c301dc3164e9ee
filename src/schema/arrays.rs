//! What a schema says of the elements of an array.
//!
//! Not of their order: JSON Schema has no word for that.

use crate::error::Result;
use crate::schema::equality;
use crate::schema::parts;
use crate::schema::program::NodeId;
use crate::schema::run::{Part, Run, Scope, spend};
use crate::schema::seen::Seen;
use crate::value::View;
use crate::value::row::Raws;

impl Run<'_> {
    pub(super) fn elements(
        &mut self,
        first: &[NodeId],
        rest: Option<NodeId>,
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let View::Array(array) = value else { return Ok(true) };
        if let (Some(raws), None, true) = (array.raws(), &seen, self.is_silent()) {
            return self.raw_elements(first, rest, raws, here);
        }
        let mut is_valid = true;
        parts::elements(array, &mut |index, element| {
            let Some(node) = first.get(index).copied().or(rest) else { return Ok(false) };
            is_valid &= self.apply(node, element, Part::Element(index), Some(here), None)?;
            if let Some(seen) = seen.as_deref_mut() {
                seen.add(index);
            }
            Ok(is_valid || !self.is_done())
        })?;
        Ok(is_valid)
    }

    /// The same for a row, where the question is only whether it is valid.
    fn raw_elements(
        &mut self,
        first: &[NodeId],
        rest: Option<NodeId>,
        mut raws: Raws<'_>,
        here: &Scope<'_>,
    ) -> Result<bool> {
        for index in 0.. {
            let (Some((tag, payload)), Some(id)) = (raws.next()?, first.get(index).copied().or(rest)) else { break };
            spend(&mut self.steps, 1)?;
            match self.program.nodes.get(id).and_then(|node| node.verdict.by_tag(tag)) {
                Some(true) => continue,
                Some(false) => return Ok(false),
                None => {}
            }
            let mut value = View::Null;
            raws.read(tag, payload, &mut value)?;
            if !self.check(id, &value, Part::Element(index), here)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn contains(
        &mut self,
        node: NodeId,
        (least, most): (usize, Option<usize>),
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let View::Array(array) = value else { return Ok(true) };
        let mut count = 0;
        parts::elements(array, &mut |index, element| {
            if self.probe(node, element, here, None)? {
                count += 1;
                if let Some(seen) = seen.as_deref_mut() {
                    seen.add(index);
                }
            }
            Ok(true)
        })?;
        if count < least {
            let reason = format_args!("has {count} elements that match `contains`, fewer than {least}");
            return Ok(self.fail(here, if least == 1 { "contains" } else { "minContains" }, reason));
        }
        Ok(match most.filter(|most| count > *most) {
            Some(most) => {
                let reason = format_args!("has {count} elements that match `contains`, more than {most}");
                self.fail(here, "maxContains", reason)
            }
            None => true,
        })
    }

    pub(super) fn unique(&mut self, value: &View<'_>, here: &Scope<'_>) -> Result<bool> {
        let View::Array(array) = value else { return Ok(true) };
        let steps = &mut self.steps;
        let twins = equality::twins(array, &mut || spend(steps, 1))?;
        Ok(match twins {
            Some((one, other)) => self.fail(here, "uniqueItems", format_args!("has equal elements, {one} and {other}")),
            None => true,
        })
    }

    pub(super) fn unevaluated_elements(
        &mut self,
        node: NodeId,
        value: &View<'_>,
        here: &Scope<'_>,
        seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let (View::Array(array), Some(seen)) = (value, seen) else { return Ok(true) };
        let mut is_valid = true;
        parts::elements(array, &mut |index, element| {
            spend(&mut self.steps, 1)?;
            if !seen.has(index) {
                is_valid &= self.apply(node, element, Part::Element(index), Some(here), None)?;
            }
            Ok(is_valid || !self.is_done())
        })?;
        seen.add_all();
        Ok(is_valid)
    }
}
