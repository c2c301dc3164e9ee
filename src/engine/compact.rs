//! Compaction: merges segments so that reads look into few of them, and drops what is overwritten or deleted.
//!
//! Deciding ([`choose`]) is pure; the deed reads blocks, writes new segments and flips the manifest.
//!
//! Source of the scheme: leveled compaction as in LevelDB: level 0 holds checkpoints, whose ranges overlap; each deeper
//! level is one sorted sequence of segments, ten times as large as the one above.
//!
//! Invariants: the newest version of a key is in the upper level; a tombstone is dropped only where no deeper level
//! can hold its key; inputs stay in place until the flip, and for a time after it for other contexts' snapshots.

use super::flip::Change;
use super::manifest::{Manifest, Retired, SegmentMeta};
use super::merge::{LevelCursor, Merge, Source, Step};
use super::output::{Output, Written};
use super::{Inner, Options, Pressure};
use crate::error::Result;
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::value::{Direction, KeyRange};
use std::rc::Rc;

/// What to merge into which level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compaction {
    /// The level to which the result goes.
    pub(super) target: usize,
    /// Segments of the level above, in that level's order.
    pub(super) upper: Vec<Rc<SegmentMeta>>,
    /// Segments of the target level that overlap them.
    pub(super) lower: Vec<Rc<SegmentMeta>>,
    /// Whether no deeper level can hold a key of the inputs.
    pub(super) is_bottom: bool,
}

/// The most urgent compaction, if one is due.
#[must_use]
pub(super) fn choose(manifest: &Manifest, options: &Options) -> Option<Compaction> {
    let level = |number: usize| manifest.levels.get(number).map(Vec::as_slice).unwrap_or_default();
    if level(0).len() >= options.level0_segments {
        return Some(merge_into(manifest, level(0).to_vec(), 1));
    }
    let mut limit = options.level1_bytes;
    for number in 1..manifest.levels.len() {
        let bytes: u64 = level(number).iter().map(|segment| segment.bytes).sum();
        if bytes > limit {
            // The segment that drags along the least of the level below.
            let cost = |segment: &Rc<SegmentMeta>| -> u64 {
                overlapping(level(number + 1), &segment.first, &segment.last).map(|below| below.bytes).sum()
            };
            let upper = level(number).iter().min_by_key(|segment| cost(segment) / segment.bytes.max(1))?;
            return Some(merge_into(manifest, vec![Rc::clone(upper)], number + 1));
        }
        limit = limit.saturating_mul(10);
    }
    None
}

fn merge_into(manifest: &Manifest, upper: Vec<Rc<SegmentMeta>>, target: usize) -> Compaction {
    let first = upper.iter().map(|segment| segment.first.as_slice()).min().unwrap_or_default().to_vec();
    let last = upper.iter().map(|segment| segment.last.as_slice()).max().unwrap_or_default().to_vec();
    let below = manifest.levels.get(target).map(Vec::as_slice).unwrap_or_default();
    let lower: Vec<_> = overlapping(below, &first, &last).cloned().collect();
    let deeper = manifest.levels.iter().skip(target + 1);
    let reach = lower.iter().fold((first, last), |(first, last), segment| {
        (first.min(segment.first.clone()), last.max(segment.last.clone()))
    });
    let is_bottom = !deeper.into_iter().any(|level| overlapping(level, &reach.0, &reach.1).next().is_some());
    Compaction { target, upper, lower, is_bottom: is_bottom || planted(Bug::TombstoneDroppedEarly) }
}

fn overlapping<'a>(
    level: &'a [Rc<SegmentMeta>],
    first: &'a [u8],
    last: &'a [u8],
) -> impl Iterator<Item = &'a Rc<SegmentMeta>> {
    level.iter().filter(move |segment| segment.first.as_slice() <= last && first <= segment.last.as_slice())
}

impl<S: Storage> Inner<S> {
    pub(super) fn next_compaction(&self) -> Option<Compaction> {
        // On a full disk there is no room for it: segments are purged in place instead.
        if self.pressure.get() != Pressure::None {
            return None;
        }
        // Commits have the thread and the disk to themselves as long as reads stay quick enough.
        let is_busy = self.env.monotonic_ms() < self.busy_ms.get() + self.options.quiet_ms;
        if is_busy && self.is_level0_short() { None } else { choose(&self.state().manifest, &self.options) }
    }

    /// Whether reads are quick enough without a compaction.
    fn is_level0_short(&self) -> bool {
        let state = self.state();
        state.manifest.levels.first().is_none_or(|level| level.len() < 3 * self.options.level0_segments)
    }

    /// Whether reads wait for the disk, and a compaction had better wait for them.
    pub(super) fn must_compaction_wait(&self) -> bool {
        let is_reading = self.preloading.is_reading(self.env.monotonic_ms() - self.options.quiet_ms);
        is_reading && self.is_level0_short() && self.next_compaction().is_some()
    }

    pub(super) async fn compact(&self) -> Result<bool> {
        let Some(_mark) = self.enter_background() else {
            return Ok(false);
        };
        if self.next_compaction().is_none() {
            return Ok(false);
        }
        self.refresh_manifest().await?;
        match self.next_compaction() {
            Some(compaction) => self.compact_now(&compaction).await,
            None => Ok(false),
        }
    }

    /// Carries a compaction out, for a caller that has the background to itself.
    pub(super) async fn compact_now(&self, compaction: &Compaction) -> Result<bool> {
        let generation = self.state().manifest.generation;
        let written = self.merge_segments(compaction, Output::streamed(self)).await?;
        let inputs: Vec<Rc<SegmentMeta>> = compaction.upper.iter().chain(&compaction.lower).cloned().collect();
        let at_ms = self.env.now().as_ms();
        let is_done = self.flip_to(&written.segments, Change::new(generation), |manifest| {
            let retired = inputs.iter().map(|segment| Retired { id: segment.id, at_ms });
            manifest.retired.extend(retired);
            replace(manifest, compaction, &inputs, &written.segments);
        });
        let is_done = is_done.await?;
        for input in inputs.iter().filter(|_| is_done) {
            self.cache.borrow_mut().remove_segment(input.id);
            self.extents.borrow_mut().remove_segment(input.id);
            self.columns.borrow_mut().remove_segment(input.id);
            self.replaced.borrow_mut().push((input.id, Rc::downgrade(input)));
        }
        Ok(is_done)
    }

    async fn merge_segments(&self, compaction: &Compaction, mut output: Output<'_, S>) -> Result<Written> {
        let range = KeyRange::all();
        let mut cursors = Vec::new();
        if compaction.target == 1 {
            let each = compaction.upper.iter().filter_map(|segment| LevelCursor::new([Rc::clone(segment)], &range));
            cursors.extend(each);
        } else {
            cursors.extend(LevelCursor::new(compaction.upper.iter().cloned(), &range));
        }
        cursors.extend(LevelCursor::new(compaction.lower.iter().cloned(), &range));
        let sources = cursors.into_iter().map(|cursor| Source::Level(cursor.passing())).collect();
        let mut merge = Merge::new(sources, range, Direction::Ascending);
        loop {
            match merge.step() {
                Step::Needs => merge.fill(self).await?,
                Step::End => break,
                Step::Entry => {
                    if let Some((key, value)) = merge.entry()
                        && (value.is_some() || !compaction.is_bottom)
                    {
                        output.push(key, value).await?;
                    }
                }
            }
        }
        output.finish().await
    }
}

fn replace(manifest: &mut Manifest, compaction: &Compaction, inputs: &[Rc<SegmentMeta>], outputs: &[SegmentMeta]) {
    for level in &mut manifest.levels {
        level.retain(|segment| !inputs.iter().any(|input| input.id == segment.id));
    }
    while manifest.levels.len() <= compaction.target {
        manifest.levels.push(Vec::new());
    }
    if let Some(level) = manifest.levels.get_mut(compaction.target) {
        for output in outputs {
            let place = level.partition_point(|segment| segment.first < output.first);
            level.insert(place, Rc::new(output.clone()));
        }
    }
    while manifest.levels.last().is_some_and(Vec::is_empty) {
        manifest.levels.pop();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::manifest::{BlockRef, SegmentId};
    use super::*;

    fn segment(n: u64, first: &str, last: &str, bytes: u64) -> Rc<SegmentMeta> {
        Rc::new(SegmentMeta {
            id: SegmentId::new(n, [0; 8]),
            first: first.as_bytes().to_vec(),
            last: last.as_bytes().to_vec(),
            entries: 1,
            tombstones: 0,
            bytes,
            index: BlockRef { block: 0, extent: 0, offset: 0, bytes: 0, checksum: 0 },
        })
    }

    #[track_caller]
    fn check(levels: &[&[(&str, &str, u64)]], expected: &str) {
        let mut n = 0;
        let mut manifest = Manifest::empty();
        for level in levels {
            let mut segments = Vec::new();
            for (first, last, bytes) in *level {
                n += 1;
                segments.push(segment(n, first, last, *bytes));
            }
            manifest.levels.push(segments);
        }
        let options = Options { level0_segments: 2, level1_bytes: 100, ..Options::default() };
        let names = |list: &[Rc<SegmentMeta>]| {
            list.iter()
                .map(|s| format!("{}-{}", s.first.escape_ascii(), s.last.escape_ascii()))
                .collect::<Vec<_>>()
                .join(",")
        };
        let shown = choose(&manifest, &options).map_or("nothing".to_owned(), |c| {
            format!(
                "[{}]+[{}]->{}{}",
                names(&c.upper),
                names(&c.lower),
                c.target,
                if c.is_bottom { " bottom" } else { "" }
            )
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn nothing_is_chosen_while_levels_are_within_their_bounds() {
        check(&[], "nothing");
        check(&[&[("a", "z", 500)], &[("a", "m", 50), ("n", "z", 50)]], "nothing");
    }

    #[test]
    fn a_full_first_level_goes_down_whole_with_what_it_overlaps() {
        let level0: &[_] = &[("c", "d", 1), ("b", "e", 1)];
        check(&[level0, &[("a", "b", 9), ("f", "g", 9)]], "[c-d,b-e]+[a-b]->1 bottom");
        check(&[level0, &[], &[("d", "d", 9)]], "[c-d,b-e]+[]->1");
        check(&[level0, &[("a", "b", 9)], &[("a", "a", 9)]], "[c-d,b-e]+[a-b]->1");
    }

    #[test]
    fn a_level_that_is_too_large_gives_down_the_segment_that_costs_least() {
        let level1: &[_] = &[("a", "f", 60), ("g", "m", 60)];
        check(&[&[], level1, &[("a", "c", 900)]], "[g-m]+[]->2 bottom");
        check(&[&[], level1, &[("a", "c", 90), ("h", "k", 900)]], "[a-f]+[a-c]->2 bottom");
    }
}
