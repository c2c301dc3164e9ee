//! Facts about connections: what they see of each other, and what closing does.
//!
//! Not about how a storage connects.

use super::*;

pub async fn other_connection_sees_what_was_answered(fixture: &impl Fixture) {
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

pub async fn contents_are_there_after_close_and_reopen(fixture: &impl Fixture) {
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

pub async fn closed_connection_refuses_every_call(fixture: &impl Fixture) {
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

pub async fn close_waits_for_the_calls_under_way(fixture: &impl Fixture) {
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
