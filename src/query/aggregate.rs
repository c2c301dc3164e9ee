//! Pipelines: stages that documents go through, one after the other.
//!
//! Not execution against a storage: which documents come in, and what `$lookup` and `$unionWith` read, is awaited in
//! `db/aggregate.rs`. Everything else that a stage does is here, and pure.
//!
//! Invariants: a pipeline is parsed whole before anything is read; documents stream through as long as no stage needs all
//! of them; what a stage keeps is counted in bytes and bounded. Source: MongoDB manual, "Aggregation Stages"
//! (<https://www.mongodb.com/docs/manual/reference/operator/aggregation-pipeline/>); deviations are listed in
//! `docs/aggregation.md`.

pub(crate) mod budget;
mod group;
mod parse;
pub(crate) mod row;
mod sort;
mod stage;
pub(crate) mod step;
mod transform;
mod unwind;
mod window;
mod window_frame;

pub(crate) use budget::Budget;
pub(crate) use row::{Record, Row};
pub(crate) use stage::{Lookup, Matched, Stage};
pub(crate) use step::Step;

use crate::env::Timestamp;
use crate::error::Result;
use crate::part::Part;
use crate::value::{Name, Path, Value};
use std::rc::Rc;

/// What a pipeline is read with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// `$$NOW`.
    pub now: Timestamp,
    /// Variables from outside, as `let` of `$lookup` makes them.
    pub outer: &'a [Name],
    /// The key of the collection that is read: `$project` keeps it unless it is left out by name.
    pub key_fields: &'a [Path],
    /// The key of another collection; none where there is no such collection.
    pub foreign: &'a dyn Fn(&str) -> Option<Vec<Path>>,
}

/// A checked pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    pub(crate) stages: Vec<Rc<Stage>>,
}

impl Pipeline {
    /// Reads an array of stages.
    ///
    /// # Errors
    /// `unsupported` for stages, accumulators and operators that are not there; `invalid` for wrong arguments; `limit` for
    /// too many or too deep; each names the stage by its place, and the path that leads there.
    pub fn parse(stages: &[Value], context: Context<'_>) -> Result<Pipeline> {
        Part::Pipelines.needed()?;
        parse::pipeline(stages, context, 0)
    }

    /// The collections that it reads beside the one that it begins with, each once.
    #[must_use]
    pub fn collections(&self) -> Vec<Name> {
        let mut names = Vec::new();
        self.collect(&mut names);
        names
    }

    fn collect(&self, names: &mut Vec<Name>) {
        for stage in &self.stages {
            let (name, pipelines): (Option<&Name>, Vec<&Pipeline>) = match &**stage {
                Stage::Lookup(lookup) => (Some(&lookup.from), lookup.pipeline.iter().collect()),
                Stage::UnionWith { collection, pipeline } => (Some(collection), vec![pipeline]),
                Stage::Facet(facets) => (None, facets.iter().map(|(_, pipeline)| pipeline).collect()),
                _ => (None, Vec::new()),
            };
            if let Some(name) = name.filter(|name| !names.contains(name)) {
                names.push(name.clone());
            }
            pipelines.into_iter().for_each(|pipeline| pipeline.collect(names));
        }
    }
}

#[cfg(test)]
mod tests;
