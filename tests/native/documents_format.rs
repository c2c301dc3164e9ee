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
        let mut scan = database.engine().snapshot().unwrap().scan(KeyRange::all(), Direction::Ascending);
        let mut lines = Vec::new();
        while let Some((key, value)) = scan.next().await.unwrap() {
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            lines.push(format!("{} = {}", hex(&key), hex(&value)));
        }
        lines
    });
    let expected = [
        // The collection: its name, its key fields, one index made.
        "010100000001 = 016302016b016e01",
        // The index: its name, its fields, unique, not sparse, ready, multi at the first field.
        "01020000000100000001 = 03745f66020174016601000101",
        // Shapes: lengths and names.
        "01030000000100000001 = 01006201006401007a",
        "01030000000100000002 = 01006b01006e01007401006601006f",
        "01030000000100000003 = 01006b01006e010074010066",
        // Documents: inserted, then shape and width, values, offsets.
        "10000000011800108000000000000000 = 000c0604000000800801020501000000000020010609",
        "100000000118610010c014000000000000 = 0008066105050908030104000020c002049a9999999999b93f0a040207e80300010402040e17",
        // Entries: of an array one for each element; of a bigint beyond 2^53 what it is above the double.
        "200000000100000001103ffbffffffffffff10bfb999999999999a18610010c014000000000000 = ",
        "20000000010000000110bff000000000000010bfb999999999999a18610010c014000000000000 = ",
        "2000000001000000013000000002010210c34000000000000000011800108000000000000000 = ",
    ];
    assert_eq!(stored, expected, "{stored:#?}");
}
