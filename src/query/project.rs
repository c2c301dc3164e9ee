//! Projections: which fields of a document are handed out.
//!
//! Not a computation: fields are taken or left as they are.
//!
//! Invariants: fields keep the document's order; the key's fields are kept unless they are excluded by name; a dotted
//! path goes into objects and into the objects of arrays.

use crate::error::{Error, Result};
use crate::query::sort::is_score;
use crate::value::view::{ArrayView, ObjectView};
use crate::value::{Name, Object, Path, Value, View};

/// A checked projection.
#[derive(Clone, Debug)]
pub struct Projection {
    kind: Kind,
    tree: Node,
    /// Fields that are set to the score of a text search.
    scores: Vec<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Include,
    Exclude,
}

/// What is said of the fields of an object; without fields of its own, the whole value is meant.
#[derive(Clone, Debug, Default)]
struct Node {
    fields: Vec<(Name, Node)>,
}

impl Projection {
    /// From pairs `[field, 1 | 0 | { $meta: 'textScore' }]` and the fields of the primary key; none where there are no pairs.
    ///
    /// # Errors
    /// `invalid` for anything else, for inclusion mixed with exclusion (but of the key), and for paths that lead
    /// through each other.
    pub fn parse(pairs: &[Value], key_fields: &[Path]) -> Result<Option<Projection>> {
        let (mut included, mut excluded, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pairs {
            let Some([Value::String(path), taken]) = pair.as_array() else {
                return Err(Error::invalid("projection takes pairs of a field and 1 or 0"));
            };
            let path = Path::parse(path).map_err(|error| error.context("projection"))?;
            match taken {
                taken if is_score(taken) => match path.parts() {
                    [part] => scores.push(part.name.clone()),
                    _ => return Err(Error::invalid(format!("projection: the score cannot stand at `{path}`"))),
                },
                Value::Bool(true) => included.push(path),
                Value::Bool(false) => excluded.push(path),
                Value::Number(number) if number.get() == 1.0 => included.push(path),
                Value::Number(number) if number.get() == 0.0 => excluded.push(path),
                other => return Err(Error::invalid(format!("projection: `{path}` is {other}, not 1 or 0"))),
            }
        }
        if included.is_empty() && excluded.is_empty() && scores.is_empty() {
            return Ok(None);
        }
        let kind = if included.is_empty() { Kind::Exclude } else { Kind::Include };
        if kind == Kind::Include {
            if let Some(path) = excluded.iter().find(|path| !key_fields.contains(path)) {
                return Err(Error::invalid(format!("projection excludes `{path}` while it includes others")));
            }
            for field in key_fields {
                if !excluded.contains(field) && !included.iter().any(|path| path.overlaps(field)) {
                    included.push(field.clone());
                }
            }
        }
        let mut tree = Node::default();
        let paths = if kind == Kind::Include { included } else { excluded };
        for (i, path) in paths.iter().enumerate() {
            if let Some(other) = paths.iter().take(i).find(|other| other.overlaps(path)) {
                return Err(Error::invalid(format!("projections of `{other}` and `{path}` are in conflict")));
            }
            tree.insert(path);
        }
        Ok(Some(Projection { kind, tree, scores }))
    }

    /// Whether the score of a text search is part of it.
    #[must_use]
    pub const fn has_score(&self) -> bool {
        !self.scores.is_empty()
    }

    /// The fields that are all that is handed out; none where some are left out instead, or taken from within others.
    #[must_use]
    pub fn plain_fields(&self) -> Option<Vec<Path>> {
        let plain = |(name, node): &(Name, Node)| Path::parse(name).ok().filter(|_| node.fields.is_empty());
        let is_plain = self.kind == Kind::Include && self.scores.is_empty();
        self.tree.fields.iter().map(plain).collect::<Option<Vec<_>>>().filter(|_| is_plain)
    }

    /// The projected document; the score is 0 where it was not searched.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn apply(&self, document: ObjectView<'_>) -> Result<Object> {
        self.apply_scored(document, 0.0)
    }

    /// The projected document, which a text search found.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn apply_scored(&self, document: ObjectView<'_>, score: f64) -> Result<Object> {
        let mut projected = object(self.kind, &self.tree, document)?;
        for name in &self.scores {
            projected.set(name.clone(), Value::number(score)?);
        }
        Ok(projected)
    }
}

impl Node {
    fn insert(&mut self, path: &Path) {
        let mut node = self;
        for part in path.parts() {
            let known = node.fields.iter().position(|(name, _)| *name == part.name);
            let place = known.unwrap_or_else(|| {
                node.fields.push((part.name.clone(), Node::default()));
                node.fields.len() - 1
            });
            match node.fields.get_mut(place) {
                Some((_, next)) => node = next,
                None => return,
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Node> {
        self.fields.iter().find_map(|(field, node)| (&**field == name).then_some(node))
    }
}

fn object(kind: Kind, node: &Node, document: ObjectView<'_>) -> Result<Object> {
    let mut fields: Vec<(Name, Value)> = Vec::new();
    for field in document.iter() {
        let (name, value) = field?;
        let projected = match (kind, node.get(name)) {
            (Kind::Include, None) => None,
            (Kind::Exclude, None) => Some(value.to_value()?),
            (kind, Some(node)) => within(kind, node, value)?,
        };
        if let Some(value) = projected {
            fields.push((name.into(), value));
        }
    }
    Object::from_fields(fields)
}

/// A value of which something is said; none where it is left out.
fn within(kind: Kind, node: &Node, value: View<'_>) -> Result<Option<Value>> {
    Ok(match (kind, value) {
        (Kind::Include, value) if node.fields.is_empty() => Some(value.to_value()?),
        (Kind::Exclude, _) if node.fields.is_empty() => None,
        (kind, View::Object(value)) => Some(Value::Object(object(kind, node, value)?)),
        (kind, View::Array(elements)) => Some(Value::Array(array(kind, node, elements)?)),
        (Kind::Include, _) => None,
        (Kind::Exclude, value) => Some(value.to_value()?),
    })
}

fn array(kind: Kind, node: &Node, elements: ArrayView<'_>) -> Result<Vec<Value>> {
    let mut projected = Vec::new();
    for element in elements.iter() {
        if let Some(value) = within(kind, node, element?)? {
            projected.push(value);
        }
    }
    Ok(projected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[track_caller]
    fn check(fields: &[(&str, i32)], expected: &str) {
        let element = Object::from([("c", 1.into()), ("d", 2.into())]);
        let document = Object::from([
            ("x", 1.into()),
            ("id", "k".into()),
            ("b", vec![element.clone().into(), 7.into()].into()),
            ("e", element.into()),
        ]);
        let pair = |(field, taken): &(&str, i32)| Value::Array(vec![(*field).into(), (*taken).into()]);
        let pairs: Vec<_> = fields.iter().map(pair).collect();
        let projected = Projection::parse(&pairs, &[Path::parse("id").unwrap()])
            .map(|projection| projection.unwrap().apply((&document).into()).unwrap().to_string());
        assert_eq!(projected.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn inclusion_keeps_the_key_and_the_order() {
        check(&[("e.d", 1), ("x", 1)], "{x: 1, id: \"k\", e: {d: 2}}");
        check(&[("b.c", 1), ("id", 0)], "{b: [{c: 1}]}");
        check(&[("x.y", 1)], "{id: \"k\"}");
    }

    #[test]
    fn exclusion_leaves_the_rest() {
        check(&[("e", 0), ("b.c", 0)], "{x: 1, id: \"k\", b: [{d: 2}, 7]}");
        check(&[("id", 0), ("b", 0), ("e.c", 0)], "{x: 1, e: {d: 2}}");
    }

    #[test]
    fn mistakes_are_named() {
        check(&[("x", 1), ("e", 0)], "projection excludes `e` while it includes others");
        check(&[("e", 1), ("e.c", 1)], "projections of `e` and `e.c` are in conflict");
        check(&[("x", 2)], "projection: `x` is 2, not 1 or 0");
        assert!(Projection::parse(&[], &[]).unwrap().is_none());
    }
}
