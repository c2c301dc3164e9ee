//! The states that a disk has been in, and which of them power loss may bring back.
//!
//! Not a log of calls: only transactions that changed something make a state.
//!
//! Invariants: what a flush covers cannot be lost; what can be lost is lost from the end, whole transactions at a time.

use crate::storage::memory::Contents;
use std::collections::VecDeque;

/// States kept behind the flushed one, for stale values.
const PAST_MAX: usize = 16;

/// The number of a state, in the order of effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EffectNumber(u64);

#[derive(Debug)]
pub(super) struct History {
    past: VecDeque<Contents>,
    /// Survives power loss.
    flushed: Contents,
    /// Later states, in order: any number of the first of them survives.
    unflushed: VecDeque<(EffectNumber, Contents)>,
    unflushed_max: usize,
    next: u64,
}

impl History {
    /// `unflushed_max`: how many effects the disk holds back at most before it writes the oldest by itself.
    pub(super) fn new(contents: Contents, unflushed_max: usize) -> Self {
        History { past: VecDeque::new(), flushed: contents, unflushed: VecDeque::new(), unflushed_max, next: 0 }
    }

    /// The present state.
    pub(super) fn current(&self) -> &Contents {
        self.unflushed.back().map_or(&self.flushed, |(_, contents)| contents)
    }

    /// A transaction took effect.
    pub(super) fn push(&mut self, contents: Contents) -> EffectNumber {
        let number = EffectNumber(self.next);
        self.next += 1;
        self.unflushed.push_back((number, contents));
        if self.unflushed.len() > self.unflushed_max {
            self.flush_first();
        }
        number
    }

    /// This effect and all before it reach the disk.
    pub(super) fn flush(&mut self, upto: EffectNumber) {
        while self.unflushed.front().is_some_and(|(number, _)| *number <= upto) {
            self.flush_first();
        }
    }

    /// How many transactions took effect.
    pub(super) fn effects(&self) -> u64 {
        self.next
    }

    /// Every state that power loss may leave, the oldest first, the present one last.
    pub(super) fn survivors(&self) -> impl Iterator<Item = &Contents> {
        core::iter::once(&self.flushed).chain(self.unflushed.iter().map(|(_, contents)| contents))
    }

    /// Past states that are still known, the oldest first.
    pub(super) fn earlier(&self) -> Vec<Contents> {
        let mut states: Vec<_> = self.past.iter().chain(self.survivors()).cloned().collect();
        states.pop();
        states
    }

    /// The disk is in this state now, and surely so.
    pub(super) fn reset(&mut self, contents: Contents) {
        self.unflushed.clear();
        let old = core::mem::replace(&mut self.flushed, contents);
        self.remember(old);
    }

    /// The present state becomes this one without a transaction.
    pub(super) fn damage(&mut self, contents: Contents) {
        match self.unflushed.back_mut() {
            Some((_, current)) => *current = contents,
            None => self.flushed = contents,
        }
    }

    fn flush_first(&mut self) {
        if let Some((_, contents)) = self.unflushed.pop_front() {
            let old = core::mem::replace(&mut self.flushed, contents);
            self.remember(old);
        }
    }

    fn remember(&mut self, old: Contents) {
        self.past.push_back(old);
        if self.past.len() > PAST_MAX {
            self.past.pop_front();
        }
    }
}
