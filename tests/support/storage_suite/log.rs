//! Facts about the log and the registers.
//!
//! Not about the stores of named values.

use super::*;

pub async fn new_database_is_empty(fixture: &impl Fixture) {
    let storage = fixture.connect("new").await;
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail::default());
    assert_eq!(storage.read_log(Some(CommitSeq::new(7)), true).await.unwrap(), Tail::default());
    for store in Store::ALL {
        assert_eq!(storage.get(store, &[b"a".to_vec()]).await.unwrap(), [None]);
    }
    storage.close().await;
}

pub async fn append_sets_the_head_and_adds_the_record(fixture: &impl Fixture) {
    let storage = fixture.connect("append").await;
    for (seq, durability) in [(1, Durability::Relaxed), (2, Durability::Strict)] {
        let append = Append { durability, ..chained(seq) };
        assert_eq!(storage.append(append).await.unwrap(), Applied::Done);
        assert_eq!(storage.read_log(None, true).await.unwrap(), chain(1, seq));
    }
    storage.close().await;
}

pub async fn append_with_another_head_changes_nothing(fixture: &impl Fixture) {
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

pub async fn append_that_expects_no_head_is_refused_when_there_is_one(fixture: &impl Fixture) {
    let storage = fixture.connect("append_first").await;
    let other = Append { expected_head: Some(head(0)), ..chained(1) };
    assert_eq!(storage.append(other).await.unwrap(), Applied::Refused);
    assert_eq!(storage.append(chained(1)).await.unwrap(), Applied::Done);
    assert_eq!(storage.append(chained(1)).await.unwrap(), Applied::Refused);
    assert_eq!(storage.read_log(None, true).await.unwrap(), chain(1, 1));
    storage.close().await;
}

pub async fn empty_head_is_not_a_missing_head(fixture: &impl Fixture) {
    let storage = fixture.connect("empty_head").await;
    let empty = Append { head: Vec::new(), ..chained(1) };
    assert_eq!(storage.append(empty).await.unwrap(), Applied::Done);
    assert_eq!(storage.read_log(None, false).await.unwrap().head, Some(Vec::new()));
    assert_eq!(storage.append(Append { expected_head: None, ..chained(2) }).await.unwrap(), Applied::Refused);
    assert_eq!(storage.append(Append { expected_head: Some(Vec::new()), ..chained(2) }).await.unwrap(), Applied::Done);
    storage.close().await;
}

pub async fn one_of_concurrent_appends_wins(fixture: &impl Fixture) {
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

pub async fn chains_of_two_writers_interleave_without_loss(fixture: &impl Fixture) {
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

pub async fn read_log_sees_head_and_records_of_one_state(fixture: &impl Fixture) {
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

pub async fn log_is_read_in_order_after_the_given_commit(fixture: &impl Fixture) {
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

pub async fn log_keeps_records_at_the_largest_numbers(fixture: &impl Fixture) {
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

pub async fn manifest_is_read_only_where_asked_for(fixture: &impl Fixture) {
    let storage = fixture.connect("manifest").await;
    append_chain(&storage, 1, 1).await;
    apply(&storage, Batch { manifest: Some(b"m".to_vec()), ..Batch::default() }).await;
    assert_eq!(storage.read_log(None, false).await.unwrap(), chain(1, 1));
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail { manifest: Some(b"m".to_vec()), ..chain(1, 1) });
    storage.close().await;
}

pub async fn registers_do_not_touch_each_other(fixture: &impl Fixture) {
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

pub async fn records_come_back_whole_at_every_size(fixture: &impl Fixture) {
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

pub async fn trim_deletes_up_to_and_including(fixture: &impl Fixture) {
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

pub async fn trim_takes_every_piece_of_a_large_record_and_no_other(fixture: &impl Fixture) {
    let storage = fixture.connect("trim_pieces").await;
    let record = |seq| LogRecord { seq: CommitSeq::new(seq), bytes: pattern(200 * 1024, seq) };
    for seq in 1..=4 {
        assert_eq!(storage.append(Append { record: record(seq), ..chained(seq) }).await.unwrap(), Applied::Done);
    }
    apply(&storage, Batch { trim: Some(CommitSeq::new(2)), ..Batch::default() }).await;
    assert_same_records(&storage.read_log(None, false).await.unwrap().records, &[record(3), record(4)]);
    storage.close().await;
}
