//! Extents that were read lately, as stored: the next blocks of a scan are in them.
//!
//! Not the block cache, which holds what was checked and unpacked. Nothing here was checked.
//!
//! Invariant: there are at most [`KEPT_MAX`].

use super::manifest::SegmentId;
use std::collections::VecDeque;
use std::rc::Rc;

/// How many extents are kept: enough for a scan that reads from every level.
const KEPT_MAX: usize = 6;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Extents {
    /// The newest last.
    kept: VecDeque<(SegmentId, u32, Rc<Vec<u8>>)>,
}

impl Extents {
    pub(super) fn get(&self, segment: SegmentId, extent: u32) -> Option<Rc<Vec<u8>>> {
        let found = self.kept.iter().find(|(id, number, _)| (*id, *number) == (segment, extent));
        found.map(|(_, _, bytes)| Rc::clone(bytes))
    }

    pub(super) fn insert(&mut self, segment: SegmentId, extent: u32, bytes: Rc<Vec<u8>>) {
        self.remove(segment, extent);
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((segment, extent, bytes));
    }

    pub(super) fn remove(&mut self, segment: SegmentId, extent: u32) {
        self.kept.retain(|(id, number, _)| (*id, *number) != (segment, extent));
    }
}
