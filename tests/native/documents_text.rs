//! Text search against a list: random texts, written and changed in several contexts, before and after checkpoints; each
//! document is cut into words, counted and scored anew for every search (`text_reference.rs`).
//!
//! Seeds are in every message; `HYPHADB_SEED` runs one alone.

use crate::documents_fixture::{Ask, Fixture, happen, seeds, tiny};
use crate::notation::{object, value};
use crate::text_reference::{Model, document, expected, number, search, text};
use hyphadb::db::Database;
use hyphadb::env::simulated::Random;
use hyphadb::planted::{Bug, plant};
use hyphadb::storage::Durability;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value};
use std::collections::BTreeSet;

const COLLECTIONS: &str = "[['c', {key: 'id', indexes: ['year', \
    {fields: ['title', 'notes.text'], type: 'text', weights: {title: 3}}]}]]";

/// Asks, and compares with the list.
async fn compare(ask: &impl Ask, model: &Model, before: &Model, random: &mut Random) -> Result<(), String> {
    let (text, clauses) = search(random);
    let year = random.below(7);
    let more = if year < 3 { format!(", year: {{$gte: {year}}}") } else { String::new() };
    let mut wanted = expected(model, before, &clauses);
    wanted.retain(|id, _| year >= 3 || number(&model[id], "year") >= year as f64);
    let find = format!(
        "op: 'find', collection: 'c', filter: {{$text: {text}{more}}}, project: [['score', {{$meta: 'textScore'}}], ['id', 1]]"
    );
    let failed = |what: &str| Err(format!("{text}{more}: {what}"));
    let answer = ask.try_ask(&format!("{{{find}}}")).await.map_err(|error| format!("{text}: {error}"))?;
    let docs = answer.get("docs").unwrap().as_array().unwrap().to_vec();
    let found: Vec<(u64, f64)> = docs
        .iter()
        .map(|doc| (number(doc.as_object().unwrap(), "id") as u64, number(doc.as_object().unwrap(), "score")))
        .collect();
    let ids: BTreeSet<u64> = found.iter().map(|(id, _)| *id).collect();
    if ids.len() != found.len() || !ids.iter().eq(wanted.keys()) {
        return failed(&format!("found {ids:?}, not {:?}", wanted.keys().collect::<Vec<_>>()));
    }
    for (id, score) in &found {
        if (score - wanted[id]).abs() > 1e-9 * score.abs() {
            return failed(&format!("document {id} scores {score}, not {}", wanted[id]));
        }
    }
    if !found.is_sorted_by(|left, right| right.1 < left.1 || right.1 == left.1 && left.0 < right.0) {
        return failed(&format!("not the best first: {found:?}"));
    }
    // Parts of it.
    let (skip, limit) = (random.below(3), random.below(6));
    let sort = if random.percent(50) { ", sort: [['x', {$meta: 'textScore'}]]" } else { "" };
    let part = ask.ask(&format!("{{{find}{sort}, skip: {skip}, limit: {limit}}}")).await;
    let first: Vec<Value> = docs.iter().skip(skip as usize).take(limit as usize).cloned().collect();
    if part != Object::from([("docs", first.into())]).to_string() {
        return failed(&format!("skip {skip}, limit {limit}: {part} of {docs:?}"));
    }
    let sorted = ask.try_ask(&format!("{{{find}, sort: [['year', 1], ['x', {{$meta: 'textScore'}}]]}}")).await.unwrap();
    let order: Vec<(f64, f64)> = sorted
        .get("docs")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|doc| {
            let doc = doc.as_object().unwrap();
            (number(&model[&(number(doc, "id") as u64)], "year"), -number(doc, "score"))
        })
        .collect();
    if order.len() != found.len() || !order.is_sorted() {
        return failed(&format!("not by year and score: {order:?}"));
    }
    let count = ask.ask(&format!("{{op: 'count', collection: 'c', filter: {{$text: {text}{more}}}}}")).await;
    let pipeline = format!(
        "{{op: 'aggregate', collection: 'c', pipeline: [{{$match: {{$and: [{{$text: {text}}}]{more}}}}}, {{$count: 'count'}}]}}"
    );
    let counted = ask.ask(&pipeline).await;
    let is_counted = counted.contains(&count) || found.is_empty();
    if count != format!("{{count: {}}}", found.len()) || !is_counted {
        return failed(&format!("counted {count} and {counted} of {}", found.len()));
    }
    Ok(())
}

async fn change(ask: &impl Ask, model: &mut Model, random: &mut Random) -> Result<(), String> {
    let id = random.below(25);
    let mut next = model.clone();
    let request = match random.below(8) {
        0 => {
            next.remove(&id);
            object(&format!("{{op: 'delete_keys', collection: 'c', keys: [{id}]}}"))
        }
        1 | 2 => {
            let title = text(random, 7);
            next.entry(id).and_modify(|document| document.set("title", title.as_str().into()));
            object(&format!(
                "{{op: 'update', collection: 'c', filter: {{id: {id}}}, update: {{$set: {{title: '{title}'}}}}}}"
            ))
        }
        3 => {
            let (search, clauses) = search(random);
            for id in expected(model, model, &clauses).into_keys() {
                next.entry(id).and_modify(|document| document.set("title", "found tango".into()));
            }
            object(&format!(
                "{{op: 'update', collection: 'c', multi: true, filter: {{$text: {search}}}, update: {{$set: {{title: 'found tango'}}}}}}"
            ))
        }
        4 if random.percent(30) => {
            let (search, clauses) = search(random);
            next.retain(|id, _| !expected(model, model, &clauses).contains_key(id));
            object(&format!("{{op: 'delete', collection: 'c', multi: true, filter: {{$text: {search}}}}}"))
        }
        _ => {
            let docs = [document(random, id), document(random, random.clone().below(25))];
            docs.iter().for_each(|document| drop(next.insert(number(document, "id") as u64, document.clone())));
            let docs = docs.map(Value::from).to_vec();
            Object::from([("op", "put".into()), ("collection", "c".into()), ("docs", docs.into())])
        }
    };
    let told = request.to_string();
    ask.ask_value(request).await.map_err(|error| format!("{told}: {error}"))?;
    *model = next;
    Ok(())
}

async fn work(fixture: &Fixture, steps: u32, seed: u64) -> Result<(), String> {
    let mut random = fixture.world.random("texts");
    let mut databases: Vec<Database<Memory>> = vec![fixture.open("context 0", COLLECTIONS).await];
    let mut model = Model::new();
    for step in 0..steps {
        let place = random.index(databases.len());
        let database = &databases[place];
        database.catch_up().await.map_err(|error| error.to_string())?;
        if random.percent(20) {
            let transaction = database.begin().unwrap();
            let mut inner = model.clone();
            for _ in 0..random.below(4) {
                change(&transaction, &mut inner, &mut random).await?;
                compare(&transaction, &inner, &model, &mut random).await?;
            }
            if random.percent(70) {
                transaction.commit(Durability::Relaxed).await.map_err(|error| error.to_string())?;
                model = inner;
            }
        } else {
            change(database, &mut model, &mut random).await?;
        }
        for _ in 0..3 {
            compare(database, &model, &model, &mut random).await?;
        }
        let further = format!("context {seed} {step}");
        let draw = happen(fixture, (&mut databases, place), (&further, COLLECTIONS), &mut random).await?;
        if draw == 4 && random.percent(30) {
            let database = &databases[place];
            let dropped = database.ask("{op: 'drop_index', collection: 'c', name: 'title_notes.text_text'}").await;
            let spec = "{op: 'create_index', collection: 'c', spec: {fields: ['title', 'notes.text'], type: 'text', weights: {title: 3}}}";
            let made = database.ask(spec).await;
            assert_eq!((dropped.as_str(), made.as_str()), ("{}", "{name: \"title_notes.text_text\"}"));
        }
    }
    Ok(())
}

fn run(seed: u64, steps: u32) -> Result<(), String> {
    let fixture = Fixture { options: tiny(), ..Fixture::new(seed) };
    fixture.run(work(&fixture, steps, seed)).map_err(|error| format!("seed {seed}: {error}"))
}

#[test]
fn what_is_searched_equals_a_list() {
    for seed in seeds(60) {
        run(seed, 60).unwrap();
    }
}

#[test]
fn entries_of_words_that_stay_as_they_were_are_noticed() {
    plant(Some(Bug::PostingsKept));
    let caught = (1..=10).any(|seed| run(seed, 60).is_err());
    plant(None);
    assert!(caught);
}

#[test]
fn writers_of_different_documents_are_not_in_conflict() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("one", COLLECTIONS).await;
        database
            .ask("{op: 'insert', collection: 'c', docs: [{id: 1, title: 'tea for two'}, {id: 2, title: 'jazz'}]}")
            .await;
        let (first, second) = (database.begin().unwrap(), database.begin().unwrap());
        let tea = "{op: 'find', collection: 'c', filter: {$text: {$search: 'tea'}}}";
        for (transaction, id) in [(&first, 3), (&second, 4)] {
            assert!(transaction.ask(tea).await.contains("tea for two"));
            transaction
                .ask(&format!("{{op: 'insert', collection: 'c', docs: [{{id: {id}, title: 'jazz too'}}]}}"))
                .await;
        }
        first.commit(Durability::Relaxed).await.unwrap();
        second.commit(Durability::Relaxed).await.unwrap();
        // Who read what another changes is.
        let (first, second) = (database.begin().unwrap(), database.begin().unwrap());
        first.ask(tea).await;
        first.ask("{op: 'insert', collection: 'c', docs: [{id: 5}]}").await;
        second.ask("{op: 'insert', collection: 'c', docs: [{id: 6, title: 'Tea'}]}").await;
        second.commit(Durability::Relaxed).await.unwrap();
        assert!(first.commit(Durability::Relaxed).await.is_err());
    });
}

#[test]
fn an_index_is_listed_kept_and_the_only_one() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("one", "[['c', {key: 'id'}]]").await;
        database.ask("{op: 'insert', collection: 'c', docs: [{id: 1, title: 'tea'}, {id: 2, body: 'more tea'}, {id: 3}]}").await;
        let find = "{op: 'find', collection: 'c', filter: {$text: {$search: 'tea'}}, project: [['id', 1]]}";
        assert_eq!(
            database.ask(find).await,
            "invalid: `$text` needs a text index that is ready, and the collection has none"
        );
        let create = "{op: 'create_index', collection: 'c', spec: {fields: ['title', 'body'], type: 'text', weights: {body: 5}}}";
        assert_eq!(database.ask(create).await, "{name: \"title_body_text\"}");
        assert_eq!(database.ask(create).await, "{name: \"title_body_text\"}");
        assert_eq!(database.ask(find).await, "{docs: [{id: 2}, {id: 1}]}");
        let other = "{op: 'create_index', collection: 'c', spec: {fields: 'title', type: 'text'}}";
        assert_eq!(
            database.ask(other).await,
            "invalid: collection `c` has the text index `title_body_text`, and may have one"
        );
        let changed = "{op: 'create_index', collection: 'c', spec: {fields: ['title', 'body'], type: 'text'}}";
        assert!(database.ask(changed).await.starts_with("already_exists"), "other weights are another index");
        assert_eq!(
            database.ask("{op: 'indexes', collection: 'c'}").await,
            "{indexes: [{name: \"title_body_text\", fields: [\"title\", \"body\"], unique: false, sparse: false, state: \"ready\", \
             multi: false, type: \"text\", weights: {title: 1, body: 5}}]}"
        );
        let again = fixture.open("two", "[['c', {indexes: [{fields: ['title', 'body'], type: 'text', weights: {body: 5}}]}]]").await;
        assert_eq!(again.ask(find).await, "{docs: [{id: 2}, {id: 1}]}");
        let refused = fixture.try_open("three", "[['c', {indexes: [{fields: 'x', type: 'text'}]}]]").await;
        assert!(refused.is_err_and(|error| error.to_string().contains("may have one")));
        assert_eq!(again.ask("{op: 'drop_index', collection: 'c', name: 'title_body_text'}").await, "{}");
        let mut scan = again.engine().snapshot().unwrap().scan(
            hyphadb::engine::KeyRange::prefix(&[hyphadb::engine::format::SPACE_INDEX]),
            hyphadb::engine::Direction::Ascending,
        );
        assert!(scan.next().await.unwrap().is_none());
    });
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("one", COLLECTIONS).await;
        let database = &database;
        let check = async |filter: &str, expected: &str| {
            let find = format!("{{op: 'find', collection: 'c', filter: {filter}}}");
            assert_eq!(database.ask(&find).await, format!("invalid: {expected}"), "{filter}");
        };
        let tea = "$text: {$search: 'tea'}";
        check(&format!("{{$or: [{{{tea}}}, {{id: 1}}]}}"), "`$or[0]`: `$text` stands inside of `$or`").await;
        check(&format!("{{$nor: [{{{tea}}}]}}"), "`$nor[0]`: `$text` stands inside of `$nor`").await;
        check(&format!("{{a: {{{tea}}}}}"), "field `a`: `$text` stands inside of a field").await;
        check(&format!("{{a: {{$not: {{{tea}}}}}}}"), "field `a`: `$text` stands inside of a field").await;
        check(&format!("{{a: {{$elemMatch: {{{tea}}}}}}}"), "field `a`: `$elemMatch`: `$text` stands inside of `$elemMatch`").await;
        check(&format!("{{$and: [{{{tea}}}], {tea}}}"), "`$text` stands twice").await;
        check("{$text: {$search: '- ...'}}", "`$text`: `$search` is `- ...`, which has no word to look for").await;
        check("{$text: {$search: 'a', $language: 'en'}}", "`$text`: option `$language` is not known").await;
        let ask = async |request: &str, expected: &str| assert_eq!(database.ask(request).await, expected, "{request}");
        let many = (0..65).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ");
        let find = format!("{{op: 'find', collection: 'c', filter: {{$text: {{$search: '{many}'}}}}}}");
        ask(&find, "limit: `$text`: `$search` has more than 64 words").await;
        let no_score = "there is no `textScore` without `$text` in the filter";
        ask("{op: 'find', collection: 'c', sort: [['s', {$meta: 'textScore'}]]}", &format!("invalid: sort: {no_score}")).await;
        ask("{op: 'find', collection: 'c', project: [['s', {$meta: 'textScore'}]]}", &format!("invalid: projection: {no_score}")).await;
        ask(
            &format!("{{op: 'aggregate', collection: 'c', pipeline: [{{$limit: 1}}, {{$match: {{{tea}}}}}]}}"),
            "invalid: stage 1 `$match`: `$text` stands behind another stage",
        ).await;
        ask(
            &format!("{{op: 'aggregate', collection: 'c', pipeline: [{{$facet: {{a: [{{$match: {{{tea}}}}}]}}}}]}}"),
            "invalid: stage 0 `$facet`: `a`: stage 0 `$match`: `$text` cannot be asked of documents that were found already",
        ).await;
        ask(
            &format!("{{op: 'live_open', live: 1, collection: 'c', filter: {{{tea}}}}}"),
            "unsupported: `$text` cannot be followed live",
        ).await;
        for (spec, message) in [
            ("{fields: 'b', type: 'text', unique: true}", "a text index is neither unique nor sparse"),
            ("{fields: 'b', type: 'text', weights: {c: 1}}", "`weights` name `c`, no field of the index"),
            ("{fields: 'b', type: 'text', weights: {b: 0}}", "the weight of `b` is 0, not a whole number from 1 to 99999"),
            ("{fields: 'b', weights: {b: 1}}", "`weights` are of an index with `type: 'text'`"),
            ("{fields: 'b', type: 'texts'}", "option `type` of an index cannot be \"texts\""),
        ] {
            ask(&format!("{{op: 'create_index', collection: 'c', spec: {spec}}}"), &format!("invalid: {message}")).await;
        }
        let two = "[['d', {indexes: [{fields: 'a', type: 'text'}, {fields: 'b', type: 'text'}]}]]";
        let error = fixture.try_open("two", two).await.err().unwrap();
        assert_eq!(error.to_string(), "collection `d`: two indexes are of text, and there may be one");
    });
}

#[test]
fn scores_go_through_pipelines_and_plans_are_told() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("one", COLLECTIONS).await;
        database.ask("{op: 'insert', collection: 'c', docs: [{id: 1, title: 'tea'}, {id: 2, title: 'tea tea'}, {id: 3, title: 'x'}]}").await;
        let score = "{$meta: 'textScore'}";
        let find = format!("{{op: 'find', collection: 'c', filter: {{$text: {{$search: 'tea'}}}}, project: [['id', 1], ['s', {score}]]}}");
        let found = database.ask(&find).await;
        assert!(found.starts_with("{docs: [{id: 2, s: 0."), "{found}");
        let aggregate = async |stages: &str| {
            let stages = format!("[{{$match: {{$text: {{$search: 'tea'}}}}}}, {stages}]");
            database.ask(&format!("{{op: 'aggregate', collection: 'c', pipeline: {stages}}}")).await
        };
        assert_eq!(aggregate(&format!("{{$project: {{s: {score}}}}}")).await, found);
        assert_eq!(aggregate(&format!("{{$sort: {{x: {score}}}}}, {{$set: {{s: {score}}}}}, {{$unset: ['title']}}")).await, found);
        assert_eq!(aggregate(&format!("{{$match: {{id: {{$gt: 0}}}}}}, {{$skip: 0}}, {{$sort: {{x: {score}}}}}, {{$project: {{s: {score}}}}}")).await, found);
        let late = aggregate(&format!("{{$set: {{a: 1}}}}, {{$set: {{s: {score}}}}}")).await;
        assert_eq!(late, "invalid: `$set`: `s`: no score is known here");
        let explain = "{op: 'explain', collection: 'c', filter: {$text: {$search: 'tea -x'}, id: {$gt: 1}}, limit: 5, mode: 'executionStats'}";
        let explained = database.try_ask(explain).await.unwrap();
        assert_eq!(explained.get("plan"), Some(&value("'text'")));
        assert_eq!(explained.get("bounds"), Some(&value("'tea -x'")));
        assert_eq!(explained.get("index"), Some(&value("'title_notes.text_text'")));
        assert!(explained.get("execution").unwrap().to_string().contains("documents: 2"), "{explained}");
        let explain = explain.replace("limit: 5", "sort: [['year', 1], ['x', {$meta: 'textScore'}]]");
        let explained = database.try_ask(&explain).await.unwrap().to_string();
        assert!(explained.contains("by: [[\"year\", 1], [\"textScore\", -1]]"), "{explained}");
    });
}
