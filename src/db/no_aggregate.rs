//! Aggregation, where the build leaves pipelines out: the names of `db/aggregate.rs`, and nothing behind them.
//!
//! Invariant: there is no value of [`Pipeline`], so none of [`Run`]: whoever asks for one is told so when it is parsed.

use super::slow::Slow;
use super::work::Reader;
use crate::engine::catalog::Catalog;
use crate::env::Env;
use crate::error::Result;
use crate::part::Part;
use crate::query::aggregate::Budget;
use crate::query::{Filter, Pipeline};
use crate::storage::Storage;
use crate::value::{Object, Path, Value};
use core::cell::RefCell;
use core::convert::Infallible;
use core::marker::PhantomData;
use std::rc::Rc;

use super::find::{Query, Reading};

/// What a pipeline would read.
pub(crate) struct Sources<S: Storage> {
    pub(crate) reader: Reader<S>,
    pub(crate) catalog: Rc<Catalog>,
    pub(crate) env: Rc<dyn Env>,
    pub(crate) slow: Rc<Slow>,
}

impl<S: Storage> Sources<S> {
    /// # Errors
    /// `unsupported`, always.
    pub(crate) fn parse(&self, _: &str, _: &[Value]) -> Result<Pipeline> {
        let Sources { reader: _, catalog: _, env: _, slow: _ } = self;
        Err(Part::Pipelines.left_out())
    }
}

/// A pipeline at work, which there is none of.
pub(crate) struct Run<S: Storage>(Infallible, PhantomData<S>);

impl<S: Storage> Run<S> {
    pub(crate) fn open(_: &Rc<Sources<S>>, _: &str, _: &Pipeline, _: &Rc<[Option<Value>]>, _: Reading) -> Result<Self> {
        Err(Part::Pipelines.left_out())
    }

    pub(crate) fn meeting(self, _: Option<Rc<RefCell<Met>>>) -> Self {
        match self.0 {}
    }

    pub(crate) async fn values(&mut self, _: &mut Budget) -> Result<Vec<Value>> {
        match self.0 {}
    }
}

/// What a pipeline met, which is nothing.
#[derive(Debug, Default)]
pub(crate) struct Met;

impl Met {
    pub(crate) fn has(&self, _: &[u8]) -> bool {
        true
    }
}

pub(crate) fn query_of(_: &Pipeline) -> Query {
    Query::of(Filter::all())
}

pub(crate) async fn docs<S: Storage>(run: Run<S>) -> Result<Vec<u8>> {
    match run.0 {}
}

pub(crate) async fn part<S: Storage>(run: &mut Run<S>, _: usize) -> Result<(Vec<u8>, bool)> {
    match run.0 {}
}

pub(crate) async fn columns<S: Storage>(run: Run<S>, _: Option<&[Path]>) -> Result<Vec<u8>> {
    match run.0 {}
}

pub(crate) async fn explain<S: Storage>(_: &Sources<S>, _: &str, _: &Pipeline) -> Result<Object> {
    Err(Part::Pipelines.left_out())
}
