//! Schemas on writes: whichever way a document comes in, what is not valid is not written, and what is missing is filled.

use crate::batch;
use crate::documents_fixture::{Ask, Fixture, describe};
use crate::notation::{object, value};
use hyphadb::error::{Detail, ErrorKind};
use hyphadb::value::{Object, Value, codec};

const READINGS: &str = "[['readings', {key: 'id', indexes: ['site'], schema: {type: 'object', \
    properties: {id: {type: 'integer'}, site: {type: 'string', maxLength: 3}, n: {type: 'number', minimum: 0}, \
    at: {'x-type': 'date'}, unit: {enum: ['C', 'F']}}, required: ['site'], additionalProperties: false}}]]";

const WITH_DEFAULTS: &str = "[['readings', {key: 'id', schema: {properties: {n: {type: 'number', default: 7}, \
    place: {type: 'object', default: {}, properties: {site: {default: 'a'}}}}, required: ['n']}}]]";

const ALL: &str = "{op: 'find', collection: 'readings', filter: {}}";

/// The same insert or put with its documents as a batch.
fn as_batch(request: &str) -> Object {
    let mut request = object(request);
    if let Some(Value::Array(docs)) = request.get("docs") {
        let docs: Vec<Object> = docs.iter().map(|doc| doc.as_object().unwrap().clone()).collect();
        request.set("docs", Value::Bytes(batch::batch(docs.iter())));
    }
    request
}

#[test]
fn no_write_lets_a_violation_through_and_nothing_of_it_is_written() {
    let bad = "site: 'toolong', n: -1";
    let writes = [
        format!("{{op: 'insert', docs: [{{id: 9, {bad}}}]}}"),
        format!("{{op: 'insert', docs: [{{id: 8, site: 'b'}}, {{id: 9, {bad}}}]}}"),
        "{op: 'insert', docs: [{id: 9, site: 'b', other: 1}]}".to_owned(),
        "{op: 'insert', docs: [{id: '9', site: 'b'}]}".to_owned(),
        "{op: 'insert', docs: [{site: 'b'}]}".to_owned(),
        format!("{{op: 'put', docs: [{{id: 1, {bad}}}]}}"),
        format!("{{op: 'put', docs: [{{id: 8, site: 'b'}}, {{id: 1, {bad}}}]}}"),
        "{op: 'replace', filter: {id: 1}, doc: {n: 5}}".to_owned(),
        "{op: 'replace', filter: {id: 9}, doc: {n: 5}, upsert: true}".to_owned(),
        "{op: 'update', filter: {id: 1}, update: {$set: {n: -1}}}".to_owned(),
        "{op: 'update', filter: {id: 1}, update: {$set: {site: 'long'}}}".to_owned(),
        "{op: 'update', filter: {id: 1}, update: {$set: {new: 1}}}".to_owned(),
        "{op: 'update', filter: {id: 1}, update: {$set: {'at.deep': 1}}}".to_owned(),
        "{op: 'update', filter: {id: 1}, update: {$unset: {site: 1}}}".to_owned(),
        "{op: 'update', filter: {}, multi: true, update: {$inc: {n: -2}}}".to_owned(),
        "{op: 'update', filter: {id: 9}, update: {$set: {n: 1}}, upsert: true}".to_owned(),
        "{op: 'find_and_update', filter: {id: 1}, update: {$inc: {n: -2}}}".to_owned(),
        "{op: 'find_and_update', filter: {id: 9}, update: {$inc: {n: 2}}, upsert: true}".to_owned(),
        "{op: 'bulk_write', operations: [{insertOne: {document: {id: 9, site: 5}}}]}".to_owned(),
        "{op: 'bulk_write', operations: [{deleteOne: {filter: {id: 2}}}, {updateOne: {filter: {id: 1}, update: {$set: {n: '1'}}}}]}".to_owned(),
        "{op: 'bulk_write', operations: [{updateOne: {filter: {id: 2}, update: {$set: {n: 1}}}}, {replaceOne: {filter: {id: 1}, replacement: {}}}]}".to_owned(),
        "{op: 'bulk_write', operations: [{updateMany: {filter: {}, update: {$set: {at: 1}}}}]}".to_owned(),
    ];
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        let first =
            "{op: 'insert', collection: 'readings', docs: [{id: 1, site: 'a', n: 1}, {id: 2, site: 'b', n: 2}]}";
        database.ask(first).await;
        let (before, seq) = (database.ask(ALL).await, database.seq());
        for write in &writes {
            for mut request in [object(write), as_batch(write)] {
                request.set("collection", "readings".into());
                let error = database.ask_value(request.clone()).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid, "{write}: {error}");
                assert!(violations(&error).is_some(), "{write}: {error}");
                let transaction = database.begin().unwrap();
                let within = transaction.ask_value(request).await.unwrap_err();
                assert_eq!((within.kind(), violations(&within).is_some()), (error.kind(), true), "{write}");
                transaction.rollback();
                assert_eq!(database.ask(ALL).await, before, "{write}");
            }
        }
        // Of a bulk write and of shapes that were made before the refusal, nothing is a document.
        assert_eq!(
            database.ask("{op: 'count', collection: 'readings', filter: {site: {$exists: true}}}").await,
            "{count: 2}"
        );
        assert!(database.seq() >= seq);
    });
}

fn violations(error: &hyphadb::error::Error) -> Option<Value> {
    error.details().iter().find_map(|(name, detail)| match detail {
        Detail::Value(encoded) if *name == "violations" => codec::decode(encoded).ok(),
        _ => None,
    })
}

#[test]
fn all_violations_are_told_at_once_with_the_document_that_has_them() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        let write = "{op: 'insert', collection: 'readings', docs: [{id: 1, site: 'a'}, {id: 2, site: 5, n: -1, x: 0}]}";
        let error = database.try_ask(write).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "document 1: collection `readings`, document `2`: `/site` is 5, not of type string, and 2 more violations"
        );
        let expected = "[{pointer: '/site', keyword: 'type', schemaPointer: '/properties/site/type', reason: 'is 5, not of type string'}, \
            {pointer: '/n', keyword: 'minimum', schemaPointer: '/properties/n/minimum', reason: 'is -1, below the minimum 0'}, \
            {pointer: '/x', keyword: 'additionalProperties', schemaPointer: '/additionalProperties', reason: 'is a field that the schema does not have'}]";
        assert_eq!(violations(&error).unwrap().to_string(), value(expected).to_string());
        assert!(error.details().contains(&("position", Detail::Text("1".to_owned()))));
        assert!(error.details().contains(&("collection", Detail::Text("readings".to_owned()))));
    });
}

#[test]
fn unordered_inserts_write_what_is_valid_and_tell_of_the_rest() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        for (op, name) in [("op: 'insert', ordered: false", "details: {violations"), ("op: 'insert_each'", "violations")] {
            let write = format!(
                "{{{op}, docs: [{{id: 1, site: 'a'}}, {{id: 2, site: 5}}, {{id: 1, site: 'b'}}, {{id: 3}}, {{id: 4, site: 'd', n: 1}}]}}"
            );
            let mut request = as_batch(&write);
            request.set("collection", "readings".into());
            let answer = database.ask_value(request).await.unwrap();
            assert_eq!(answer.get("insertedIds").unwrap(), &value("[1, null, null, null, 4]"));
            let errors = answer.get("writeErrors").unwrap();
            let indexes: Vec<String> =
                errors.as_array().unwrap().iter().map(|error| error.as_object().unwrap().get("index").unwrap().to_string()).collect();
            assert_eq!(indexes, ["1", "2", "3"]);
            assert!(errors.to_string().contains(name), "{errors}");
            assert_eq!(database.ask(ALL).await, "{docs: [{id: 1, site: \"a\"}, {id: 4, site: \"d\", n: 1}]}");
            database.ask("{op: 'delete', collection: 'readings', filter: {}, multi: true}").await;
        }
    });
}

#[test]
fn defaults_are_filled_before_a_document_is_looked_at_and_nothing_is_coerced() {
    let filled = "n: 7, place: {site: \"a\"}";
    let steps = [
        (
            "{op: 'insert', docs: [{id: 1}, {id: 2, n: 1, place: {}}, {n: 2, id: 3, place: {site: 'b'}}]}",
            "{insertedIds: [1, 2, 3]}".to_owned(),
        ),
        (
            "{op: 'find', filter: {}}",
            format!(
                "{{docs: [{{id: 1, {filled}}}, {{id: 2, n: 1, place: {{site: \"a\"}}}}, {{n: 2, id: 3, place: {{site: \"b\"}}}}]}}"
            ),
        ),
        ("{op: 'update', filter: {id: 1}, update: {$unset: {n: 1}}}", "{matchedCount: 1, modifiedCount: 1}".to_owned()),
        ("{op: 'replace', filter: {id: 2}, doc: {}}", "{matchedCount: 1, modifiedCount: 1}".to_owned()),
        ("{op: 'put', docs: [{id: 3, place: {site: 'c'}}]}", "{keys: [3]}".to_owned()),
        (
            "{op: 'find_and_update', filter: {id: 4}, update: {$set: {x: 1}}, upsert: true, return_document: 'after'}",
            format!("{{doc: {{id: 4, x: 1, {filled}}}}}"),
        ),
        (
            "{op: 'find_and_update', filter: {id: 4}, update: {$unset: {x: 1, n: 1}}, return_document: 'after'}",
            "{doc: {id: 4, place: {site: \"a\"}, n: 7}}".to_owned(),
        ),
        (
            "{op: 'find', filter: {id: {$lt: 4}}}",
            format!(
                "{{docs: [{{id: 1, place: {{site: \"a\"}}, n: 7}}, {{id: 2, {filled}}}, {{id: 3, place: {{site: \"c\"}}, n: 7}}]}}"
            ),
        ),
        (
            "{op: 'insert', docs: [{id: 5, n: '1'}]}",
            "invalid: collection `readings`, document `5`: `/n` is \"1\", not of type number".to_owned(),
        ),
        (
            "{op: 'insert', docs: [{id: 5, n: null}]}",
            "invalid: collection `readings`, document `5`: `/n` is null, not of type number".to_owned(),
        ),
    ];
    for is_batch in [false, true] {
        let fixture = Fixture::new(1);
        fixture.run(async {
            let database = fixture.open("tab", WITH_DEFAULTS).await;
            for (step, expected) in &steps {
                let mut request = if is_batch { as_batch(step) } else { object(step) };
                request.set("collection", "readings".into());
                let answer = match database.ask_value(request).await {
                    Ok(mut answer) => {
                        answer.remove("seq");
                        answer.remove("durability");
                        answer.to_string()
                    }
                    Err(error) => describe(&error),
                };
                assert_eq!(&answer, expected, "{step}");
            }
        });
    }
}

#[test]
fn a_schema_that_cannot_be_held_refuses_to_open_and_makes_nothing() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let schemas = [
            ("{properties: {n: {minimun: 1}}}", "unsupported", "/properties/n"),
            ("{properties: {n: {type: 'date'}}}", "invalid", "/properties/n"),
            ("{allOf: [{$ref: 'https://example.org/other'}]}", "unsupported", "/allOf/0"),
            ("{properties: {n: {pattern: '('}}}", "invalid", "/properties/n"),
            ("{$schema: 'http://json-schema.org/draft-07/schema#'}", "unsupported", ""),
        ];
        for (schema, code, pointer) in schemas {
            let error = fixture.try_open("tab", &format!("[['c', {{schema: {schema}}}]]")).await.err().unwrap();
            assert_eq!(error.kind().code(), code, "{schema}: {error}");
            assert!(error.details().contains(&("pointer", Detail::Text(pointer.to_owned()))), "{schema}: {error}");
            assert!(error.details().contains(&("collection", Detail::Text("c".to_owned()))), "{schema}: {error}");
        }
        assert_eq!(fixture.open("tab", "[]").await.ask("{op: 'collections'}").await, "{collections: []}");
    });
}

#[test]
fn a_schema_holds_for_what_is_written_from_now_on() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let before = fixture.open("before", "[['readings', {}]]").await;
        before.ask("{op: 'insert', collection: 'readings', docs: [{id: 1, site: 'long'}]}").await;
        let after = fixture.open("after", READINGS).await;
        assert_eq!(after.ask(ALL).await, "{docs: [{id: 1, site: \"long\"}]}");
        let change = "{op: 'update', collection: 'readings', filter: {id: 1}, update: {$set: {n: 1}}}";
        assert!(after.ask(change).await.starts_with("invalid"));
        assert_eq!(before.ask(change).await, "{matchedCount: 1, modifiedCount: 1}");
    });
}
