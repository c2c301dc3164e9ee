//! Extents that were read lately, as stored: the next blocks that are asked for are often in them.
//!
//! Not the block cache, which holds what was checked and unpacked: this is about a third as large for the same data, and
//! spares the read of 512 KiB that each block would otherwise cost. Nothing here was checked.
//!
//! Invariant: the bytes of all extents stay within the bound, but for one that alone is larger.

use super::manifest::SegmentId;
use std::collections::VecDeque;
use std::rc::Rc;

/// See the module.
#[derive(Debug)]
pub(super) struct Extents {
    bytes_max: usize,
    bytes: usize,
    /// The oldest first.
    kept: VecDeque<(SegmentId, u32, Rc<Vec<u8>>)>,
}

impl Extents {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Extents { bytes_max, bytes: 0, kept: VecDeque::new() }
    }

    pub(super) fn get(&self, segment: SegmentId, extent: u32) -> Option<Rc<Vec<u8>>> {
        let found = self.kept.iter().find(|(id, number, _)| (*id, *number) == (segment, extent));
        found.map(|(_, _, bytes)| Rc::clone(bytes))
    }

    pub(super) fn insert(&mut self, segment: SegmentId, extent: u32, bytes: Rc<Vec<u8>>) {
        self.remove(segment, extent);
        while self.bytes + bytes.len() > self.bytes_max
            && let Some((_, _, oldest)) = self.kept.pop_front()
        {
            self.bytes -= oldest.len();
        }
        self.bytes += bytes.len();
        self.kept.push_back((segment, extent, bytes));
    }

    /// Keeps an extent only if no other has to go for it.
    pub(super) fn insert_if_room(&mut self, segment: SegmentId, extent: u32, bytes: &[u8]) {
        if self.bytes + bytes.len() <= self.bytes_max {
            self.insert(segment, extent, Rc::new(bytes.to_vec()));
        }
    }

    pub(super) fn remove(&mut self, segment: SegmentId, extent: u32) {
        self.retain(|id, number| (id, number) != (segment, extent));
    }

    /// Forgets every extent of a segment that is gone.
    pub(super) fn remove_segment(&mut self, segment: SegmentId) {
        self.retain(|id, _| id != segment);
    }

    fn retain(&mut self, mut is_kept: impl FnMut(SegmentId, u32) -> bool) {
        let gone = &mut self.bytes;
        self.kept.retain(|(id, number, bytes)| {
            let is_kept = is_kept(*id, *number);
            *gone -= if is_kept { 0 } else { bytes.len() };
            is_kept
        });
    }

    /// Bytes of all extents.
    pub(super) const fn len_bytes(&self) -> usize {
        self.bytes
    }
}
