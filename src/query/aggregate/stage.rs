//! Stages, as they were parsed.
//!
//! Not their state while documents go through: that is `step.rs`.

use super::Pipeline;
use super::group::Group;
use super::transform::Transform;
use super::unwind::Unwind;
use super::window::Window;
use crate::query::{Expression, Filter, Sort};
use crate::value::{Name, Path};

/// One stage. `$bucket` and `$sortByCount` are a `$group` and a `$sort`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    Match(Filter),
    /// `$expr` of a `$match`.
    Where(Expression),
    /// `$project`, `$set`, `$addFields`, `$unset`.
    Transform(&'static str, Transform),
    Group(Group),
    /// And how many are wanted at most, where a `$limit` follows.
    Sort(Sort, Option<usize>),
    Limit(usize),
    Skip(usize),
    Unwind(Unwind),
    Lookup(Box<Lookup>),
    Facet(Vec<(Name, Pipeline)>),
    Count(Name),
    ReplaceRoot(Expression),
    UnionWith {
        collection: Name,
        pipeline: Pipeline,
    },
    Sample(usize),
    Window(Box<Window>),
}

/// `$lookup`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lookup {
    pub(crate) from: Name,
    pub(crate) to: Path,
    pub(crate) matched: Option<Matched>,
    /// Values of the variables of the pipeline.
    pub(crate) variables: Vec<Expression>,
    pub(crate) pipeline: Option<Pipeline>,
}

/// Which fields have to be equal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matched {
    pub(crate) local: Path,
    pub(crate) foreign: Path,
}

impl Stage {
    /// As users write it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Stage::Match(_) | Stage::Where(_) => "$match",
            Stage::Transform(name, _) => name,
            Stage::Group(_) => "$group",
            Stage::Sort(..) => "$sort",
            Stage::Limit(_) => "$limit",
            Stage::Skip(_) => "$skip",
            Stage::Unwind(_) => "$unwind",
            Stage::Lookup(_) => "$lookup",
            Stage::Facet(_) => "$facet",
            Stage::Count(_) => "$count",
            Stage::ReplaceRoot(_) => "$replaceRoot",
            Stage::UnionWith { .. } => "$unionWith",
            Stage::Sample(_) => "$sample",
            Stage::Window(_) => "$setWindowFields",
        }
    }
}
