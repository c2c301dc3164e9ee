//! What a transaction has read: keys and ranges, also where nothing was found.
//!
//! Invariant: if no commit after the transaction's snapshot wrote a key of the read set, the transaction would read
//! the same again now, so it may take its place after them (optimistic validation, Kung and Robinson 1981, backward).

use super::run::Run;
use super::slice::Slice;
use crate::planted::{Bug, planted};
use crate::value::Direction;

/// A range as far as it was read.
#[derive(Debug)]
struct RangeRead {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    direction: Direction,
    /// The last key that was handed out.
    reached: Option<Slice>,
    is_exhausted: bool,
}

impl RangeRead {
    fn touched_by(&self, run: &Run) -> bool {
        if self.is_exhausted {
            return run.touches(&self.start, self.end.as_deref());
        }
        let Some(reached) = &self.reached else {
            return false;
        };
        match self.direction {
            Direction::Ascending => {
                let mut after = reached.to_vec();
                after.push(0);
                run.touches(&self.start, Some(&after))
            }
            Direction::Descending => run.touches(reached, self.end.as_deref()),
        }
    }
}

/// Names a range in the set, for [`ReadSet::reach`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RangeId(usize);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    /// Keys one behind the other, and where each ends.
    points: Vec<u8>,
    point_ends: Vec<usize>,
    ranges: Vec<RangeRead>,
}

impl ReadSet {
    /// A key was looked up.
    pub(crate) fn add_point(&mut self, key: &[u8]) {
        self.points.extend_from_slice(key);
        self.point_ends.push(self.points.len());
    }

    /// A scan began; nothing was handed out yet.
    pub(crate) fn add_range(&mut self, start: &[u8], end: Option<&[u8]>, direction: Direction) -> RangeId {
        let range = RangeRead {
            start: start.to_vec(),
            end: end.map(<[u8]>::to_vec),
            direction,
            reached: None,
            is_exhausted: false,
        };
        self.ranges.push(range);
        RangeId(self.ranges.len() - 1)
    }

    /// A scan handed out this key, or (`None`) came to its end.
    pub(crate) fn reach(&mut self, range: RangeId, key: Option<&Slice>) {
        if planted(Bug::RangeReadsUntracked) {
            return;
        }
        if let Some(range) = self.ranges.get_mut(range.0) {
            match key {
                Some(key) => range.reached = Some(key.clone()),
                None => range.is_exhausted = true,
            }
        }
    }

    /// Whether nothing was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.point_ends.is_empty() && self.ranges.is_empty()
    }

    /// Whether the run wrote anything that was read.
    pub(crate) fn touched_by(&self, run: &Run) -> bool {
        let mut start = 0;
        let mut points = self.point_ends.iter().map(|end| {
            let key = self.points.get(start..*end).unwrap_or_default();
            start = *end;
            key
        });
        points.any(|key| run.has(key)) || self.ranges.iter().any(|range| range.touched_by(run))
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::RunBuilder;
    use super::*;

    fn wrote(key: &str) -> Run {
        let mut builder = RunBuilder::default();
        builder.push(key.as_bytes(), None);
        builder.finish()
    }

    #[test]
    fn a_point_is_touched_also_where_nothing_was_found() {
        let mut reads = ReadSet::default();
        reads.add_point(b"b");
        assert!(reads.touched_by(&wrote("b")));
        assert!(!reads.touched_by(&wrote("a")) && !reads.touched_by(&wrote("bb")));
    }

    #[test]
    fn a_range_counts_as_far_as_it_was_read() {
        for (direction, seen, unseen) in [(Direction::Ascending, "c", "e"), (Direction::Descending, "e", "c")] {
            let mut reads = ReadSet::default();
            let range = reads.add_range(b"b", Some(b"f"), direction);
            assert!(!reads.touched_by(&wrote("c")), "nothing was handed out yet");
            reads.reach(range, Some(&Slice::from(b"d".to_vec())));
            assert!(reads.touched_by(&wrote(seen)) && reads.touched_by(&wrote("d")));
            assert!(!reads.touched_by(&wrote(unseen)));
            reads.reach(range, None);
            assert!(reads.touched_by(&wrote("c")) && reads.touched_by(&wrote("e")));
            assert!(!reads.touched_by(&wrote("a")) && !reads.touched_by(&wrote("f")));
        }
    }
}
