//! Planted bugs: each named mistake can be switched on in a test build, to show that the tests would catch it.
//!
//! Not a feature: without the `simulation` feature [`planted`] is a constant `false` and costs nothing.

macro_rules! bugs {
    ($($(#[doc = $doc:literal])* $bug:ident => $name:literal,)*) => {
        /// A mistake that the tests must catch.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug { $($(#[doc = $doc])* $bug,)* }

        impl Bug {
            /// Every planted bug.
            pub const ALL: &'static [Bug] = &[$(Bug::$bug,)*];

            /// Its name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Bug::$bug => $name,)* }
            }
        }
    };
}

bugs! {
    /// A frame's checksum is not compared.
    ChecksumSkipped => "checksum_skipped",
    /// A frame's checksum does not cover where the frame belongs.
    ChecksumUnbound => "checksum_unbound",
    /// `append` does not compare the head.
    HeadCheckDropped => "head_check_dropped",
    /// `apply` does not compare the manifest.
    ManifestCheckDropped => "manifest_check_dropped",
    /// The log is trimmed in a transaction before the one that flips the manifest.
    TrimBeforeFlip => "trim_before_flip",
    /// The log is trimmed one commit too far.
    TrimTooFar => "trim_too_far",
    /// A range scan leaves out its first entry.
    ScanOffByOne => "scan_off_by_one",
    /// The oldest version of a key wins in a merge.
    MergeOldestWins => "merge_oldest_wins",
    /// Compaction drops tombstones although deeper levels may hold the key.
    TombstoneDroppedEarly => "tombstone_dropped_early",
    /// Strict commits are written relaxed.
    StrictIgnored => "strict_ignored",
    /// A lost commit event is answered with "committed".
    UnknownTakenAsCommitted => "unknown_taken_as_committed",
    /// A retried commit does not look for itself in the log.
    RetryWithoutLookup => "retry_without_lookup",
    /// Transactions are not validated against commits since their snapshot.
    ValidationSkipped => "validation_skipped",
    /// Range reads are not part of the read set.
    RangeReadsUntracked => "range_reads_untracked",
    /// Catching up skips the first new record.
    CatchUpSkipsOne => "catch_up_skips_one",
    /// A missing block is read as an empty one.
    MissingBlockIsEmpty => "missing_block_is_empty",
    /// A segment's filter does not know every document of the segment.
    FilterForgetsKeys => "filter_forgets_keys",
    /// Columns count documents of older segments that newer ones have replaced or deleted.
    ColumnsCountShadowed => "columns_count_shadowed",
    /// The old index entries of an updated document stay.
    IndexEntriesKept => "index_entries_kept",
    /// The entry of a word that stays in an updated document stays as it was.
    PostingsKept => "postings_kept",
    /// Uniqueness is checked in the snapshot but not in the read set.
    UniqueUntracked => "unique_untracked",
}

#[cfg(feature = "simulation")]
std::thread_local! {
    static PLANTED: core::cell::Cell<Option<Bug>> = const { core::cell::Cell::new(None) };
}

/// Whether this bug is switched on, on this thread.
#[cfg(feature = "simulation")]
#[must_use]
pub fn planted(bug: Bug) -> bool {
    PLANTED.with(|planted| planted.get() == Some(bug))
}

/// Always `false`: only test builds can plant bugs.
#[cfg(not(feature = "simulation"))]
#[must_use]
pub const fn planted(_bug: Bug) -> bool {
    false
}

/// Switches one bug on (or all off) for this thread.
#[cfg(feature = "simulation")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.with(|planted| planted.set(bug));
}
