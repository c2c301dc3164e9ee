//! The contract of `Storage`, as facts that every implementation must keep.
//!
//! Not a test by itself, and not aware of any storage: native tests and browser tests run these very functions.
//!
//! Invariants: each fact uses a database of its own name; a fact that does not hold panics and says what it saw.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use hyphadb::storage::{Append, Applied, Batch, CommitSeq, Durability, Failure, LogRecord, NameRange, Storage};
use hyphadb::storage::{Store, Tail};

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

async fn new_database_is_empty(fixture: &impl Fixture) {
    let storage = fixture.connect("new").await;
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail::default());
    assert_eq!(storage.read_log(Some(CommitSeq::new(7)), true).await.unwrap(), Tail::default());
    for store in Store::ALL {
        assert_eq!(storage.get(store, &[b"a".to_vec()]).await.unwrap(), [None]);
    }
    storage.close().await;
}

async fn append_sets_the_head_and_adds_the_record(fixture: &impl Fixture) {
    let storage = fixture.connect("append").await;
    for (seq, durability) in [(1, Durability::Relaxed), (2, Durability::Strict)] {
        let append = Append { durability, ..chained(seq) };
        assert_eq!(storage.append(append).await.unwrap(), Applied::Done);
        assert_eq!(storage.read_log(None, true).await.unwrap(), chain(1, seq));
    }
    storage.close().await;
}

async fn append_with_another_head_changes_nothing(fixture: &impl Fixture) {
    let storage = fixture.connect("append_refused").await;
    append_chain(&storage, 1, 3).await;
    let wrong = [None, Some(head(2)), Some(Vec::new()), Some([head(3), vec![0]].concat())];
    for expected_head in wrong {
        let append = Append { expected_head, ..chained(4) };
        assert_eq!(storage.append(append).await.unwrap(), Applied::Refused);
        assert_eq!(storage.read_log(None, true).await.unwrap(), chain(1, 3));
    }
    append_chain(&storage, 4, 4).await;
    storage.close().await;
}

async fn append_that_expects_no_head_is_refused_when_there_is_one(fixture: &impl Fixture) {
    let storage = fixture.connect("append_first").await;
    let other = Append { expected_head: Some(head(0)), ..chained(1) };
    assert_eq!(storage.append(other).await.unwrap(), Applied::Refused);
    assert_eq!(storage.append(chained(1)).await.unwrap(), Applied::Done);
    assert_eq!(storage.append(chained(1)).await.unwrap(), Applied::Refused);
    assert_eq!(storage.read_log(None, true).await.unwrap(), chain(1, 1));
    storage.close().await;
}

async fn empty_head_is_not_a_missing_head(fixture: &impl Fixture) {
    let storage = fixture.connect("empty_head").await;
    let empty = Append { head: Vec::new(), ..chained(1) };
    assert_eq!(storage.append(empty).await.unwrap(), Applied::Done);
    assert_eq!(storage.read_log(None, false).await.unwrap().head, Some(Vec::new()));
    assert_eq!(storage.append(Append { expected_head: None, ..chained(2) }).await.unwrap(), Applied::Refused);
    assert_eq!(storage.append(Append { expected_head: Some(Vec::new()), ..chained(2) }).await.unwrap(), Applied::Done);
    storage.close().await;
}

async fn one_of_concurrent_appends_wins(fixture: &impl Fixture) {
    let tabs = [fixture.connect("race").await, fixture.connect("race").await, fixture.connect("race").await];
    for seq in 1..=10 {
        let racers = tabs.iter().chain(&tabs).enumerate().map(|(racer, tab)| {
            let record = LogRecord { seq: CommitSeq::new(seq), bytes: vec![racer as u8] };
            async move { tab.append(Append { record, ..chained(seq) }).await.unwrap() }
        });
        let answers = join(racers).await;
        let winners: Vec<_> = (0..answers.len()).filter(|&racer| answers[racer] == Applied::Done).collect();
        assert_eq!(winners.len(), 1, "answers to append {seq}: {answers:?}");
        let tail = tabs[0].read_log(Some(CommitSeq::new(seq - 1)), false).await.unwrap();
        assert_eq!(tail.records, [LogRecord { seq: CommitSeq::new(seq), bytes: vec![winners[0] as u8] }]);
    }
    join(tabs.iter().map(Storage::close)).await;
}

async fn chains_of_two_writers_interleave_without_loss(fixture: &impl Fixture) {
    let tabs = [fixture.connect("writers").await, fixture.connect("writers").await];
    let wins = join(tabs.iter().map(|tab| async move {
        let (mut seq, mut wins) = (1, 0);
        while seq <= 30 {
            match tab.append(chained(seq)).await.unwrap() {
                Applied::Done => wins += 1,
                Applied::Refused => {}
            }
            seq = 1 + tab.read_log(None, false).await.unwrap().records.len() as u64;
        }
        wins
    }))
    .await;
    let tail = tabs[0].read_log(None, false).await.unwrap();
    assert_eq!(tail, chain(1, tail.records.len() as u64));
    assert_eq!(wins.iter().sum::<usize>(), tail.records.len());
    join(tabs.iter().map(Storage::close)).await;
}

async fn read_log_sees_head_and_records_of_one_state(fixture: &impl Fixture) {
    let (writer, reader) = (fixture.connect("one_state").await, fixture.connect("one_state").await);
    let writing: Work<'_, ()> = Box::pin(async { append_chain(&writer, 1, 30).await });
    let reading: Work<'_, ()> = Box::pin(async {
        loop {
            let tail = reader.read_log(None, false).await.unwrap();
            let seq = tail.records.len() as u64;
            assert_eq!(tail, chain(1, seq), "head and records are of two states");
            if seq == 30 {
                break;
            }
        }
    });
    join_boxed(vec![writing, reading]).await;
    writer.close().await;
    reader.close().await;
}

async fn log_is_read_in_order_after_the_given_commit(fixture: &impl Fixture) {
    let storage = fixture.connect("order").await;
    // Around the places where numbers change their length, in any of the usual encodings.
    let seqs: Vec<u64> =
        [1..=12, 99..=101, 126..=129, 254..=257, 9_999..=10_001, 65_534..=65_537].into_iter().flatten().collect();
    let mut expected_head = None;
    for &seq in &seqs {
        let append = Append { expected_head, ..chained(seq) };
        expected_head = Some(append.head.clone());
        assert_eq!(storage.append(append).await.unwrap(), Applied::Done);
    }
    let after = |after: u64| seqs.iter().copied().filter(move |&seq| seq > after).collect::<Vec<_>>();
    let read = async |after| {
        let tail = storage.read_log(after, false).await.unwrap();
        assert!(tail.records.iter().all(|record| record.bytes == bytes(record.seq.get())));
        tail.records.iter().map(|record| record.seq.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(None).await, seqs);
    for from in [0, 1, 9, 10, 13, 99, 127, 128, 255, 256, 5_000, 65_535, 65_536, 65_537, 1 << 39] {
        assert_eq!(read(Some(CommitSeq::new(from))).await, after(from), "records after {from}");
    }
    storage.close().await;
}

async fn log_keeps_records_at_the_largest_numbers(fixture: &impl Fixture) {
    let storage = fixture.connect("largest").await;
    let last = CommitSeq::MAX.get();
    let mut expected_head = None;
    for seq in [last - 1, last] {
        let record = LogRecord { seq: CommitSeq::new(seq), bytes: pattern(150 * 1024, seq) };
        assert_eq!(storage.append(Append { expected_head, record, ..chained(seq) }).await.unwrap(), Applied::Done);
        expected_head = Some(head(seq));
    }
    let tail = storage.read_log(Some(CommitSeq::new(last - 1)), false).await.unwrap();
    assert_eq!(tail.records, [LogRecord { seq: CommitSeq::MAX, bytes: pattern(150 * 1024, last) }]);
    assert_eq!(storage.read_log(None, false).await.unwrap().records.len(), 2);
    storage.close().await;
}

async fn manifest_is_read_only_where_asked_for(fixture: &impl Fixture) {
    let storage = fixture.connect("manifest").await;
    append_chain(&storage, 1, 1).await;
    apply(&storage, Batch { manifest: Some(b"m".to_vec()), ..Batch::default() }).await;
    assert_eq!(storage.read_log(None, false).await.unwrap(), chain(1, 1));
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail { manifest: Some(b"m".to_vec()), ..chain(1, 1) });
    storage.close().await;
}

async fn registers_do_not_touch_each_other(fixture: &impl Fixture) {
    let storage = fixture.connect("registers").await;
    let expected_manifest = Some(None);
    apply(&storage, Batch { expected_manifest, manifest: Some(b"m1".to_vec()), ..Batch::default() }).await;
    assert_eq!(storage.read_log(None, true).await.unwrap().head, None);
    append_chain(&storage, 1, 2).await;
    let expected_manifest = Some(Some(b"m1".to_vec()));
    apply(&storage, Batch { expected_manifest, manifest: Some(b"m2".to_vec()), ..Batch::default() }).await;
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail { manifest: Some(b"m2".to_vec()), ..chain(1, 2) });
    storage.close().await;
}

async fn records_come_back_whole_at_every_size(fixture: &impl Fixture) {
    let storage = fixture.connect("record_sizes").await;
    let mut records = Vec::new();
    for (seq, size) in (1..).zip(SIZES_BYTES) {
        let record = LogRecord { seq: CommitSeq::new(seq), bytes: pattern(size, seq) };
        assert_eq!(storage.append(Append { record: record.clone(), ..chained(seq) }).await.unwrap(), Applied::Done);
        records.push(record);
    }
    let tail = storage.read_log(None, false).await.unwrap();
    assert_same_records(&tail.records, &records);
    let tail = storage.read_log(Some(CommitSeq::new(5)), false).await.unwrap();
    assert_same_records(&tail.records, &records[5..]);
    storage.close().await;
}

async fn trim_deletes_up_to_and_including(fixture: &impl Fixture) {
    let storage = fixture.connect("trim").await;
    apply(&storage, Batch { trim: Some(CommitSeq::new(9)), ..Batch::default() }).await;
    append_chain(&storage, 1, 12).await;
    for upto in [4, 4, 2, 9] {
        apply(&storage, Batch { trim: Some(CommitSeq::new(upto)), ..Batch::default() }).await;
        assert_eq!(storage.read_log(None, false).await.unwrap(), chain(upto.max(4) + 1, 12), "trimmed to {upto}");
    }
    apply(&storage, Batch { trim: Some(CommitSeq::new(100)), ..Batch::default() }).await;
    let tail = storage.read_log(None, false).await.unwrap();
    assert_eq!(tail, Tail { head: Some(head(12)), ..Tail::default() });
    append_chain(&storage, 13, 13).await;
    storage.close().await;
}

async fn trim_takes_every_piece_of_a_large_record_and_no_other(fixture: &impl Fixture) {
    let storage = fixture.connect("trim_pieces").await;
    let record = |seq| LogRecord { seq: CommitSeq::new(seq), bytes: pattern(200 * 1024, seq) };
    for seq in 1..=4 {
        assert_eq!(storage.append(Append { record: record(seq), ..chained(seq) }).await.unwrap(), Applied::Done);
    }
    apply(&storage, Batch { trim: Some(CommitSeq::new(2)), ..Batch::default() }).await;
    assert_same_records(&storage.read_log(None, false).await.unwrap().records, &[record(3), record(4)]);
    storage.close().await;
}

async fn apply_with_another_manifest_changes_nothing(fixture: &impl Fixture) {
    let storage = fixture.connect("apply_refused").await;
    append_chain(&storage, 1, 3).await;
    put(&storage, Store::Main, &[(b"a", b"1"), (b"b", b"2")]).await;
    apply(&storage, Batch { manifest: Some(b"m".to_vec()), ..Batch::default() }).await;
    for expected in [None, Some(b"n".to_vec()), Some(Vec::new()), Some(b"m\0".to_vec())] {
        let batch = Batch {
            expected_manifest: Some(expected),
            manifest: Some(b"other".to_vec()),
            deletes: vec![(Store::Main, NameRange::all())],
            puts: vec![(Store::Main, b"c".to_vec(), b"3".to_vec()), (Store::Cache, b"c".to_vec(), b"3".to_vec())],
            trim: Some(CommitSeq::new(2)),
            durability: Durability::Relaxed,
        };
        assert_eq!(storage.apply(batch).await.unwrap(), Applied::Refused);
        let tail = storage.read_log(None, true).await.unwrap();
        assert_eq!(tail, Tail { manifest: Some(b"m".to_vec()), ..chain(1, 3) });
        assert_eq!(get(&storage, Store::Main, &["a", "b", "c"]).await, [some("1"), some("2"), None]);
        assert_eq!(get(&storage, Store::Cache, &["c"]).await, [None]);
    }
    storage.close().await;
}

async fn apply_without_a_guard_always_applies(fixture: &impl Fixture) {
    let storage = fixture.connect("no_guard").await;
    for manifest in [b"m1", b"m2"] {
        apply(&storage, Batch { manifest: Some(manifest.to_vec()), ..Batch::default() }).await;
        put(&storage, Store::Backup, &[(b"a", manifest)]).await;
        assert_eq!(storage.read_log(None, true).await.unwrap().manifest, Some(manifest.to_vec()));
    }
    storage.close().await;
}

async fn empty_batch_is_applied(fixture: &impl Fixture) {
    let storage = fixture.connect("empty_batch").await;
    apply(&storage, Batch::default()).await;
    apply(&storage, Batch { expected_manifest: Some(None), ..Batch::default() }).await;
    let wrong = Batch { expected_manifest: Some(Some(b"m".to_vec())), ..Batch::default() };
    assert_eq!(storage.apply(wrong).await.unwrap(), Applied::Refused);
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail::default());
    storage.close().await;
}

async fn one_of_concurrent_applies_wins(fixture: &impl Fixture) {
    let tabs = [fixture.connect("apply_race").await, fixture.connect("apply_race").await];
    let mut present = None;
    for round in 0..10_u8 {
        let racers = tabs.iter().chain(&tabs).enumerate().map(|(racer, tab)| {
            let batch = Batch {
                expected_manifest: Some(present.clone()),
                manifest: Some(vec![round, racer as u8]),
                puts: vec![(Store::Main, b"winner".to_vec(), vec![round, racer as u8])],
                ..Batch::default()
            };
            async move { tab.apply(batch).await.unwrap() }
        });
        let answers = join(racers).await;
        let winners: Vec<_> = (0..answers.len()).filter(|&racer| answers[racer] == Applied::Done).collect();
        assert_eq!(winners.len(), 1, "answers in round {round}: {answers:?}");
        present = Some(vec![round, winners[0] as u8]);
        assert_eq!(tabs[1].read_log(None, true).await.unwrap().manifest, present);
        assert_eq!(get(&tabs[0], Store::Main, &["winner"]).await, std::slice::from_ref(&present));
    }
    join(tabs.iter().map(Storage::close)).await;
}

async fn batch_deletes_before_it_puts(fixture: &impl Fixture) {
    let storage = fixture.connect("deletes_first").await;
    put(&storage, Store::Main, &[(b"a", b"1"), (b"b", b"1")]).await;
    let batch = Batch {
        deletes: vec![(Store::Main, NameRange::all())],
        puts: vec![(Store::Main, b"b".to_vec(), b"2".to_vec()), (Store::Main, b"b".to_vec(), b"3".to_vec())],
        ..Batch::default()
    };
    apply(&storage, batch).await;
    assert_eq!(get(&storage, Store::Main, &["a", "b"]).await, [None, some("3")]);
    storage.close().await;
}

async fn get_never_sees_half_of_a_batch(fixture: &impl Fixture) {
    let (writer, reader) = (fixture.connect("halves").await, fixture.connect("halves").await);
    let names: Vec<Vec<u8>> = (0..20_u8).map(|name| vec![name]).collect();
    let names = &names;
    let writing: Work<'_, ()> = Box::pin(async {
        for round in 1..=20_u8 {
            let puts = names.iter().map(|name| (Store::Main, name.clone(), vec![round])).collect();
            apply(&writer, Batch { puts, ..Batch::default() }).await;
        }
    });
    let reading: Work<'_, ()> = Box::pin(async {
        loop {
            let values = reader.get(Store::Main, names).await.unwrap();
            assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "values of two batches: {values:?}");
            if values[0] == Some(vec![20]) {
                break;
            }
        }
    });
    join_boxed(vec![writing, reading]).await;
    writer.close().await;
    reader.close().await;
}

async fn ranges_include_their_start_and_exclude_their_end(fixture: &impl Fixture) {
    let storage = fixture.connect("ranges").await;
    let all = ["a", "aa", "ab", "b", "ba", "c"];
    let range = |start: &str, end: Option<&str>| NameRange {
        start: start.as_bytes().to_vec(),
        end: end.map(|end| end.as_bytes().to_vec()),
    };
    let cases = [
        (range("aa", Some("b")), vec!["a", "b", "ba", "c"]),
        (range("a", Some("a")), all.to_vec()),
        (range("c", Some("a")), all.to_vec()),
        (range("", Some("")), all.to_vec()),
        (range("b", None), vec!["a", "aa", "ab"]),
        (range("x", None), all.to_vec()),
        (range("", Some("aa")), vec!["aa", "ab", "b", "ba", "c"]),
        (NameRange::one(b"a"), vec!["aa", "ab", "b", "ba", "c"]),
        (NameRange::one(b"nothing"), all.to_vec()),
        (NameRange::all(), vec![]),
    ];
    for (range, left) in cases {
        for name in all {
            put(&storage, Store::Main, &[(name.as_bytes(), b"1")]).await;
        }
        apply(&storage, Batch { deletes: vec![(Store::Main, range.clone())], ..Batch::default() }).await;
        let expected = all.map(|name| left.contains(&name).then(|| b"1".to_vec()));
        assert_eq!(get(&storage, Store::Main, &all).await, expected, "deleted {range:?}");
    }
    // Several ranges in one batch, in several stores.
    put(&storage, Store::Main, &[(b"a", b"1"), (b"b", b"1"), (b"c", b"1")]).await;
    put(&storage, Store::Backup, &[(b"a", b"1"), (b"b", b"1")]).await;
    let deletes = vec![
        (Store::Main, NameRange::one(b"a")),
        (Store::Backup, NameRange::one(b"b")),
        (Store::Main, NameRange::one(b"c")),
    ];
    apply(&storage, Batch { deletes, ..Batch::default() }).await;
    assert_eq!(get(&storage, Store::Main, &["a", "b", "c"]).await, [None, some("1"), None]);
    assert_eq!(get(&storage, Store::Backup, &["a", "b"]).await, [some("1"), None]);
    storage.close().await;
}

async fn names_are_any_bytes_in_order(fixture: &impl Fixture) {
    let storage = fixture.connect("names").await;
    let mut names: Vec<Vec<u8>> =
        vec![vec![], vec![0], vec![0, 0], vec![0, 1], vec![0xff], vec![0xff, 0], vec![0xff, 0xff]];
    names.extend((1..=254).map(|byte| vec![byte]));
    names.push(pattern(300, 1));
    names.sort();
    let value = |name: &[u8]| [b"value of ", name].concat();
    let puts = names.iter().map(|name| (Store::Cache, name.clone(), value(name))).collect();
    apply(&storage, Batch { puts, ..Batch::default() }).await;
    let values = storage.get(Store::Cache, &names).await.unwrap();
    assert!(names.iter().zip(&values).all(|(name, found)| *found == Some(value(name))));
    // The order of names is the order of bytes, unsigned, a prefix first: ranges show it.
    for cut in [1, 2, 3, 100, 200, names.len() - 1] {
        let puts = names.iter().map(|name| (Store::Cache, name.clone(), value(name))).collect();
        let range = NameRange { start: names[cut].clone(), end: None };
        apply(&storage, Batch { puts, ..Batch::default() }).await;
        apply(&storage, Batch { deletes: vec![(Store::Cache, range)], ..Batch::default() }).await;
        let values = storage.get(Store::Cache, &names).await.unwrap();
        assert!(values.iter().enumerate().all(|(at, found)| found.is_some() == (at < cut)), "cut at {cut}");
    }
    storage.close().await;
}

async fn values_come_back_whole_at_every_size(fixture: &impl Fixture) {
    let storage = fixture.connect("value_sizes").await;
    let name = |size: usize| size.to_string().into_bytes();
    let puts = SIZES_BYTES.iter().map(|&size| (Store::Main, name(size), pattern(size, 7))).collect();
    apply(&storage, Batch { puts, ..Batch::default() }).await;
    let names: Vec<_> = SIZES_BYTES.iter().map(|&size| name(size)).collect();
    let values = storage.get(Store::Main, &names).await.unwrap();
    for (value, size) in values.iter().zip(SIZES_BYTES) {
        assert!(*value == Some(pattern(size, 7)), "the value of {size} bytes came back otherwise");
    }
    storage.close().await;
}

async fn overwriting_leaves_nothing_of_the_old_value(fixture: &impl Fixture) {
    let storage = fixture.connect("overwrite").await;
    for size in [10, 200 * 1024, 0, 70 * 1024, 1] {
        apply(&storage, Batch { puts: vec![(Store::Main, b"a".to_vec(), pattern(size, 3))], ..Batch::default() }).await;
        let value = storage.get(Store::Main, &[b"a".to_vec()]).await.unwrap();
        assert!(value == [Some(pattern(size, 3))], "the value of {size} bytes came back otherwise");
    }
    storage.close().await;
}

async fn get_answers_in_the_order_of_the_names(fixture: &impl Fixture) {
    let storage = fixture.connect("get_order").await;
    let name = |n: u32| (n.wrapping_mul(2_654_435_761)).to_be_bytes().to_vec();
    let puts = (0..1000).filter(|n| n % 3 != 0).map(|n| (Store::Main, name(n), n.to_le_bytes().to_vec())).collect();
    apply(&storage, Batch { puts, ..Batch::default() }).await;
    let names: Vec<_> = (0..1000).rev().map(name).collect();
    let values = storage.get(Store::Main, &names).await.unwrap();
    let expected: Vec<_> = (0..1000_u32).rev().map(|n| (n % 3 != 0).then(|| n.to_le_bytes().to_vec())).collect();
    assert_eq!(values, expected);
    assert_eq!(storage.get(Store::Main, &[]).await.unwrap(), Vec::<Option<Vec<u8>>>::new());
    let twice = [name(1), name(0), name(1)];
    let one = Some(1_u32.to_le_bytes().to_vec());
    assert_eq!(storage.get(Store::Main, &twice).await.unwrap(), [one.clone(), None, one]);
    storage.close().await;
}

async fn stores_are_independent(fixture: &impl Fixture) {
    let storage = fixture.connect("stores").await;
    put(&storage, Store::Main, &[(b"a", b"main")]).await;
    put(&storage, Store::Backup, &[(b"a", b"backup")]).await;
    assert_eq!(get(&storage, Store::Cache, &["a"]).await, [None]);
    put(&storage, Store::Cache, &[(b"a", b"cache")]).await;
    apply(&storage, Batch { deletes: vec![(Store::Backup, NameRange::all())], ..Batch::default() }).await;
    assert_eq!(get(&storage, Store::Main, &["a"]).await, [some("main")]);
    assert_eq!(get(&storage, Store::Backup, &["a"]).await, [None]);
    assert_eq!(get(&storage, Store::Cache, &["a"]).await, [some("cache")]);
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail::default());
    storage.close().await;
}

async fn other_connection_sees_what_was_answered(fixture: &impl Fixture) {
    let tabs = [fixture.connect("other").await, fixture.connect("other").await];
    for seq in 1..=10 {
        let (writer, reader) = (&tabs[seq as usize % 2], &tabs[(seq as usize + 1) % 2]);
        append_chain(writer, seq, seq).await;
        assert_eq!(reader.read_log(None, false).await.unwrap(), chain(1, seq));
        put(writer, Store::Main, &[(b"a", &seq.to_le_bytes())]).await;
        assert_eq!(get(reader, Store::Main, &["a"]).await, [Some(seq.to_le_bytes().to_vec())]);
    }
    join(tabs.iter().map(Storage::close)).await;
}

async fn contents_are_there_after_close_and_reopen(fixture: &impl Fixture) {
    let storage = fixture.connect("reopen").await;
    append_chain(&storage, 1, 5).await;
    let batch = Batch {
        expected_manifest: Some(None),
        manifest: Some(b"m".to_vec()),
        puts: vec![(Store::Main, b"a".to_vec(), pattern(100_000, 1)), (Store::Backup, b"b".to_vec(), Vec::new())],
        trim: Some(CommitSeq::new(2)),
        durability: Durability::Strict,
        ..Batch::default()
    };
    apply(&storage, batch).await;
    storage.close().await;
    let storage = fixture.connect("reopen").await;
    let tail = storage.read_log(None, true).await.unwrap();
    assert_eq!(tail, Tail { manifest: Some(b"m".to_vec()), ..chain(3, 5) });
    assert!(get(&storage, Store::Main, &["a", "b"]).await == [Some(pattern(100_000, 1)), None]);
    assert_eq!(get(&storage, Store::Backup, &["b"]).await, [Some(Vec::new())]);
    storage.close().await;
}

async fn closed_connection_refuses_every_call(fixture: &impl Fixture) {
    let (storage, other) = (fixture.connect("closed").await, fixture.connect("closed").await);
    append_chain(&storage, 1, 1).await;
    storage.close().await;
    storage.close().await;
    let failures = [
        storage.read_log(None, true).await.map(|_| ()).unwrap_err(),
        storage.append(chained(2)).await.map(|_| ()).unwrap_err(),
        storage.get(Store::Main, &[b"a".to_vec()]).await.map(|_| ()).unwrap_err(),
        storage.apply(Batch::default()).await.map(|_| ()).unwrap_err(),
    ];
    assert!(failures.iter().all(|error| error.failure == Failure::Closed), "{failures:?}");
    append_chain(&other, 2, 2).await;
    assert_eq!(other.read_log(None, true).await.unwrap(), chain(1, 2));
    other.close().await;
}

async fn close_waits_for_the_calls_under_way(fixture: &impl Fixture) {
    let storage = fixture.connect("close_waits").await;
    let writing: Work<'_, bool> = Box::pin(async { storage.append(chained(1)).await == Ok(Applied::Done) });
    let closing: Work<'_, bool> = Box::pin(async {
        storage.close().await;
        true
    });
    let answers = join_boxed(vec![writing, closing]).await;
    let again = fixture.connect("close_waits").await;
    let there = again.read_log(None, false).await.unwrap() == chain(1, 1);
    assert_eq!(answers[0], there, "the answer does not tell what is there");
    assert!(there, "an append that was under way was lost by closing");
    again.close().await;
}

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
