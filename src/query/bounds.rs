//! Bounds: which keys of an index hold every document that can match.
//!
//! Not a choice between indexes: that is `query/plan.rs`.
//!
//! Invariants: a document that matches the tests has an entry within the bounds; a test that is among the used ones
//! holds for every entry within the bounds, and need not be asked again; one that only narrows them has to be.

use crate::error::Result;
use crate::query::filter::{Filter, Test};
use crate::value::{KeyRange, Path, Value, View, key, key_range};

/// Ranges of one index at most; a filter that needs more is narrowed by its first fields only.
const RANGES_MAX: usize = 10_000;

/// One field of an index, as planning sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexField<'a> {
    pub(crate) path: &'a Path,
    /// Whether some document has several entries because of this field.
    pub(crate) multi: bool,
}

/// How a field of an index is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// To one value.
    Point,
    /// To several values.
    Points,
    /// To a range of values. No later field is bound.
    Range,
}

/// The bounds of an index for a filter.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    /// In ascending order, apart from each other.
    pub(crate) ranges: Vec<KeyRange>,
    /// For the first fields of the index.
    pub(crate) bindings: Vec<Binding>,
    /// The conjuncts, by their place, that the bounds stand for.
    pub(crate) used: Vec<usize>,
    /// Those that hold for some entries within the bounds only: patterns that begin with a text.
    pub(crate) narrowing: Vec<usize>,
    /// For people: `site = "x", ts > 5`.
    pub(crate) text: Vec<String>,
}

impl Bounds {
    /// How many of the first fields are bound to values.
    pub(crate) fn points(&self) -> usize {
        self.bindings.iter().filter(|binding| **binding != Binding::Range).count()
    }

    /// Whether some field is bound.
    pub(crate) fn is_bound(&self) -> bool {
        !self.bindings.is_empty()
    }
}

/// The bounds that the conjuncts of a filter give to an index with these fields.
pub(crate) fn bounds(fields: &[IndexField<'_>], conjuncts: &[&Filter]) -> Result<Bounds> {
    let mut found = Bounds::default();
    let mut prefixes: Vec<Vec<u8>> = vec![Vec::new()];
    for field in fields {
        let tests = usable(field.path, conjuncts);
        if let Some((place, points)) = points(&tests)
            && prefixes.len().saturating_mul(points.len()) <= RANGES_MAX
        {
            prefixes = extend(&prefixes, points)?;
            found.bindings.push(if points.len() == 1 { Binding::Point } else { Binding::Points });
            found.take(place, true, conjuncts);
            continue;
        }
        if let Some((places, range)) = range(&tests, field.multi)? {
            found.ranges = prefixes.iter().map(|prefix| range.within(prefix)).collect();
            found.ranges.retain(|range| !range.is_empty());
            found.bindings.push(Binding::Range);
            for (place, is_exact) in places {
                found.take(place, is_exact, conjuncts);
            }
            return Ok(found);
        }
        break;
    }
    found.ranges = prefixes.iter().map(|prefix| KeyRange::prefix(prefix)).collect();
    Ok(found)
}

impl Bounds {
    fn take(&mut self, place: usize, is_exact: bool, conjuncts: &[&Filter]) {
        if is_exact { &mut self.used } else { &mut self.narrowing }.push(place);
        if let Some(Filter::Field(path, test)) = conjuncts.get(place) {
            self.text.push(describe(path, test));
        }
    }
}

/// The tests of this path that an index can answer: an index over elements does not hold whole arrays.
fn usable<'a>(path: &Path, conjuncts: &[&'a Filter]) -> Vec<(usize, &'a Test)> {
    let is_array = |value: &Value| matches!(value, Value::Array(_));
    let mut tests = Vec::new();
    for (place, conjunct) in conjuncts.iter().enumerate() {
        if let Filter::Field(of, test) = conjunct
            && of == path
        {
            let answers = match test {
                Test::Eq(value) | Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value) => {
                    !is_array(value)
                }
                Test::In(values) => !values.iter().any(is_array),
                Test::Pattern(pattern) => pattern.prefix().is_some(),
                _ => false,
            };
            if answers {
                tests.push((place, test));
            }
        }
    }
    tests
}

/// The test with the fewest values that the field must have one of.
fn points<'a>(tests: &[(usize, &'a Test)]) -> Option<(usize, &'a [Value])> {
    let points = tests.iter().filter_map(|(place, test)| match test {
        Test::Eq(value) => Some((*place, core::slice::from_ref(value))),
        Test::In(values) => Some((*place, values.as_slice())),
        _ => None,
    });
    points.min_by_key(|(_, values)| values.len())
}

/// Every prefix with every value behind it; stays in ascending order, for no component is the beginning of another.
fn extend(prefixes: &[Vec<u8>], values: &[Value]) -> Result<Vec<Vec<u8>>> {
    let mut extended = Vec::with_capacity(prefixes.len() * values.len());
    for prefix in prefixes {
        for value in values {
            let mut bytes = prefix.clone();
            key::push(&mut bytes, value.into())?;
            extended.push(bytes);
        }
    }
    Ok(extended)
}

/// Tests by their place, and whether a range stands for each, or is wider.
type Places = Vec<(usize, bool)>;

/// The range of one component that the tests leave, and which of them it is of. Where the field may have several
/// values, one of them may pass one test and another the next: only one test can bound it.
fn range(tests: &[(usize, &Test)], multi: bool) -> Result<Option<(Places, KeyRange)>> {
    let mut bound: Option<(Places, KeyRange)> = None;
    for (place, test) in tests {
        let Some((next, is_exact)) = range_of(test)? else { continue };
        match &mut bound {
            None => bound = Some((vec![(*place, is_exact)], next)),
            Some(_) if multi => {}
            Some((places, range)) => {
                places.push((*place, is_exact));
                *range = intersection(range, next);
            }
        }
    }
    Ok(bound)
}

fn range_of(test: &Test) -> Result<Option<(KeyRange, bool)>> {
    let (Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value)) = test else {
        let Test::Pattern(pattern) = test else { return Ok(None) };
        return Ok(pattern.prefix().map(|(prefix, is_exact)| (key::begins_with(&prefix), is_exact)));
    };
    let at = key::encode(View::from(value))?;
    let bracket = key::bracket(value.into());
    let range = match test {
        Test::Gt(_) => KeyRange { start: key_range::successor(&at).unwrap_or(at), end: bracket.end },
        Test::Gte(_) => KeyRange { start: at, end: bracket.end },
        Test::Lt(_) => KeyRange { start: bracket.start, end: Some(at) },
        _ => KeyRange { start: bracket.start, end: key_range::successor(&at) },
    };
    Ok(Some((range, true)))
}

fn intersection(left: &KeyRange, right: KeyRange) -> KeyRange {
    let end = match (&left.end, right.end) {
        (Some(left), Some(right)) => Some(right.min(left.clone())),
        (left, right) => right.or_else(|| left.clone()),
    };
    KeyRange { start: right.start.max(left.start.clone()), end }
}

fn describe(path: &Path, test: &Test) -> String {
    match test {
        Test::Eq(value) => format!("{path} = {value}"),
        Test::Gt(value) => format!("{path} > {value}"),
        Test::Gte(value) => format!("{path} >= {value}"),
        Test::Lt(value) => format!("{path} < {value}"),
        Test::Lte(value) => format!("{path} <= {value}"),
        Test::In(values) => format!("{path} in {}", Value::Array(values.clone())),
        Test::Pattern(pattern) => {
            format!("{path} begins with {}", Value::from(pattern.prefix().unwrap_or_default().0))
        }
        _ => path.to_string(),
    }
}
