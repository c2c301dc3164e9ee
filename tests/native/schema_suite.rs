//! The official test suite of JSON Schema 2020-12, as it lies in `tests/data/json_schema`.
//!
//! A case passes where the answer for the value is the expected one; for the tree, and for its row. A schema that is
//! refused fails, unless it is listed here with the reason.

use crate::json;
use crate::value_laws::row_of;
use hyphadb::error::Result;
use hyphadb::schema::Schema;
use hyphadb::value::shape::Shapes;
use hyphadb::value::{Object, Value, row};
use std::fs;
use std::path::{Path, PathBuf};

/// What is refused on purpose: file, the beginning of the group's description, and a part of the message.
const REFUSED: [(&str, &str, &str); 4] = [
    // The tables of Unicode's properties are larger than the whole of the validator.
    ("pattern", "pattern with Unicode property escape", r"`\p` is not supported"),
    ("patternProperties", "patternProperties with Unicode property escape", r"`\p` is not supported"),
    // A dialect of one's own takes a meta-schema that would have to be fetched.
    ("vocabulary", "schema that uses custom metaschema", "`$schema`"),
    ("vocabulary", "ignore unrecognized optional vocabulary", "`$schema`"),
];
/// Where the suite's other documents claim to be.
const REMOTE: &str = "http://localhost:1234/";

#[derive(Default)]
struct Tally {
    passed: usize,
    /// Of these, with another document put in.
    bundled: usize,
    failures: Vec<String>,
    refused: Vec<String>,
    not_refused: Vec<String>,
}

fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json_schema")
}

fn text<'a>(object: &'a serde_json::Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// Runs the files of one folder.
fn run(suite: &Path, folder: &str) -> Tally {
    let mut tally = Tally::default();
    let mut files: Vec<PathBuf> = fs::read_dir(suite.join("tests/draft2020-12").join(folder))
        .expect("the suite has draft 2020-12")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    for path in files {
        let file = path.file_stem().unwrap().to_str().unwrap();
        let groups: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            run_group(suite, file, group, &mut tally);
        }
    }
    tally
}

fn run_group(suite: &Path, file: &str, group: &serde_json::Value, tally: &mut Tally) {
    let description = text(group, "description");
    let tests = group["tests"].as_array().unwrap();
    let (result, is_bundled) = compile(suite, &json::from(&group["schema"]));
    let schema = match result {
        Ok(schema) => schema,
        Err(error) => {
            let line = format!("{file}: {description}: {error} ({} cases)", tests.len());
            let is_listed = REFUSED.iter().any(|(in_file, group, message)| {
                *in_file == file && description.starts_with(group) && error.to_string().contains(message)
            });
            if is_listed {
                tally.refused.push(line)
            } else {
                tally.not_refused.push(line)
            }
            return;
        }
    };
    for test in tests {
        let expected = test["valid"].as_bool().unwrap();
        let data = json::from(&test["data"]);
        let violations = schema.validate((&data).into()).unwrap();
        assert_eq!(schema.is_valid((&data).into()).unwrap(), violations.is_empty());
        if violations.is_empty() == expected && in_a_row(&schema, &data) == expected {
            tally.passed += 1;
            tally.bundled += usize::from(is_bundled);
        } else {
            let case = text(test, "description");
            tally.failures.push(format!("{file}: {description}: {case}: expected {expected}, found {violations:?}"));
        }
    }
}

/// Compiles a schema. Where it leads to another document, that is put into its `$defs`, as users have to do it.
fn compile(suite: &Path, schema: &Value) -> (Result<Schema>, bool) {
    let mut bundle = schema.clone();
    for round in 0..10 {
        let error = match Schema::compile(&bundle) {
            Err(error) if error.to_string().contains("leads to another document") => error,
            result => return (result, round > 0),
        };
        let message = error.to_string();
        let address = message.rsplit('`').nth(1).unwrap();
        let (Some(path), Value::Object(root)) = (address.strip_prefix(REMOTE), &mut bundle) else {
            return (Err(error), false);
        };
        let Ok(text) = fs::read_to_string(suite.join("remotes").join(path)) else { return (Err(error), false) };
        let mut definitions = root.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
        definitions.set(address, addressed(address, json::value(&text)));
        root.set("$defs", definitions.into());
    }
    (Schema::compile(&bundle), true)
}

/// A document under its address; with an `$id` of its own, under both.
fn addressed(address: &str, document: Value) -> Value {
    let Value::Object(mut object) = document else { return document };
    let own = object.get("$id").filter(|id| id.as_str() != Some(address));
    let Some(id) = own.cloned() else {
        object.set("$id", address.into());
        return object.into();
    };
    let inner = Object::from([("own", object.into())]);
    Object::from([("$id", address.into()), ("$ref", id), ("$defs", inner.into())]).into()
}

/// What the schema says of the value in a row, by way of a schema of the object that it is in.
fn in_a_row(schema: &Schema, data: &Value) -> bool {
    let mut shapes = Shapes::new();
    let bytes = row_of(&Object::from([("value", data.clone())]), &mut shapes);
    let view = row::open(&bytes, &shapes).unwrap().get("value").unwrap().unwrap();
    schema.is_valid(view).unwrap()
}

#[test]
fn the_required_cases_pass() {
    let suite = suite();
    let tally = run(&suite, "");
    let Tally { passed, bundled, refused, .. } = &tally;
    eprintln!("required: {passed} passed, {bundled} of them bundled; {} groups refused as listed", refused.len());
    let wrong = [&tally.failures[..], &tally.not_refused[..]].concat();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tally.passed > 1000, "the suite is not whole: {} cases", tally.passed);
}

#[test]
fn the_optional_cases_are_counted() {
    let suite = suite();
    for folder in ["optional", "optional/format"] {
        let tally = run(&suite, folder);
        eprintln!(
            "{folder}: {} passed, {} failed, {} groups refused",
            tally.passed,
            tally.failures.len(),
            tally.not_refused.len()
        );
        for line in tally.failures.iter().chain(&tally.not_refused) {
            eprintln!("  {line}");
        }
    }
}
