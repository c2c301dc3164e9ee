//! A checkpoint: writes the memtable as a segment, flips the manifest, then trims the log.
//!
//! Invariants: commits go on meanwhile, into new runs; the flip is guarded by the manifest and strict, so every block
//! it names is on disk before the log lets go.

use super::flip::{Change, Trim};
use super::manifest::Manifest;
use super::output::{Output, Then};
use super::packed;
use super::run::{Run, RunBuilder};
use super::weave::Weave;
use super::{Inner, Pressure, State};
use crate::engine::format::SPACE_DOCUMENT;
use crate::error::{ErrorKind, Result};
use crate::storage::Storage;
use crate::value::KeyRange;
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
        let pinned = resident(&frozen);
        match self.write_checkpoint(&frozen, &pinned, Trim::Later).await {
            Ok(true) => {
                self.trim_log(frozen.manifest.checkpoint, frozen.head.seq, self.log_bytes.replace(0)).await;
                Ok(true)
            }
            // On a full disk what is written and what is trimmed must go in one transaction, which frees more than it
            // takes.
            Err(error) if error.kind() == ErrorKind::Limit => self.write_checkpoint(&frozen, &pinned, Trim::Now).await,
            result => result,
        }
    }

    async fn write_checkpoint(&self, frozen: &State, pinned: &Run, trim: Trim) -> Result<bool> {
        let mut output = match trim {
            Trim::Later => Output::streamed(self),
            Trim::Now => Output::held(self),
        };
        let hides_nothing = frozen.manifest.segments().next().is_none();
        let range = KeyRange { start: vec![SPACE_DOCUMENT], end: None };
        let mut weave = Weave::new(frozen.memtable.frozen().iter().rev(), &range);
        while let Some((key, value)) = weave.next() {
            if (value.is_some() || !hides_nothing) && output.add(key, value) == Then::Settle {
                output.settle().await?;
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
            manifest.pinned = packed::packed(pinned);
            if manifest.levels.is_empty() {
                manifest.levels.push(Vec::new());
            }
            if let Some(first) = manifest.levels.first_mut() {
                first.splice(0..0, written.segments.iter().cloned().map(Rc::new));
            }
        };
        let is_done = self.flip_to(&written.segments, change, edit).await?;
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

/// The resident keys as of now: what was committed since the last checkpoint over those of that checkpoint.
fn resident(frozen: &State) -> Run {
    let range = KeyRange { start: Vec::new(), end: Some(vec![SPACE_DOCUMENT]) };
    let runs = frozen.memtable.frozen().iter().rev().chain([&frozen.pinned]);
    let mut weave = Weave::new(runs, &range);
    let mut resident = RunBuilder::default();
    while let Some((key, value)) = weave.next() {
        if value.is_some() {
            resident.push(key, value);
        }
    }
    resident.finish()
}
