//! The bytes of documents as stored: rows, keys, index entries and the catalog, as they were first written.
//!
//! When one of these fails, databases of users would no longer be read: the format needs a new version, see
//! `engine/format.rs`.

use crate::documents_fixture::{Ask, Fixture};
use hyphadb::engine::{Direction, KeyRange};

/// Every entry of the key space, as `key = value` in hexadecimal.
#[test]
fn stored_bytes_are_those_of_format_1() {
    let fixture = Fixture::new(1);
    let stored = fixture.run(async {
        let database = fixture.open("tab", "[['c', {key: ['k', 'n'], indexes: [{fields: ['t', 'f'], unique: true}]}]]").await;
        let put = "{op: 'put', collection: 'c', docs: [{k: 'a', n: 5n, t: [1, -2.5], f: 0.1, o: {b: true, d: Date(1000), z: null}}]}";
        assert!(database.ask(put).await.starts_with("{keys"));
        database.ask("{op: 'put', collection: 'c', docs: [{k: '', n: -0, t: Bytes(1 2), f: 9007199254740993n}]}").await;
        let mut scan = database.engine().snapshot().unwrap().scan(KeyRange::all(), Direction::Forward);
        let mut lines = Vec::new();
        while let Some((key, value)) = scan.next().await.unwrap() {
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            lines.push(format!("{} = {}", hex(&key), hex(&value)));
        }
        lines
    });
    let expected: &[&str] = &[];
    assert_eq!(stored, expected, "{stored:#?}");
}
