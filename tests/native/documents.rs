//! Documents through requests, as the facade sends them: what each call answers, and what it refuses.

use crate::batch;
use crate::documents_fixture::{Ask, Fixture, describe};
use crate::notation::object;
use hyphadb::error::ErrorKind;
use hyphadb::value::{Object, Value};

pub(crate) const READINGS: &str = "[['readings', {key: 'id', indexes: ['site', ['site', 'ts'], 'tags', \
    {name: 'serial', fields: 'serial', unique: true, sparse: true}]}]]";

pub(crate) const DOCS: &str = "[{id: 1, site: 'a', ts: 30, tags: ['x', 'y']}, {id: 2, site: 'b', ts: 20, serial: 's2'}, \
    {id: 3, site: 'a', ts: 10, tags: 'x', serial: 's3'}, {id: 4, site: 'a', ts: 20, tags: []}]";

/// Asks one request after the other of a database with a few readings; compares each answer.
#[track_caller]
fn check(steps: &[(&str, &str)]) {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        for (request, expected) in steps {
            assert_eq!(database.ask(request).await, *expected, "{request}");
        }
    });
}

#[test]
fn documents_are_found_by_key_filter_and_order() {
    check(&[
        (
            "{op: 'get', collection: 'readings', keys: [3, 9, 2n]}",
            "{docs: [{id: 3, site: \"a\", ts: 10, tags: \"x\", serial: \"s3\"}, null, {id: 2, site: \"b\", ts: 20, serial: \"s2\"}]}",
        ),
        (
            "{op: 'find', collection: 'readings', filter: {site: 'a'}, sort: [['ts', 1]], project: [['ts', 1]]}",
            "{docs: [{id: 3, ts: 10}, {id: 4, ts: 20}, {id: 1, ts: 30}]}",
        ),
        (
            "{op: 'find', collection: 'readings', filter: {site: 'a'}, sort: [['ts', -1]], skip: 1, limit: 1, want: 'keys'}",
            "{keys: [4]}",
        ),
        ("{op: 'find', collection: 'readings', filter: {tags: 'x'}, want: 'keys'}", "{keys: [1, 3]}"),
        ("{op: 'find', collection: 'readings', filter: {tags: {$in: ['x', 'y']}}, want: 'count'}", "{count: 2}"),
        (
            "{op: 'find', collection: 'readings', filter: {ts: {$gte: 20}}, sort: [['ts', 1], ['id', -1]], want: 'columns', fields: ['id', 'serial']}",
            "{count: 3, columns: [[\"id\", [4, 2, 1]], [\"serial\", [null, \"s2\", null]]]}",
        ),
        ("{op: 'find', collection: 'readings', limit: 0}", "{docs: []}"),
        ("{op: 'count', collection: 'readings', filter: {serial: {$exists: true}}}", "{count: 2}"),
        ("{op: 'distinct', collection: 'readings', field: 'tags', filter: {}}", "{values: [\"x\", \"y\"]}"),
        ("{op: 'distinct', collection: 'readings', field: 'ts', filter: {site: 'a'}}", "{values: [10, 20, 30]}"),
        ("{op: 'stats', collection: 'readings'}", "{documents: 4, bytes: 62}"),
        ("{op: 'collections'}", "{collections: [{name: \"readings\", key: \"id\"}]}"),
    ]);
}

/// An insert or put whose documents are a batch, as the facade sends them.
fn as_batch(request: &str) -> Object {
    let mut request = object(request);
    let docs: Vec<Object> = match request.get("docs").unwrap() {
        Value::Array(docs) => docs.iter().map(|doc| doc.as_object().unwrap().clone()).collect(),
        _ => panic!("no documents"),
    };
    request.set("docs", Value::Bytes(batch::batch(docs.iter())));
    request
}

#[test]
fn a_batch_does_what_a_list_of_the_same_documents_does() {
    let requests = [
        "{op: 'insert', docs: [{id: 1, site: 'a', ts: 5, tags: ['x', 'y']}, {id: 'k', deep: {a: {b: [1, {c: null}]}, e: {}}}]}",
        "{op: 'insert', docs: [{id: 2, site: '\u{e9}\u{1f600}', ts: -0.5}, {id: 3, site: '', tags: [], serial: 's'}]}",
        "{op: 'insert', docs: [{id: 4}, {id: 5, site: 'b'}, {id: 4, site: 'c'}]}",
        "{op: 'insert', docs: [{id: 9}, {id: {a: 1}}]}",
        "{op: 'insert', ordered: false, docs: [{id: 6}, {id: 1}, {id: 6, ts: 1}, {id: null}, {id: 7, serial: 's'}, {id: 8, new: 1}]}",
        "{op: 'put', docs: [{id: 1, site: 'z'}, {id: 10, tags: 'x'}, {id: 1, site: 'last', serial: 't'}]}",
        "{op: 'put', docs: [{id: 11, serial: 't'}]}",
    ];
    let all = "{op: 'find', collection: 'readings', filter: {}}";
    let answers = |is_batch: bool| {
        let fixture = Fixture::new(1);
        fixture.run(async {
            let database = fixture.open("tab", READINGS).await;
            let mut answers = Vec::new();
            for request in requests {
                let mut request = if is_batch { as_batch(request) } else { object(request) };
                request.set("collection", "readings".into());
                answers.push(match database.ask_value(request).await {
                    Ok(mut answer) => {
                        answer.remove("seq");
                        answer.to_string()
                    }
                    Err(error) => describe(&error),
                });
                answers.push(database.ask(all).await);
                answers.push(database.ask("{op: 'find', collection: 'readings', filter: {site: {$gt: ''}}}").await);
            }
            answers
        })
    };
    assert_eq!(answers(false), answers(true));
}

#[test]
fn plans_are_explained_and_carried_out_for_it() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        for (question, expected) in [
            ("filter: {id: 1}", "{plan: \"key\", bounds: \"id = 1\", sorted: true, residual: false}"),
            (
                "filter: {site: 'a', x: 1}, sort: [['ts', 1]]",
                "{plan: \"index\", index: \"site_ts\", bounds: \"site = \\\"a\\\"\", sorted: true, residual: true}",
            ),
            (
                "filter: {tags: 'x'}, sort: [['tags', 1]]",
                "{plan: \"index\", index: \"tags\", bounds: \"tags = \\\"x\\\"\", sorted: false, residual: false}",
            ),
            ("filter: {value: 1}", "{plan: \"scan\", sorted: true, residual: true, vectors: [\"value\"]}"),
        ] {
            let request = format!("{{op: 'explain', collection: 'readings', mode: 'executionStats', {question}}}");
            let mut explained = database.try_ask(&request).await.unwrap();
            let find = format!("{{op: 'find', collection: 'readings', {question}}}");
            let found = database.try_ask(&find).await.unwrap();
            let returned = found.get("docs").and_then(Value::as_array).unwrap().len();
            let Some(Value::Object(execution)) = explained.get("execution") else { panic!("{explained}") };
            assert_eq!(execution.get("returned"), Some(&Value::count(returned)), "{explained}");
            for more in ["estimate", "tree", "alternatives", "execution"] {
                assert!(explained.get(more).is_some(), "{explained}");
                explained.remove(more);
            }
            assert_eq!(explained.to_string(), expected);
        }
        let request = "{op: 'explain', collection: 'readings', mode: 'all'}";
        assert_eq!(database.ask(request).await, "invalid: `mode` is not queryPlanner or executionStats");
    });
}

#[test]
fn documents_are_changed() {
    check(&[
        (
            "{op: 'update', collection: 'readings', filter: {site: 'a'}, update: {$inc: {ts: 1}}, multi: true}",
            "{matchedCount: 3, modifiedCount: 3}",
        ),
        (
            "{op: 'update', collection: 'readings', filter: {site: 'a'}, update: {$set: {site: 'a'}}, multi: true}",
            "{matchedCount: 3, modifiedCount: 0}",
        ),
        (
            "{op: 'update', collection: 'readings', filter: {id: 7}, update: {$set: {site: 'z'}}, upsert: true}",
            "{matchedCount: 0, modifiedCount: 0, upsertedId: 7}",
        ),
        (
            "{op: 'find_and_update', collection: 'readings', filter: {site: 'a'}, sort: [['ts', -1]], update: {$set: {site: 'c'}}, return_document: 'before'}",
            "{doc: {id: 1, site: \"a\", ts: 31, tags: [\"x\", \"y\"]}}",
        ),
        (
            "{op: 'find_and_update', collection: 'readings', filter: {site: 'c'}, update: {$unset: {tags: 1}}, return_document: 'after'}",
            "{doc: {id: 1, site: \"c\", ts: 31}}",
        ),
        (
            "{op: 'find_and_update', collection: 'readings', filter: {site: '?'}, update: {$unset: {tags: 1}}}",
            "{doc: null}",
        ),
        (
            "{op: 'replace', collection: 'readings', filter: {id: 1}, doc: {site: 'd'}}",
            "{matchedCount: 1, modifiedCount: 1}",
        ),
        (
            "{op: 'replace', collection: 'readings', filter: {id: 8}, doc: {site: 'd'}, upsert: true}",
            "{matchedCount: 0, modifiedCount: 0, upsertedId: 8}",
        ),
        (
            "{op: 'find', collection: 'readings', filter: {site: 'd'}}",
            "{docs: [{id: 1, site: \"d\"}, {id: 8, site: \"d\"}]}",
        ),
        (
            "{op: 'put', collection: 'readings', docs: [{id: 1, site: 'e'}, {id: 9, n: -0}, {id: 9, n: 1n}]}",
            "{keys: [1, 9, 9]}",
        ),
        ("{op: 'get', collection: 'readings', keys: [1, 9]}", "{docs: [{id: 1, site: \"e\"}, {id: 9, n: 1n}]}"),
        ("{op: 'delete', collection: 'readings', filter: {site: 'a'}, multi: false}", "{deletedCount: 1}"),
        ("{op: 'delete', collection: 'readings', filter: {site: 'a'}, multi: true}", "{deletedCount: 1}"),
        ("{op: 'delete_keys', collection: 'readings', keys: [1, 1, 77]}", "{deletedCount: 1}"),
        ("{op: 'find', collection: 'readings', want: 'keys'}", "{keys: [2, 7, 8, 9]}"),
    ]);
}

#[test]
fn many_operations_are_one_commit() {
    let operations = "[{insertOne: {document: {id: 5, site: 'n'}}}, {updateOne: {filter: {id: 5}, update: {$set: {ts: 1}}}}, \
        {updateMany: {filter: {site: 'a'}, update: {$inc: {ts: 1}}}}, {replaceOne: {filter: {id: 2}, replacement: {x: 1}}}, \
        {updateOne: {filter: {id: 6}, update: {$set: {y: 1}}, upsert: true}}, {deleteOne: {filter: {id: 1}}}, {deleteMany: {filter: {site: 'a'}}}]";
    let failing = "[{insertOne: {document: {id: 50}}}, {deleteMany: {filter: {}}}, {insertOne: {document: {id: 51, serial: 'q'}}}, \
        {insertOne: {document: {id: 52, serial: 'q'}}}]";
    check(&[
        (
            &format!("{{op: 'bulk_write', collection: 'readings', operations: {operations}}}"),
            "{insertedIds: [5], insertedCount: 1, matchedCount: 5, modifiedCount: 5, deletedCount: 3, upsertedCount: 1}",
        ),
        ("{op: 'find', collection: 'readings'}", "{docs: [{id: 2, x: 1}, {id: 5, site: \"n\", ts: 1}, {id: 6, y: 1}]}"),
        (
            &format!("{{op: 'bulk_write', collection: 'readings', operations: {failing}}}"),
            "already_exists: operation 3: index `serial` of collection `readings` has `\"q\"` already",
        ),
        ("{op: 'count', collection: 'readings'}", "{count: 3}"),
    ]);
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_written() {
    let readings = |rest: &str| format!("{{collection: 'readings', {rest}}}");
    let cases = [
        ("op: 'insert', docs: [5]", "invalid: a document is an object, not number"),
        ("op: 'insert', docs: [{id: 5}, 5]", "invalid: document 1: a document is an object, not number"),
        ("op: 'insert', docs: [{id: true}]", "invalid: key field `id`: boolean cannot be a key"),
        (
            "op: 'insert', docs: [{id: 5}, {id: 1}]",
            "already_exists: document 1: collection `readings` has a document with key `1` already",
        ),
        (
            "op: 'insert', docs: [{id: 5}, {id: 5n}]",
            "already_exists: document 1: collection `readings` has a document with key `5` already",
        ),
        (
            "op: 'insert', docs: [{id: 5}, {id: 6, serial: 's3'}]",
            "already_exists: index `serial` of collection `readings` has `\"s3\"` already",
        ),
        (
            "op: 'insert', docs: [{id: 5, serial: 'n'}, {id: 6, serial: 'n'}]",
            "already_exists: index `serial` of collection `readings` has `\"n\"` already",
        ),
        (
            "op: 'put', docs: [{id: 5, serial: 's3'}]",
            "already_exists: index `serial` of collection `readings` has `\"s3\"` already",
        ),
        (
            "op: 'insert', docs: [{id: 5, site: [1], ts: [2]}]",
            "invalid: collection `readings`, document `5`: `site` and `ts` are both arrays, which index `site_ts` cannot hold",
        ),
        ("op: 'insert'", "invalid: `docs` is missing"),
        ("op: 'insert', docs: 1", "invalid: `docs` is number, not an array"),
        (
            "op: 'insert', docs: [{id: 5}], durability: 'maybe'",
            "invalid: durability is \"maybe\", not \"relaxed\" or \"strict\"",
        ),
        ("op: 'update', filter: {}, update: {x: 1}, multi: true", "invalid: `x` is not an update operator"),
        (
            "op: 'update', filter: {}, update: {$bit: {x: 1}}, multi: true",
            "invalid: `$bit` of `x` takes one of `and`, `or` and `xor`, with a whole number or bigint, not number",
        ),
        (
            "op: 'update', filter: {}, update: {$push: {site: 1}}, multi: true",
            "invalid: collection `readings`, document `1`: `$push` of `site`: the value is string, not an array",
        ),
        (
            "op: 'update', filter: {}, update: {$set: {'site.$[x]': 1}}, array_filters: [{y: 1}], multi: true",
            "invalid: `$set`: no array filter is named `x`",
        ),
        (
            "op: 'find_and_update', filter: {}, update: {$set: {n: 1}}, project: [['a', 1], ['b', 0]]",
            "invalid: projection excludes `b` while it includes others",
        ),
        (
            "op: 'bulk_write', operations: [{updateOne: {filter: {}, update: {$set: {n: 1}}, arrayFilters: 1}}]",
            "invalid: operation 0: `arrayFilters` of `updateOne` is not an array",
        ),
        (
            "op: 'update', filter: {}, update: {$set: {id: 9}}, multi: true",
            "invalid: collection `readings`, document `1`: key field `id` cannot be changed",
        ),
        (
            "op: 'update', filter: {}, update: {$inc: {site: 1}}, multi: true",
            "invalid: collection `readings`, document `1`: `$inc` of `site`: the value is string, not a number",
        ),
        (
            "op: 'update', filter: {site: 'a'}, update: {$set: {serial: 'one'}}, multi: true",
            "already_exists: index `serial` of collection `readings` has `\"one\"` already",
        ),
        (
            "op: 'replace', filter: {id: 1}, doc: {id: 2}",
            "invalid: collection `readings`, document `1`: a replacement cannot have another key",
        ),
        ("op: 'delete', filter: {$where: 'x'}, multi: true", "unsupported: filter operator `$where` is not supported"),
        ("op: 'delete_keys', keys: [1, null]", "invalid: document 1: key: null cannot be a key"),
        ("op: 'get', keys: [[1]]", "invalid: key: array cannot be a key"),
        ("op: 'find', sort: [['ts', 5]]", "invalid: sort: direction of `ts` is 5, not 1 or -1"),
        ("op: 'find', project: [['a', 1], ['b', 0]]", "invalid: projection excludes `b` while it includes others"),
        ("op: 'find', skip: -1", "invalid: `skip` is -1, not a count"),
        ("op: 'find', limit: 0.5", "invalid: `limit` is 0.5, not a count"),
        ("op: 'find', want: 'all'", "invalid: `want` is `all`, not docs, keys, count or columns"),
        ("op: 'bulk_write', operations: [{upsertOne: {}}]", "invalid: operation 0: operation `upsertOne` is not known"),
        (
            "op: 'bulk_write', operations: [{deleteMany: {}}]",
            "invalid: operation 0: `filter` of `deleteMany` is missing, or not an object",
        ),
        ("op: 'create_index', spec: {fields: []}", "invalid: index has 0 fields, not 1 to 16"),
        ("op: 'create_index', spec: {fields: 'a', uniq: true}", "invalid: option `uniq` of an index cannot be true"),
        (
            "op: 'create_index', spec: {name: 'site', fields: 'other'}",
            "already_exists: index `site` of collection `readings` is there with another definition",
        ),
        (
            "op: 'create_index', spec: {fields: 'site', name: 'u', unique: true}",
            "already_exists: index `u` of collection `readings` has `\"a\"` already",
        ),
        ("op: 'drop_index', name: 'none'", "not_found: collection `readings` has no index `none`"),
        ("op: 'cursor_next', cursor: 5", "not_found: the cursor is not open"),
        ("op: 'vacuum'", "unsupported: operation `vacuum` is not known"),
    ];
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        let all = "{op: 'find', collection: 'readings'}";
        let before = (database.ask(all).await, database.ask("{op: 'indexes', collection: 'readings'}").await);
        for (request, expected) in cases {
            assert_eq!(database.ask(&readings(request)).await, expected, "{request}");
            let error = database.try_ask(&readings(request)).await.unwrap_err();
            assert!(!error.hint().is_empty() && !error.message().contains('\n'));
            let after = (database.ask(all).await, database.ask("{op: 'indexes', collection: 'readings'}").await);
            assert_eq!(after, before, "{request}");
        }
        assert_eq!(
            database.ask("{op: 'find', collection: 'none'}").await,
            "not_found: collection `none` does not exist"
        );
        for request in [&[][..], &[11], &[4, 2], &[10, 1, 2, b'o', b'p', 0]] {
            assert_eq!(database.request(request).await.unwrap_err().kind(), ErrorKind::Invalid);
        }
        database.close().await;
        assert_eq!(describe(&database.try_ask(all).await.unwrap_err()), "closed: the database is closed");
        assert_eq!(database.ask("{op: 'cursor_next', cursor: 1}").await, "closed: the database is closed");
        assert!(database.begin().is_err());
    });
}

#[test]
fn unordered_inserts_write_what_they_can() {
    check(&[
        (
            "{op: 'insert', collection: 'readings', ordered: false, docs: [{id: 5}, 7, {id: 1}, {id: 6, serial: 's2'}, {id: 7, serial: 'new'}, {id: 8, serial: 'new'}]}",
            "{insertedIds: [5, null, null, null, 7, null], writeErrors: [\
             {index: 1, code: \"invalid\", message: \"a document is an object, not number\"}, \
             {index: 2, code: \"already_exists\", message: \"collection `readings` has a document wit\"...}, \
             {index: 3, code: \"already_exists\", message: \"index `serial` of collection `readings` \"...}, \
             {index: 5, code: \"already_exists\", message: \"index `serial` of collection `readings` \"...}]}",
        ),
        ("{op: 'count', collection: 'readings'}", "{count: 6}"),
    ]);
}

#[test]
fn missing_keys_are_made_and_come_first() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        let docs: Vec<Value> = (0..50).map(|i| Value::from(Object::from([("n", i.into())]))).collect();
        let request = Object::from([("op", "insert".into()), ("collection", "readings".into()), ("docs", docs.into())]);
        let answer = database.ask_value(request).await.unwrap();
        let ids = answer.get("insertedIds").unwrap().as_array().unwrap().to_vec();
        let texts: Vec<&str> = ids.iter().map(|id| id.as_str().unwrap()).collect();
        assert!(texts.is_sorted() && texts.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'7'));
        let found = database.try_ask("{op: 'find', collection: 'readings', limit: 1}").await.unwrap();
        let first = found.get("docs").unwrap().as_array().unwrap()[0].as_object().unwrap().clone();
        assert_eq!(first, Object::from([("id", ids[0].clone()), ("n", 0.into())]));
    });
}

#[test]
fn values_come_back_exactly() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        let document = object(
            "{id: 'k', zero: -0, inf: inf, big: 9223372036854775807n, five: 5n, at: Date(-8640000000000000), raw: Bytes(0 255), \
             nested: {'__proto__': {b: [], a: {}}, '': null, 'a.b': 1, '$x': 2}, text: '\u{0}\u{1}\u{1f600}'}",
        );
        let request = Object::from([("op", "put".into()), ("collection", "readings".into()), ("docs", vec![document.clone().into()].into())]);
        database.ask_value(request).await.unwrap();
        for database in [&database, &fixture.open("another", "[]").await] {
            let found = database.try_ask("{op: 'find', collection: 'readings'}").await.unwrap();
            assert_eq!(found.get("docs"), Some(&vec![document.clone().into()].into()));
        }
    });
}

#[test]
fn compound_and_dated_keys_work() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", "[['m', {key: ['site', 'at']}]]").await;
        let insert = "{op: 'insert', collection: 'm', docs: [{site: 'b', at: Date(1), n: 1}, {site: 'a', at: Date(2), n: 2}, {site: 'a', at: Date(1), n: 3}]}";
        assert_eq!(database.ask(insert).await, "{insertedIds: [[\"b\", Date(1)], [\"a\", Date(2)], [\"a\", Date(1)]]}");
        for (request, expected) in [
            ("op: 'get', keys: [['a', Date(2)]]", "{docs: [{site: \"a\", at: Date(2), n: 2}]}"),
            ("op: 'find', want: 'keys'", "{keys: [[\"a\", Date(1)], [\"a\", Date(2)], [\"b\", Date(1)]]}"),
            ("op: 'find', filter: {site: 'a'}, sort: [['at', -1]], want: 'keys'", "{keys: [[\"a\", Date(2)], [\"a\", Date(1)]]}"),
            ("op: 'get', keys: ['a']", "invalid: key must be an array of 2 values, not string"),
            ("op: 'insert', docs: [{site: 'a'}]", "invalid: document has no key field `at`"),
        ] {
            assert_eq!(database.ask(&format!("{{collection: 'm', {request}}}")).await, expected, "{request}");
        }
    });
}

#[test]
fn cursors_read_their_snapshot_in_parts() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        let open =
            "{op: 'cursor_open', collection: 'readings', filter: {site: 'a'}, sort: [['ts', 1]], project: [['id', 1]]}";
        assert_eq!(database.ask(open).await, "{cursor: 1}");
        let next = "{op: 'cursor_next', cursor: 1, max: 2}";
        assert_eq!(database.ask(next).await, "{docs: [{id: 3}, {id: 4}], done: false}");
        database.ask("{op: 'delete', collection: 'readings', multi: true}").await;
        assert_eq!(database.ask(next).await, "{docs: [{id: 1}], done: true}");
        assert_eq!(database.ask(next).await, "not_found: the cursor is not open");
        assert_eq!(database.ask("{op: 'cursor_close', cursor: 1}").await, "{}");
    });
}

#[test]
fn arrays_at_two_fields_of_one_index_in_one_statement_are_both_known() {
    let fixture = Fixture::new(21);
    fixture.run(async {
        let database = fixture.open("tab", "[['c', {key: 'id', indexes: [['b', 'a']]}]]").await;
        let docs = "[{id: 1, b: [1, 2], a: 5}, {id: 2, b: 1, a: [3, 1, 2]}]";
        database.ask(&format!("{{op: 'insert', collection: 'c', docs: {docs}}}")).await;
        let found = database.ask("{op: 'find', collection: 'c', want: 'keys', filter: {b: 1, a: {$ne: 9}}}").await;
        assert_eq!(found, "{keys: [2, 1]}");
        // One element passes the one test, another the other: two bounds of one field only where it has no arrays.
        let between = "{op: 'find', collection: 'c', want: 'keys', filter: {b: {$gt: 1, $lt: 2}}, limit: 5}";
        assert_eq!(database.ask(between).await, "{keys: [1]}");
    });
}
