//! Texts and searches at random, and what a search finds among them: each document is cut into words, counted and scored anew.
//!
//! Not the engine's code: all of it is written a second time, in the plainest way.

use crate::notation::object;
use hyphadb::env::simulated::Random;
use hyphadb::value::{Object, Value};
use std::collections::BTreeMap;

const WEIGHTS: [f64; 2] = [3.0, 1.0];

const WORDS: [&str; 30] = [
    "jazz",
    "jazzy",
    "jaz",
    "fizz",
    "fuzz",
    "Piano",
    "paino",
    "viola",
    "violas",
    "violin",
    "violins",
    "tea",
    "ten",
    "east",
    "EAST",
    "est",
    "seat",
    "Caf\u{e9}",
    "cafe",
    "cave",
    "care",
    "\u{6771}\u{4eac}",
    "\u{4eac}\u{90fd}",
    "\u{6771}",
    "a",
    "of",
    "rock-jazz",
    "tango",
    "mango",
    "mangos",
];

fn pick(random: &mut Random) -> &'static str {
    // A few words are everywhere.
    let most = if random.percent(50) { 6 } else { WORDS.len() };
    WORDS[random.index(most)]
}

pub fn text(random: &mut Random, words_max: u64) -> String {
    let words: Vec<&str> = (0..random.below(words_max)).map(|_| pick(random)).collect();
    words.join(if random.percent(80) { " " } else { ", " })
}

/// The documents, by id.
pub type Model = BTreeMap<u64, Object>;

pub fn document(random: &mut Random, id: u64) -> Object {
    let mut document = object(&format!("{{id: {id}, year: {}}}", random.below(5)));
    document.set("title", text(random, 7).into());
    let mut note = || Value::from(text(random, 9));
    let note_of = |text: Value| Value::from(Object::from([("text", text)]));
    let notes = match note().as_str().map_or(0, str::len) % 5 {
        0 => Value::from(7),
        1 => note_of(note()),
        2 => vec![note_of(note()), 5.into(), note_of(note())].into(),
        3 => note_of(vec![note(), 3.into(), note()].into()),
        _ => return document,
    };
    document.set("notes", notes);
    document
}

/// The strings at a path, as MongoDB goes through arrays.
fn strings(value: &Value, path: &[&str], out: &mut Vec<String>) {
    match (value, path) {
        (Value::String(text), []) => out.push(text.clone()),
        (Value::Array(elements), []) => out.extend(elements.iter().filter_map(|each| each.as_str().map(str::to_owned))),
        (Value::Object(object), [first, rest @ ..]) => {
            object.get(first).into_iter().for_each(|value| strings(value, rest, out));
        }
        (Value::Array(elements), path) => {
            let objects = elements.iter().filter(|element| matches!(element, Value::Object(_)));
            objects.for_each(|element| strings(element, path, out));
        }
        _ => {}
    }
}

fn words(text: &str) -> Vec<String> {
    let spaced: String =
        text.chars().map(|c| if c as u32 > 0x4000 { format!(" {c} ") } else { c.to_string() }).collect();
    let folded = spaced.to_lowercase().replace('\u{e9}', "e");
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words of a document: texts of each field.
fn texts(document: &Object) -> [Vec<Vec<String>>; 2] {
    [&["title"][..], &["notes", "text"]].map(|path| {
        let mut found = Vec::new();
        strings(&document.clone().into(), path, &mut found);
        found.iter().map(|text| words(text)).collect()
    })
}

fn length(document: &Object) -> f64 {
    let fields = texts(document).into_iter().zip(WEIGHTS);
    fields.map(|(texts, weight)| texts.iter().map(Vec::len).sum::<usize>() as f64 * weight).sum()
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Any,
    Must,
    Not,
}

#[derive(Clone, Debug)]
pub struct Clause {
    pub kind: Kind,
    pub words: Vec<String>,
    pub is_prefix: bool,
    pub is_fuzzy: bool,
}

/// Optimal string alignment.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let same = usize::from(left[i - 1] != right[j - 1]);
            table[i][j] = (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + same);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                table[i][j] = table[i][j].min(table[i - 2][j - 2] + 1);
            }
        }
    }
    table[left.len()][right.len()]
}

impl Clause {
    /// How often it occurs, by weight.
    fn count(&self, document: &Object) -> f64 {
        let mut count = 0.0;
        for (texts, weight) in texts(document).iter().zip(WEIGHTS) {
            for text in texts {
                for run in text.windows(self.words.len()) {
                    count += weight * self.worth(run);
                }
            }
        }
        count
    }

    fn worth(&self, run: &[String]) -> f64 {
        if run == self.words {
            return 1.0;
        }
        match (run, self.words.as_slice()) {
            ([word], [wanted]) if self.is_prefix && word.starts_with(wanted) => 1.0,
            ([word], [wanted]) if self.is_fuzzy && distance(word, wanted) == 1 => 0.5,
            _ => 0.0,
        }
    }
}

/// What is searched: as text, and what that means.
pub fn search(random: &mut Random) -> (String, Vec<Clause>) {
    let (is_all, is_fuzzy) = (random.percent(25), random.percent(35));
    let (mut search, mut clauses) = (Vec::new(), Vec::<Clause>::new());
    for place in 0..=random.below(3) {
        let word = if place == 0 { pick(random).replace("rock-", "") } else { pick(random).to_owned() };
        let mut add = |kind, words: Vec<String>, is_prefix: bool| {
            let is_fuzzy = is_fuzzy && kind != Kind::Not && words.len() == 1 && words[0].len() > 3 && !is_prefix;
            let clause = Clause { kind, words, is_prefix, is_fuzzy };
            let is_same = |other: &Clause| format!("{other:?}") == format!("{clause:?}");
            if !clauses.iter().any(is_same) {
                clauses.push(clause);
            }
        };
        let any = if is_all { Kind::Must } else { Kind::Any };
        match random.below(8) {
            0 | 1 => {
                let phrase = format!("{word} {}", pick(random));
                add(Kind::Must, words(&phrase), false);
                search.push(format!("\"{phrase}\""));
            }
            2 if place > 0 => {
                add(Kind::Not, words(&word), false);
                search.push(format!("-{word}"));
            }
            3 | 4 if word.is_ascii() && !word.contains('-') => {
                let front: String = word.chars().take(word.len().div_ceil(2)).collect();
                add(any, words(&front), true);
                search.push(format!("{front}*"));
            }
            _ => {
                match word.is_ascii() {
                    true => words(&word).into_iter().for_each(|word| add(any, vec![word], false)),
                    false => add(any, words(&word), false),
                }
                search.push(word);
            }
        }
    }
    (format!("{{$search: '{}', $all: {is_all}, $fuzzy: {is_fuzzy}}}", search.join(" ")), clauses)
}

/// Which documents match, and how well; `before` is what is counted.
pub fn expected(model: &Model, before: &Model, clauses: &[Clause]) -> BTreeMap<u64, f64> {
    let lengths: Vec<f64> = before.values().map(length).filter(|length| *length > 0.0).collect();
    let documents = lengths.len() as f64;
    let mean = (lengths.iter().sum::<f64>() / documents.max(1.0)).max(1.0);
    let mut scores = BTreeMap::new();
    let with: Vec<f64> = clauses
        .iter()
        .map(|clause| model.values().filter(|document| clause.count(document) > 0.0).count() as f64)
        .collect();
    for (id, document) in model {
        let counts: Vec<f64> = clauses.iter().map(|clause| clause.count(document)).collect();
        let has = |kind| clauses.iter().zip(&counts).filter(move |(clause, _)| clause.kind == kind);
        let is_found = has(Kind::Must).all(|(_, count)| *count > 0.0)
            && !has(Kind::Not).any(|(_, count)| *count > 0.0)
            && clauses.iter().zip(&counts).any(|(clause, count)| clause.kind != Kind::Not && *count > 0.0);
        if !is_found {
            continue;
        }
        let mut score = 0.0;
        for ((clause, count), with) in clauses.iter().zip(&counts).zip(&with) {
            if clause.kind != Kind::Not {
                let rare = (1.0 + (documents.max(*with) - with + 0.5) / (with + 0.5)).ln();
                score += rare * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length(document) / mean));
            }
        }
        scores.insert(*id, score);
    }
    scores
}

pub fn number(document: &Object, field: &str) -> f64 {
    match document.get(field) {
        Some(Value::Number(number)) => number.get(),
        other => panic!("{field} is {other:?}"),
    }
}
