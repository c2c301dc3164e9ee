//! A checkpoint: writes the memtable as a segment, flips the manifest, then trims the log.
//!
//! Invariants: commits go on meanwhile, into new runs; the flip is guarded by the manifest and strict, so every block
//! it names is on disk before the log lets go.

use super::flip::{Change, Trim};
use super::manifest::Manifest;
use super::memtable::merge_all;
use super::output::Output;
use super::run::{Run, RunBuilder};
use super::{Inner, Pressure, State};
use crate::engine::format::SPACE_DOCUMENT;
use crate::error::{ErrorKind, Result};
use crate::storage::Storage;
use std::rc::Rc;

impl<S: Storage> Inner<S> {
    pub(super) fn is_checkpoint_due(&self) -> bool {
        let bytes = self.state().memtable.len_bytes();
        bytes > self.options.memtable_bytes || (bytes > 0 && self.pressure.get() == Pressure::Reclaimable)
    }

    pub(super) async fn checkpoint(&self) -> Result<bool> {
        let Some(_mark) = self.enter_background() else {
            return Ok(false);
        };
        self.checkpoint_now().await
    }

    /// As [`Inner::checkpoint`], for a caller that has the background to itself.
    pub(super) async fn checkpoint_now(&self) -> Result<bool> {
        self.refresh_manifest().await?;
        let frozen = self.freeze();
        if frozen.memtable.frozen().is_empty() {
            return Ok(false);
        }
        let (pinned, run) = split(&frozen);
        match self.write_checkpoint(&frozen, &pinned, &run, Trim::Later).await {
            Ok(true) => {
                let bytes = frozen.memtable.frozen().iter().map(|run| run.as_bytes().len()).sum();
                self.trim_log(frozen.manifest.checkpoint, frozen.head.seq, bytes).await;
                Ok(true)
            }
            // On a full disk what is written and what is trimmed must go in one transaction, which frees more than it
            // takes.
            Err(error) if error.kind() == ErrorKind::Limit => {
                self.write_checkpoint(&frozen, &pinned, &run, Trim::Now).await
            }
            result => result,
        }
    }

    async fn write_checkpoint(&self, frozen: &State, pinned: &Run, run: &Run, trim: Trim) -> Result<bool> {
        let mut output = match trim {
            Trim::Later => Output::streamed(self),
            Trim::Now => Output::held(self),
        };
        let hides_nothing = frozen.manifest.segments().next().is_none();
        for (key, value) in run.iter() {
            if value.is_some() || !hides_nothing {
                output.push(key, value).await?;
            }
        }
        let written = output.finish().await?;
        let mut change = Change::new(frozen.manifest.generation);
        change.puts = written.held;
        change.checkpoint = Some(frozen.head.seq);
        change.trim = trim;
        let edit = |manifest: &mut Manifest| {
            manifest.checkpoint = frozen.head.seq;
            manifest.checkpoint_record = frozen.head.record;
            manifest.pinned = pinned.as_bytes().to_vec();
            if manifest.levels.is_empty() {
                manifest.levels.push(Vec::new());
            }
            if let Some(first) = manifest.levels.first_mut() {
                first.splice(0..0, written.segments.iter().cloned().map(Rc::new));
            }
        };
        let is_done = self.flip(change, edit).await?;
        if is_done && self.pressure.get() == Pressure::Full {
            // There is room again, whatever gave it.
            self.pressure.set(Pressure::None);
        }
        Ok(is_done)
    }

    /// Freezes the memtable: what is committed from here on goes into new runs.
    fn freeze(&self) -> Rc<State> {
        let mut state = self.state().duplicate();
        state.memtable.freeze();
        let state = Rc::new(state);
        *self.state.borrow_mut() = Rc::clone(&state);
        state
    }
}

/// The frozen runs as one, resident keys apart (merged with those of the last checkpoint).
fn split(frozen: &State) -> (Run, Run) {
    let run = merge_all(frozen.memtable.frozen());
    let border = run.lower_bound(&[SPACE_DOCUMENT]);
    let (mut resident, mut rest) = (RunBuilder::default(), RunBuilder::with_capacity(run.as_bytes().len(), run.len()));
    for (index, (key, value)) in run.iter().enumerate() {
        if index < border { resident.push(key, value) } else { rest.push(key, value) }
    }
    let merged = Run::merge(&frozen.pinned, &resident.finish());
    let mut pinned = RunBuilder::default();
    for (key, value) in merged.iter().filter(|(_, value)| value.is_some()) {
        pinned.push(key, value);
    }
    (pinned.finish(), rest.finish())
}
