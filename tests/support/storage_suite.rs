//! The contract of `Storage`, as facts that every implementation must keep.
//!
//! Not a test by itself, and not aware of any storage: native tests and browser tests run these very functions.
//!
//! Invariants: each fact uses a database of its own name; a fact that does not hold panics and says what it saw.

#[path = "storage_suite/batch.rs"]
mod batch;
#[path = "storage_suite/connection.rs"]
mod connection;
#[path = "storage_suite/log.rs"]
mod log;

use batch::*;
use connection::*;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use hyphadb::storage::{Append, Applied, Batch, CommitSeq, Durability, Failure, LogRecord, NameRange, Storage};
use hyphadb::storage::{Store, Tail};
use log::*;

/// The one door to the storage under test.
pub trait Fixture {
    /// What is tested.
    type Storage: Storage;

    /// A new connection to the database of this name, which is made when it is not there.
    async fn connect(&self, database: &str) -> Self::Storage;
}

macro_rules! facts {
    ($($name:ident)*) => {
        /// The names of all facts.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Checks one fact by its name.
        pub async fn run(fixture: &impl Fixture, name: &str) {
            match name {
                $(stringify!($name) => $name(fixture).await,)*
                _ => panic!("there is no fact `{name}`"),
            }
        }

        /// Checks all facts; tells the name of each before it starts.
        pub async fn all(fixture: &impl Fixture, mut report: impl FnMut(&str)) {
            for name in NAMES {
                report(name);
                run(fixture, name).await;
            }
        }
    };
}

facts! {
    new_database_is_empty
    append_sets_the_head_and_adds_the_record
    append_with_another_head_changes_nothing
    append_that_expects_no_head_is_refused_when_there_is_one
    empty_head_is_not_a_missing_head
    one_of_concurrent_appends_wins
    chains_of_two_writers_interleave_without_loss
    read_log_sees_head_and_records_of_one_state
    log_is_read_in_order_after_the_given_commit
    log_keeps_records_at_the_largest_numbers
    manifest_is_read_only_where_asked_for
    registers_do_not_touch_each_other
    records_come_back_whole_at_every_size
    trim_deletes_up_to_and_including
    trim_takes_every_piece_of_a_large_record_and_no_other
    apply_with_another_manifest_changes_nothing
    apply_without_a_guard_always_applies
    empty_batch_is_applied
    one_of_concurrent_applies_wins
    batch_deletes_before_it_puts
    get_never_sees_half_of_a_batch
    ranges_include_their_start_and_exclude_their_end
    names_are_any_bytes_in_order
    values_come_back_whole_at_every_size
    overwriting_leaves_nothing_of_the_old_value
    get_answers_in_the_order_of_the_names
    stores_are_independent
    other_connection_sees_what_was_answered
    contents_are_there_after_close_and_reopen
    closed_connection_refuses_every_call
    close_waits_for_the_calls_under_way
}

/// The sizes at which storages split values, and around them.
const SIZES_BYTES: [usize; 9] = [0, 1, 59 * 1024, 60 * 1024, 60 * 1024 + 1, 61 * 1024, 120 * 1024, 1 << 20, 5 << 20];

fn head(seq: u64) -> Vec<u8> {
    format!("head {seq}").into_bytes()
}

fn bytes(seq: u64) -> Vec<u8> {
    format!("record {seq}").into_bytes()
}

/// The append of one commit in a chain of heads.
fn chained(seq: u64) -> Append {
    Append {
        expected_head: (seq > 1).then(|| head(seq - 1)),
        head: head(seq),
        record: LogRecord { seq: CommitSeq::new(seq), bytes: bytes(seq) },
        durability: Durability::Relaxed,
    }
}

/// What is read when the chain reaches from `first` to `last`.
fn chain(first: u64, last: u64) -> Tail {
    let records = (first..=last).map(|seq| LogRecord { seq: CommitSeq::new(seq), bytes: bytes(seq) }).collect();
    Tail { head: (last > 0).then(|| head(last)), manifest: None, records }
}

async fn append_chain(storage: &impl Storage, first: u64, last: u64) {
    for seq in first..=last {
        assert_eq!(storage.append(chained(seq)).await.unwrap(), Applied::Done, "append {seq}");
    }
}

async fn apply(storage: &impl Storage, batch: Batch) {
    assert_eq!(storage.apply(batch).await.unwrap(), Applied::Done);
}

async fn put(storage: &impl Storage, store: Store, values: &[(&[u8], &[u8])]) {
    let puts = values.iter().map(|(name, value)| (store, name.to_vec(), value.to_vec())).collect();
    apply(storage, Batch { puts, ..Batch::default() }).await;
}

async fn get(storage: &impl Storage, store: Store, names: &[&str]) -> Vec<Option<Vec<u8>>> {
    let names: Vec<_> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
    storage.get(store, &names).await.unwrap()
}

fn some(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

/// Bytes that neither repeat soon nor compress.
fn pattern(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(|_| next()).collect()
}

/// Megabytes must not be printed.
fn assert_same_records(found: &[LogRecord], expected: &[LogRecord]) {
    let outline = |records: &[LogRecord]| records.iter().map(|r| (r.seq.get(), r.bytes.len())).collect::<Vec<_>>();
    assert_eq!(outline(found), outline(expected));
    assert!(found == expected, "records of the right lengths came back with other bytes");
}

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

async fn join<'a, T: Unpin + 'a>(work: impl Iterator<Item = impl Future<Output = T> + 'a>) -> Vec<T> {
    join_boxed(work.map(|work| Box::pin(work) as Work<'a, T>).collect()).await
}

/// Runs all of them together.
async fn join_boxed<T: Unpin>(mut work: Vec<Work<'_, T>>) -> Vec<T> {
    let mut values: Vec<Option<T>> = work.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (work, value) in work.iter_mut().zip(&mut values) {
            if value.is_none()
                && let Poll::Ready(done) = work.as_mut().poll(cx)
            {
                *value = Some(done);
            }
        }
        if values.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    values.into_iter().flatten().collect()
}
