//! Running work: calls that commit by themselves, tried again after a conflict.
//!
//! Not for transactions that a user holds: whether those are run again is for the user to say.
//!
//! Invariants: work that is run again begins from nothing; after a first conflict, the calls of one context stand in
//! line, so that they are not in conflict with each other for ever.

use super::gate::Gate;
use super::shared::Shared;
use super::work::Work;
use crate::engine::Committed;
use crate::error::{ErrorKind, Result};
use crate::storage::{Durability, Storage};
use std::rc::Rc;

/// Runs work and commits it.
///
/// # Errors
/// What the work or the commit fails with; `conflict` only after [`CONFLICT_RETRIES_MAX`](crate::limits::CONFLICT_RETRIES_MAX) tries, or as configured.
pub(crate) async fn run<S: Storage, T>(
    shared: &Rc<Shared<S>>,
    durability: Durability,
    work: impl AsyncFn(&Work<S>) -> Result<T>,
) -> Result<(T, Committed)> {
    run_behind(&shared.gate, shared, durability, work).await
}

/// The same behind another gate: for what other work waits for while it is inside the first.
///
/// # Errors
/// As [`run`].
pub(crate) async fn run_behind<S: Storage, T>(
    gate: &Gate,
    shared: &Rc<Shared<S>>,
    durability: Durability,
    work: impl AsyncFn(&Work<S>) -> Result<T>,
) -> Result<(T, Committed)> {
    let mut pass = None;
    let mut tries = 0;
    loop {
        match attempt(shared, durability, &work).await {
            Err(error) if error.kind() == ErrorKind::Conflict && tries < shared.conflict_retries.get() => {
                tries += 1;
                if pass.is_none() {
                    pass = Some(gate.enter().await);
                }
            }
            answer => return answer,
        }
    }
}

async fn attempt<S: Storage, T>(
    shared: &Rc<Shared<S>>,
    durability: Durability,
    work: &impl AsyncFn(&Work<S>) -> Result<T>,
) -> Result<(T, Committed)> {
    let attempt = Work::begin(shared)?;
    let answer = work(&attempt).await?;
    let committed = shared.engine.commit(attempt.finish()?, durability).await?;
    Ok((answer, committed))
}
