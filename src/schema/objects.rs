//! What a schema says of the fields of an object.
//!
//! Not more than one pass for the usual four: `properties`, `required`, `patternProperties` and `additionalProperties` are
//! one operation, for the fields of a row are read in order more quickly than by name.

use crate::error::Result;
use crate::schema::parts;
use crate::schema::program::{Fields, NodeId};
use crate::schema::run::{Part, Run, Scope, spend};
use crate::schema::seen::Seen;
use crate::value::row::Raws;
use crate::value::shape::Shape;
use crate::value::view::ObjectView;
use crate::value::{Name, View};

impl Run<'_> {
    pub(super) fn fields(
        &mut self,
        fields: &Fields,
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let View::Object(object) = value else { return Ok(true) };
        if let (Some((shape, raws)), None, true) = (object.shaped(), &seen, self.is_silent()) {
            return self.shaped_fields(fields, shape, raws, here);
        }
        let (mut is_valid, mut hint, mut required) = (true, 0, 0);
        let is_whole = parts::fields(object, &mut |place, name, value| {
            let mut matched = false;
            if let Some(found) = fields.place(name, hint)
                && let Some(named) = fields.named.get(found)
            {
                hint = found + 1;
                required += usize::from(named.is_required);
                if let Some(node) = named.node {
                    matched = true;
                    is_valid &= self.apply(node, value, Part::Field(name), Some(here), None)?;
                }
            }
            for (pattern, node) in &fields.patterns {
                if pattern.matches(name, &mut self.steps)? {
                    matched = true;
                    is_valid &= self.apply(*node, value, Part::Field(name), Some(here), None)?;
                }
            }
            if let Some(node) = fields.others.filter(|_| !matched) {
                matched = true;
                is_valid &= self.apply(node, value, Part::Field(name), Some(here), None)?;
            }
            if let Some(seen) = seen.as_deref_mut().filter(|_| matched) {
                seen.add(place);
            }
            Ok(is_valid || !self.is_done())
        })?;
        Ok(is_whole && (required == fields.required_count || self.fail_missing(fields, object, here)?) && is_valid)
    }

    /// The same for a row, where the question is only whether it is valid.
    fn shaped_fields(&mut self, fields: &Fields, shape: &Shape, mut raws: Raws<'_>, here: &Scope<'_>) -> Result<bool> {
        let plan = fields.plan(shape, self.program, &mut self.steps)?;
        if !plan.is_complete {
            return Ok(false);
        }
        spend(&mut self.steps, plan.steps)?;
        for (slot, name) in plan.slots.iter().zip(shape.names()) {
            let Some((tag, payload)) = raws.next()? else { break };
            match slot.verdict.by_tag(tag) {
                Some(true) => continue,
                Some(false) => return Ok(false),
                None => {}
            }
            let mut value = View::Null;
            raws.read(tag, payload, &mut value)?;
            for node in &slot.nodes {
                if !self.check(*node, &value, Part::Field(name), here)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn fail_missing(&mut self, fields: &Fields, object: &ObjectView<'_>, here: &Scope<'_>) -> Result<bool> {
        for named in fields.named.iter().filter(|named| named.is_required) {
            if self.is_done() {
                break;
            }
            if object.get(&named.name)?.is_none() {
                self.fail(here, "required", format_args!("has no field `{}`", named.name));
            }
        }
        Ok(false)
    }

    pub(super) fn field_names(&mut self, node: NodeId, value: &View<'_>, here: &Scope<'_>) -> Result<bool> {
        let View::Object(object) = value else { return Ok(true) };
        let mut is_valid = true;
        parts::fields(object, &mut |_, name, _| {
            let name = View::String(name);
            if !self.probe(node, &name, here, None)? {
                is_valid = false;
                if !self.is_done() {
                    let reasons = self.reasons(node, &name, here)?;
                    let reason = reasons.first().map_or("is not allowed", |reason| &*reason.reason);
                    self.fail(here, "propertyNames", format_args!("has a field whose name {reason}"));
                }
            }
            Ok(is_valid || !self.is_done())
        })?;
        Ok(is_valid)
    }

    pub(super) fn dependent_required(
        &mut self,
        dependent: &[(Name, Vec<Name>)],
        value: &View<'_>,
        here: &Scope<'_>,
    ) -> Result<bool> {
        let View::Object(object) = value else { return Ok(true) };
        let mut is_valid = true;
        for (name, others) in dependent {
            if object.get(name)?.is_none() {
                continue;
            }
            for other in others {
                if object.get(other)?.is_none() {
                    let reason = format_args!("has a field `{name}`, but no field `{other}`");
                    is_valid = self.fail(here, "dependentRequired", reason);
                }
            }
        }
        Ok(is_valid)
    }

    pub(super) fn dependent_schemas(
        &mut self,
        dependent: &[(Name, NodeId)],
        value: &View<'_>,
        here: &Scope<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let View::Object(object) = value else { return Ok(true) };
        let mut is_valid = true;
        for (name, node) in dependent {
            if object.get(name)?.is_some() {
                is_valid &= self.apply(*node, value, Part::Same, Some(here), seen.as_deref_mut())?;
            }
        }
        Ok(is_valid)
    }

    pub(super) fn unevaluated_fields(
        &mut self,
        node: NodeId,
        value: &View<'_>,
        here: &Scope<'_>,
        seen: Option<&mut Seen>,
    ) -> Result<bool> {
        let (View::Object(object), Some(seen)) = (value, seen) else { return Ok(true) };
        let mut is_valid = true;
        parts::fields(object, &mut |place, name, value| {
            spend(&mut self.steps, 1)?;
            if !seen.has(place) {
                is_valid &= self.apply(node, value, Part::Field(name), Some(here), None)?;
            }
            Ok(is_valid || !self.is_done())
        })?;
        seen.add_all();
        Ok(is_valid)
    }
}
