//! Reading pipelines: which stages, with which arguments.
//!
//! Not execution.
//!
//! Invariant: each error names the stage by its place and name, and the path within it.

use super::group::Group;
use super::stage::{Lookup, Matched, Stage};
use super::transform::Transform;
use super::unwind::Unwind;
use super::window::Window;
use super::{Context, Pipeline};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{PIPELINE_DEPTH_MAX, PIPELINE_STAGES_MAX};
use crate::query::expression::{Names, check_variable};
use crate::query::{Expression, Filter, Sort};
use crate::value::{Name, Object, Path, Value, order};
use std::rc::Rc;

pub(super) fn pipeline(stages: &[Value], context: Context<'_>, depth: usize) -> Result<Pipeline> {
    if depth == PIPELINE_DEPTH_MAX {
        return Err(Error::limit(format!("pipelines stand in each other more than {PIPELINE_DEPTH_MAX} deep")));
    }
    if stages.len() > PIPELINE_STAGES_MAX {
        return Err(Error::limit(format!(
            "a pipeline has {} stages, the limit is {PIPELINE_STAGES_MAX}",
            stages.len()
        )));
    }
    let mut parsed = Vec::with_capacity(stages.len());
    for (place, stage) in stages.iter().enumerate() {
        let Some([(name, operand)]) = stage.as_object().map(Object::fields) else {
            let error = Error::invalid(format!("stage {place} is no object with one field"));
            return Err(error.with_hint("e.g. `{ $match: { site: 'north' } }`"));
        };
        let stage = Reader { context, depth }.stage(name, operand, &mut parsed);
        stage.map_err(|error| error.context(format!("stage {place} `{name}`")))?;
    }
    check_searches(&parsed)?;
    bound_sorts(&mut parsed);
    Ok(Pipeline { stages: parsed.into_iter().map(Rc::new).collect() })
}

/// Text is searched where documents come from, by the first stage.
fn check_searches(stages: &[Stage]) -> Result<()> {
    let searches = |stage: &Stage| matches!(stage, Stage::Match(filter) if filter.search().is_some());
    match stages.iter().skip(1).position(searches) {
        None => Ok(()),
        Some(place) => {
            let error = Error::invalid(format!("stage {} `$match`: `$text` stands behind another stage", place + 1));
            Err(error.with_hint("what is searched is found in an index: make it the first stage"))
        }
    }
}

/// Refuses a search where documents do not come from a collection.
fn without_search(pipeline: Pipeline) -> Result<Pipeline> {
    match pipeline.stages.first().map(|stage| &**stage) {
        Some(Stage::Match(filter)) if filter.search().is_some() => {
            Err(Error::invalid("stage 0 `$match`: `$text` cannot be asked of documents that were found already"))
        }
        _ => Ok(pipeline),
    }
}

/// Where a limit follows a sort, no more than it asks for has to be sorted.
fn bound_sorts(stages: &mut [Stage]) {
    let mut wanted = None;
    for stage in stages.iter_mut().rev() {
        match stage {
            Stage::Limit(count) => wanted = Some(wanted.map_or(*count, |wanted: usize| wanted.min(*count))),
            Stage::Skip(count) => wanted = wanted.map(|wanted| wanted.saturating_add(*count)),
            Stage::Sort(_, bound) => {
                *bound = wanted;
                wanted = None;
            }
            _ => wanted = None,
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    context: Context<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn names(&self) -> Names<'a> {
        Names { now: Some(self.context.now), outer: self.context.outer }
    }

    fn stage(&self, name: &str, operand: &Value, out: &mut Vec<Stage>) -> Result<()> {
        let names = self.names();
        out.push(match name {
            "$match" => return matching(object(operand)?, names, out),
            "$project" => {
                Stage::Transform("$project", Transform::project(object(operand)?, names, self.context.key_fields)?)
            }
            "$set" => Stage::Transform("$set", Transform::set(object(operand)?, names)?),
            "$addFields" => Stage::Transform("$addFields", Transform::set(object(operand)?, names)?),
            "$unset" => {
                let paths = operand.as_array().unwrap_or(core::slice::from_ref(operand));
                Stage::Transform("$unset", Transform::unset(paths)?)
            }
            "$group" => Stage::Group(Group::parse(object(operand)?, names)?),
            "$sort" => Stage::Sort(sort(operand)?, None),
            "$limit" => match count(operand)? {
                0 => return Err(Error::invalid("it takes a number above 0")),
                limit => Stage::Limit(limit),
            },
            "$skip" => Stage::Skip(count(operand)?),
            "$unwind" => Stage::Unwind(Unwind::parse(operand)?),
            "$lookup" => Stage::Lookup(Box::new(self.lookup(object(operand)?)?)),
            "$facet" => Stage::Facet(self.facets(object(operand)?)?),
            "$bucket" => return bucket(object(operand)?, names, out),
            "$sortByCount" => return sort_by_count(operand, names, out),
            "$count" => Stage::Count(field_name(operand)?),
            "$replaceRoot" => {
                let operand = object(operand)?;
                known(operand, &["newRoot"])?;
                Stage::ReplaceRoot(Expression::parse(needed(operand, "newRoot")?, names)?)
            }
            "$replaceWith" => Stage::ReplaceRoot(Expression::parse(operand, names)?),
            "$unionWith" => self.union_with(operand)?,
            "$sample" => {
                let operand = object(operand)?;
                known(operand, &["size"])?;
                Stage::Sample(count(needed(operand, "size")?)?)
            }
            "$setWindowFields" => Stage::Window(Box::new(Window::parse(object(operand)?, names)?)),
            _ => {
                let error = Error::new(ErrorKind::Unsupported, "this stage is not supported");
                return Err(error.with_hint("docs/aggregation.md lists those that are"));
            }
        });
        Ok(())
    }

    /// The pipeline of another collection, and its name.
    fn foreign(&self, from: &Value, outer: &[Name], stages: Option<&Value>) -> Result<(Name, Option<Pipeline>)> {
        let Some(name) = from.as_str() else {
            return Err(Error::invalid(format!("{from} is no name of a collection")));
        };
        let Some(key_fields) = (self.context.foreign)(name) else {
            return Err(Error::invalid(format!("there is no collection `{name}`")).with_detail("collection", name));
        };
        let context = Context { outer, key_fields: &key_fields, ..self.context };
        let pipeline = stages.map(|stages| {
            let parsed = list(stages).and_then(|stages| pipeline(stages, context, self.depth + 1));
            parsed.map_err(|error| error.context("`pipeline`"))
        });
        Ok((name.into(), pipeline.transpose()?))
    }

    fn union_with(&self, operand: &Value) -> Result<Stage> {
        let (from, stages) = match operand {
            Value::Object(object) => {
                known(object, &["coll", "pipeline"])?;
                (needed(object, "coll")?, object.get("pipeline"))
            }
            from => (from, None),
        };
        let (collection, pipeline) = self.foreign(from, self.context.outer, stages)?;
        Ok(Stage::UnionWith { collection, pipeline: pipeline.unwrap_or(Pipeline { stages: Vec::new() }) })
    }

    fn lookup(&self, operand: &Object) -> Result<Lookup> {
        known(operand, &["from", "localField", "foreignField", "let", "pipeline", "as"])?;
        let path = |name: &str| match operand.get(name) {
            None => Ok(None),
            Some(Value::String(path)) => Path::parse(path).map(Some),
            Some(other) => Err(Error::invalid(format!("`{name}` is {}, not a field", other.type_name()))),
        };
        let matched = match (path("localField")?, path("foreignField")?) {
            (Some(local), Some(foreign)) => Some(Matched { local, foreign }),
            (None, None) => None,
            _ => return Err(Error::invalid("`localField` and `foreignField` go together")),
        };
        let mut outer = self.context.outer.to_vec();
        let mut variables = Vec::new();
        if let Some(bound) = operand.get("let") {
            for (name, value) in object(bound)?.iter() {
                check_variable(name)?;
                let value = Expression::parse(value, self.names());
                variables.push(value.map_err(|error| error.context(format!("`let`: `{name}`")))?);
                outer.push(name.clone());
            }
        }
        let stages = operand.get("pipeline");
        let (from, pipeline) = self.foreign(needed(operand, "from")?, &outer, stages)?;
        let pipeline = match matched {
            Some(_) => pipeline.map(without_search).transpose().map_err(|error| error.context("`pipeline`"))?,
            None => pipeline,
        };
        if matched.is_none() && pipeline.is_none() {
            let error = Error::invalid("it has neither `localField` and `foreignField` nor `pipeline`");
            return Err(error.with_hint("say which fields have to be equal"));
        }
        let to = path("as")?.ok_or_else(|| Error::invalid("`as` is missing"))?;
        Ok(Lookup { from, to, matched, variables, pipeline })
    }

    fn facets(&self, operand: &Object) -> Result<Vec<(Name, Pipeline)>> {
        let mut facets = Vec::with_capacity(operand.len());
        for (name, stages) in operand.iter() {
            let parsed = list(stages).and_then(|stages| pipeline(stages, self.context, self.depth + 1));
            let parsed = parsed.and_then(without_search);
            facets.push((name.clone(), parsed.map_err(|error| error.context(format!("`{name}`")))?));
        }
        if facets.is_empty() { Err(Error::invalid("it names no facet")) } else { Ok(facets) }
    }
}

fn matching(filter: &Object, names: Names<'_>, out: &mut Vec<Stage>) -> Result<()> {
    let mut fields = filter.clone();
    let computed = fields.remove("$expr");
    if computed.is_none() || !fields.is_empty() {
        out.push(Stage::Match(Filter::parse(&fields)?));
    }
    if let Some(computed) = computed {
        out.push(Stage::Where(Expression::parse(&computed, names).map_err(|error| error.context("`$expr`"))?));
    }
    Ok(())
}

pub(super) fn sort(operand: &Value) -> Result<Sort> {
    let pair = |(name, direction): (&Name, &Value)| Value::Array(vec![(&**name).into(), direction.clone()]);
    let pairs: Vec<Value> = match operand {
        Value::Array(pairs) => pairs.clone(),
        operand => object(operand)?.iter().map(pair).collect(),
    };
    if pairs.is_empty() { Err(Error::invalid("it names no field")) } else { Sort::parse(&pairs) }
}

fn sort_by_count(operand: &Value, names: Names<'_>, out: &mut Vec<Stage>) -> Result<()> {
    let count = Object::from([("$sum", 1.into())]);
    let group = Object::from([("_id", operand.clone()), ("count", count.into())]);
    out.push(Stage::Group(Group::parse(&group, names)?));
    out.push(Stage::Sort(sort(&Object::from([("count", (-1).into())]).into())?, None));
    Ok(())
}

/// As MongoDB has it: a group whose key is the lower boundary, and a sort by it.
fn bucket(operand: &Object, names: Names<'_>, out: &mut Vec<Stage>) -> Result<()> {
    known(operand, &["groupBy", "boundaries", "default", "output"])?;
    let boundaries = list(needed(operand, "boundaries")?)?;
    let ascends = |pair: &[Value]| match pair {
        [left, right] => {
            let same = order::Bracket::of(left.into()) == order::Bracket::of(right.into());
            same && order::compare_values(left, right).is_lt()
        }
        _ => false,
    };
    if boundaries.len() < 2 || !boundaries.windows(2).all(ascends) {
        return Err(Error::invalid("`boundaries` are not two or more values of one type, each above the one before"));
    }
    let call = |name: &str, arguments: Vec<Value>| Value::from(Object::from([(name, arguments.into())]));
    let literal = |value: &Value| Value::from(Object::from([("$literal", value.clone())]));
    let branch = |pair: &[Value]| {
        let [low, high] = pair else { return Value::Null };
        let above = call("$gte", vec!["$$value".into(), literal(low)]);
        let below = call("$lt", vec!["$$value".into(), literal(high)]);
        Object::from([("case", call("$and", vec![above, below])), ("then", literal(low))]).into()
    };
    let mut switch = Object::from([("branches", boundaries.windows(2).map(branch).collect::<Vec<_>>().into())]);
    if let Some(default) = operand.get("default") {
        switch.set("default", literal(default));
    }
    let variables = Object::from([("value", needed(operand, "groupBy")?.clone())]);
    let body = Object::from([("$switch", switch.into())]);
    let chosen = Object::from([("vars", variables.into()), ("in", body.into())]);
    let mut group = Object::from([("_id", Object::from([("$let", chosen.into())]).into())]);
    match operand.get("output") {
        None => group.set("count", Object::from([("$sum", 1.into())]).into()),
        Some(output) => {
            for (name, fold) in object(output)?.iter() {
                group.set(name.clone(), fold.clone());
            }
        }
    }
    out.push(Stage::Group(Group::parse(&group, names)?));
    out.push(Stage::Sort(sort(&Object::from([("_id", 1.into())]).into())?, None));
    Ok(())
}

pub(super) fn object(operand: &Value) -> Result<&Object> {
    operand.as_object().ok_or_else(|| Error::invalid(format!("it takes an object, not {}", operand.type_name())))
}

fn list(operand: &Value) -> Result<&[Value]> {
    operand.as_array().ok_or_else(|| Error::invalid(format!("it takes an array, not {}", operand.type_name())))
}

pub(super) fn needed<'a>(object: &'a Object, name: &str) -> Result<&'a Value> {
    object.get(name).ok_or_else(|| Error::invalid(format!("`{name}` is missing")))
}

/// Refuses fields that nobody reads.
pub(super) fn known(object: &Object, names: &[&str]) -> Result<()> {
    match object.iter().find(|(name, _)| !names.contains(&&***name)) {
        Some((name, _)) => {
            Err(Error::invalid(format!("`{name}` is not known")).with_hint(format!("there are {}", names.join(", "))))
        }
        None => Ok(()),
    }
}

/// The name of a field of the document itself.
pub(super) fn field_name(operand: &Value) -> Result<Name> {
    let name = operand.as_str().filter(|name| !name.is_empty() && !name.contains('.') && !name.starts_with('$'));
    name.map(Name::from).ok_or_else(|| Error::invalid(format!("{operand} is no name of a field")))
}

/// A whole number from 0.
fn count(operand: &Value) -> Result<usize> {
    let number = match operand {
        Value::Number(number) => number.as_integer(),
        Value::BigInt(number) => Some(*number),
        _ => None,
    };
    let count = number.and_then(|number| usize::try_from(number).ok());
    count.ok_or_else(|| Error::invalid(format!("it takes a whole number from 0, not {operand}")))
}
