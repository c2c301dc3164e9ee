//! Facts about batches and the stores of named values.
//!
//! Not about the log, but where a batch trims it.

use super::*;

pub async fn apply_with_another_manifest_changes_nothing(fixture: &impl Fixture) {
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

pub async fn apply_without_a_guard_always_applies(fixture: &impl Fixture) {
    let storage = fixture.connect("no_guard").await;
    for manifest in [b"m1", b"m2"] {
        apply(&storage, Batch { manifest: Some(manifest.to_vec()), ..Batch::default() }).await;
        put(&storage, Store::Backup, &[(b"a", manifest)]).await;
        assert_eq!(storage.read_log(None, true).await.unwrap().manifest, Some(manifest.to_vec()));
    }
    storage.close().await;
}

pub async fn empty_batch_is_applied(fixture: &impl Fixture) {
    let storage = fixture.connect("empty_batch").await;
    apply(&storage, Batch::default()).await;
    apply(&storage, Batch { expected_manifest: Some(None), ..Batch::default() }).await;
    let wrong = Batch { expected_manifest: Some(Some(b"m".to_vec())), ..Batch::default() };
    assert_eq!(storage.apply(wrong).await.unwrap(), Applied::Refused);
    assert_eq!(storage.read_log(None, true).await.unwrap(), Tail::default());
    storage.close().await;
}

pub async fn one_of_concurrent_applies_wins(fixture: &impl Fixture) {
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

pub async fn batch_deletes_before_it_puts(fixture: &impl Fixture) {
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

pub async fn get_never_sees_half_of_a_batch(fixture: &impl Fixture) {
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

pub async fn ranges_include_their_start_and_exclude_their_end(fixture: &impl Fixture) {
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

pub async fn names_are_any_bytes_in_order(fixture: &impl Fixture) {
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

pub async fn values_come_back_whole_at_every_size(fixture: &impl Fixture) {
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

pub async fn overwriting_leaves_nothing_of_the_old_value(fixture: &impl Fixture) {
    let storage = fixture.connect("overwrite").await;
    for size in [10, 200 * 1024, 0, 70 * 1024, 1] {
        apply(&storage, Batch { puts: vec![(Store::Main, b"a".to_vec(), pattern(size, 3))], ..Batch::default() }).await;
        let value = storage.get(Store::Main, &[b"a".to_vec()]).await.unwrap();
        assert!(value == [Some(pattern(size, 3))], "the value of {size} bytes came back otherwise");
    }
    storage.close().await;
}

pub async fn get_answers_in_the_order_of_the_names(fixture: &impl Fixture) {
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

pub async fn stores_are_independent(fixture: &impl Fixture) {
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
