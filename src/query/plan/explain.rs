//! Plans for people: an object that says what is done, as a tree, and what else could have been done.
//!
//! Not the plan: nothing reads it back.

use super::{Access, Cost, Plan, Question, Sorting, Walk, Wants};
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::value::{Direction, Object, Value};

/// The answer of `explain`: the first of the plans, and the others as what else could have been done.
#[must_use]
pub(crate) fn explain(plans: &[Plan], question: &Question<'_>, (skip, limit): (usize, Option<usize>)) -> Object {
    let Some((plan, others)) = plans.split_first() else { return Object::new() };
    let mut explained = plan.summary();
    explained.set("estimate", plan.cost.explain().into());
    explained.set("tree", tree(plan, question, (skip, limit)).into());
    let others = others.iter().map(|other| {
        let mut alternative = other.summary();
        alternative.set("estimate", other.cost.explain().into());
        alternative.set("because", because(plan, other).into());
        Value::Object(alternative)
    });
    explained.set("alternatives", Value::Array(others.collect()));
    explained
}

/// Why the other was not taken.
fn because(plan: &Plan, other: &Plan) -> String {
    let (mine, its) = (plan.cost.total, other.cost.total);
    if plan.cost.rank() >= other.cost.rank() {
        return "both cost next to nothing, and the filter binds less of it".to_owned();
    }
    // Whole numbers: to print others takes code that nothing else needs.
    let whole = |number: f64| number.round() as u64;
    let reads = |cost: &Cost| format!("{} keys and {} documents", whole(cost.keys), whole(cost.documents));
    let percent = whole(its / mine.max(1.0) * 100.0);
    format!("{percent} % of the cost: {} instead of {}", reads(&other.cost), reads(&plan.cost))
}

impl Cost {
    fn explain(&self) -> Object {
        // Whole numbers are exact enough for an estimate.
        let whole = |number: f64| Value::number(number.round()).unwrap_or(Value::Null);
        Object::from([("keys", whole(self.keys)), ("documents", whole(self.documents)), ("cost", whole(self.total))])
    }
}

impl Plan {
    /// In a few words.
    #[must_use]
    pub(super) fn summary(&self) -> Object {
        let kind = match self.walks.as_slice() {
            _ if self.among.is_some() => "intersection",
            [walk] => walk.kind(),
            _ => "union",
        };
        let mut explained = Object::from([("plan", kind.into())]);
        if let [Walk { access: Access::Index { name, .. } | Access::Text { name, .. }, .. }] = self.walks.as_slice() {
            explained.set("index", Value::from(&**name));
        }
        let bounds: Vec<&str> = self.walks.iter().map(|walk| walk.bounds.as_str()).collect();
        if bounds.iter().any(|bounds| !bounds.is_empty()) {
            explained.set("bounds", Value::from(bounds.join(" | ")));
        }
        if let Some(among) = &self.among {
            explained.set("among", Value::from(among.to_string()));
        }
        explained.set("sorted", self.is_sorted().into());
        explained.set("residual", (!self.residual.is_all()).into());
        explained
    }
}

const fn name_of(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "ascending",
        Direction::Descending => "descending",
    }
}

impl Walk {
    pub(super) fn kind(&self) -> &'static str {
        match self.access {
            Access::Nothing | Access::Keys(_) => "key",
            Access::Primary(_) => "primary",
            Access::Index { .. } => "index",
            Access::Scan => "scan",
            Access::Text { .. } => "text",
        }
    }
}

/// Stages, the last first: each reads what its `input` gives.
fn tree(plan: &Plan, question: &Question<'_>, (skip, limit): (usize, Option<usize>)) -> Object {
    let mut inputs: Vec<Value> = plan.walks.iter().map(|walk| Value::Object(leaf(plan.direction, walk))).collect();
    let mut here = match (inputs.len(), &plan.sorting) {
        (1, _) => match inputs.pop() {
            Some(Value::Object(only)) => only,
            _ => Object::new(),
        },
        _ => Object::from([("stage", "union".into()), ("inputs", inputs.into())]),
    };
    if let Some(among) = &plan.among {
        let inputs = vec![here.into(), leaf(Direction::Ascending, among).into()];
        here = Object::from([("stage", "intersection".into()), ("inputs", inputs.into())]);
    }
    if let Sorting::Merge(_) = plan.sorting {
        here = stage("merge", vec![("by", by(question.sort))], here);
    }
    if plan.repeats() {
        here = stage("each_once", Vec::new(), here);
    }
    let has_documents =
        plan.walks.iter().all(|walk| !matches!(walk.access, Access::Index { .. } | Access::Text { .. }));
    let is_last = plan.residual.is_all() && (plan.is_sorted() || question.wants == Wants::Keys);
    let is_enough = has_documents || is_last && question.wants == Wants::Keys || plan.covers(question);
    if !is_enough {
        here = stage("documents", Vec::new(), here);
    }
    if !plan.residual.is_all() {
        here = stage("filter", vec![("fields", fields(&plan.residual).into())], here);
    }
    if plan.sorting == Sorting::Gather {
        let mut more = vec![("by", by(question.sort))];
        more.extend(question.first.map(|first| ("keeps", Value::count(first))));
        here = stage("sort", more, here);
    }
    if skip > 0 || limit.is_some() {
        let mut more = vec![("skip", Value::count(skip))];
        more.extend(limit.map(|limit| ("limit", Value::count(limit))));
        here = stage("limit", more, here);
    }
    here
}

fn stage(name: &str, more: Vec<(&str, Value)>, input: Object) -> Object {
    let mut stage = Object::from([("stage", name.into())]);
    for (field, value) in more {
        stage.set(field, value);
    }
    stage.set("input", input.into());
    stage
}

fn leaf(direction: Direction, walk: &Walk) -> Object {
    let mut leaf = Object::from([("stage", walk.kind().into())]);
    let ranges = match &walk.access {
        Access::Keys(keys) => keys.len(),
        Access::Primary(ranges) | Access::Index { ranges, .. } => ranges.len(),
        Access::Nothing => 0,
        Access::Scan | Access::Text { .. } => 1,
    };
    if let Access::Index { name, .. } | Access::Text { name, .. } = &walk.access {
        leaf.set("index", Value::from(&**name));
    }
    if !walk.bounds.is_empty() {
        leaf.set("bounds", Value::from(&*walk.bounds));
    }
    leaf.set("ranges", Value::count(ranges));
    leaf.set("direction", name_of(direction).into());
    if !walk.asked.is_empty() {
        leaf.set("asks", Value::from(&*walk.asked));
    }
    leaf
}

/// The fields of a sort: `[['ts', -1]]`.
pub(crate) fn by(sort: &Sort) -> Value {
    let pair = |(path, direction): &(crate::value::Path, Direction)| {
        let way: Value = if *direction == Direction::Ascending { 1.into() } else { (-1).into() };
        Value::Array(vec![path.as_str().into(), way])
    };
    let mut by: Vec<Value> = sort.fields().iter().map(pair).collect();
    if let Some(place) = sort.score_place() {
        by.insert(place.min(by.len()), Value::Array(vec!["textScore".into(), (-1).into()]));
    }
    Value::Array(by)
}

/// The fields that a filter asks something of, each once.
fn fields(filter: &Filter) -> Vec<Value> {
    let mut fields: Vec<Value> = Vec::new();
    gather(filter, &mut fields);
    fields
}

fn gather(filter: &Filter, fields: &mut Vec<Value>) {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().for_each(|filter| gather(filter, fields)),
        Filter::Not(filter) => gather(filter, fields),
        Filter::Field(path, _) => {
            let path = Value::from(path.as_str());
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
        Filter::Expression(_) if !fields.contains(&"$expr".into()) => fields.push("$expr".into()),
        Filter::Expression(_) | Filter::Text(_) | Filter::Itself(_) => {}
    }
}
