//! Transforms: documents of which fields are kept, left out, computed: `$project`, `$set`, `$unset`.
//!
//! Not a projection of a find: that computes nothing, and is `query/project.rs`.
//!
//! Invariants: what is computed sees the document as it was; fields keep their order, new ones stand behind them; a path
//! goes into objects and into the objects of arrays; what is made is no deeper than a document may be.

use crate::error::{Error, Result};
use crate::query::Expression;
use crate::query::expression::Names;
use crate::query::expression::{Scope, depth_checked, fuel};
use crate::value::view::ObjectView;
use crate::value::{Name, Object, Path, Value, View};

/// What becomes of the fields of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transform {
    /// What becomes of those that are not named.
    rest: Rest,
    fields: Fields,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Kept,
    LeftOut,
}

type Fields = Vec<(Name, Action)>;

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Keep,
    LeaveOut,
    Compute(Expression),
    Within(Fields),
}

impl Transform {
    /// `$set` and `$addFields`.
    pub(super) fn set(fields: &Object, names: Names<'_>) -> Result<Transform> {
        let mut set = Transform { rest: Rest::Kept, fields: Fields::new() };
        for (name, value) in fields.iter() {
            let expression = Expression::parse(value, names).map_err(|error| error.context(format!("`{name}`")))?;
            insert(&mut set.fields, &Path::parse(name)?, Action::Compute(expression))?;
        }
        Ok(set)
    }

    /// `$unset`.
    pub(super) fn unset(paths: &[Value]) -> Result<Transform> {
        let mut unset = Transform { rest: Rest::Kept, fields: Fields::new() };
        for path in paths {
            let path = path.as_str().ok_or_else(|| Error::invalid(format!("{path} is no field")))?;
            insert(&mut unset.fields, &Path::parse(path)?, Action::LeaveOut)?;
        }
        Ok(unset)
    }

    /// `$project`. Fields of the key stay unless they are left out by name.
    pub(super) fn project(fields: &Object, names: Names<'_>, key_fields: &[Path]) -> Result<Transform> {
        let mut actions = Vec::new();
        read_project(fields, "", names, &mut actions)?;
        let is_key = |path: &Path| key_fields.contains(path);
        let left_out = |(path, action): &(Path, Action)| *action == Action::LeaveOut && !is_key(path);
        let rest = match actions.iter().all(|(_, action)| *action == Action::LeaveOut) {
            true => Rest::Kept,
            false => Rest::LeftOut,
        };
        if rest == Rest::LeftOut {
            if let Some((path, _)) = actions.iter().find(|action| left_out(action)) {
                return Err(Error::invalid(format!("`{path}` is left out while other fields are kept")));
            }
            for field in key_fields {
                if !actions.iter().any(|(path, _)| path.overlaps(field)) {
                    actions.push((field.clone(), Action::Keep));
                }
            }
        }
        let mut transform = Transform { rest, fields: Fields::new() };
        for (path, action) in actions {
            insert(&mut transform.fields, &path, action)?;
        }
        Ok(transform)
    }

    /// The document that becomes of one, which may have been found by a text search.
    pub(super) fn apply(
        &self,
        document: ObjectView<'_>,
        score: Option<f64>,
        outer: &[Option<Value>],
    ) -> Result<Object> {
        let steps = fuel();
        let scope = Scope::new(View::Object(document), outer, &steps).scored(score);
        self.object(&self.fields, Some(document), &scope, 2)
    }

    fn object(&self, fields: &Fields, from: Option<ObjectView<'_>>, scope: &Scope<'_>, depth: usize) -> Result<Object> {
        let mut made: Vec<(Name, Value)> = Vec::with_capacity(fields.len());
        let mut seen = vec![false; fields.len()];
        for field in from.iter().flat_map(ObjectView::iter) {
            let (name, value) = field?;
            let place = fields.iter().position(|(known, _)| &**known == name);
            if let Some(seen) = place.and_then(|place| seen.get_mut(place)) {
                *seen = true;
            }
            let value = match (place.and_then(|place| fields.get(place)), self.rest) {
                (None, Rest::Kept) => Some(value.to_value()?),
                (None, Rest::LeftOut) => None,
                (Some((name, action)), _) => self.field(name, action, Some(value), scope, depth)?,
            };
            made.extend(value.map(|value| (name.into(), value)));
        }
        for ((name, action), _) in fields.iter().zip(&seen).filter(|(_, seen)| !**seen) {
            made.extend(self.field(name, action, None, scope, depth)?.map(|value| (name.clone(), value)));
        }
        Object::from_fields(made)
    }

    fn field(
        &self,
        name: &Name,
        action: &Action,
        value: Option<View<'_>>,
        scope: &Scope<'_>,
        depth: usize,
    ) -> Result<Option<Value>> {
        let computed = match (action, value) {
            (Action::Keep, value) => return value.map(|value| value.to_value()).transpose(),
            (Action::LeaveOut, _) => return Ok(None),
            (Action::Within(fields), value) => self.within(fields, value, scope, depth + 1),
            (Action::Compute(expression), _) => expression.evaluate(scope).and_then(|computed| {
                let computed = computed.into_value()?;
                computed.iter().try_for_each(|value| depth_checked(value, depth).map(drop))?;
                Ok(computed)
            }),
        };
        computed.map_err(|error| error.context(format!("`{name}`")))
    }

    fn within(
        &self,
        fields: &Fields,
        value: Option<View<'_>>,
        scope: &Scope<'_>,
        depth: usize,
    ) -> Result<Option<Value>> {
        Ok(match value {
            Some(View::Object(object)) => Some(self.object(fields, Some(object), scope, depth)?.into()),
            Some(View::Array(array)) => {
                let mut elements = Vec::with_capacity(array.len());
                for element in array.iter() {
                    elements.extend(self.within(fields, Some(element?), scope, depth + 1)?);
                }
                Some(elements.into())
            }
            _ if computes(fields) => Some(self.object(fields, None, scope, depth)?.into()),
            value if self.rest == Rest::Kept => value.map(|value| value.to_value()).transpose()?,
            _ => None,
        })
    }
}

fn computes(fields: &Fields) -> bool {
    fields.iter().any(|(_, action)| match action {
        Action::Compute(_) => true,
        Action::Within(fields) => computes(fields),
        Action::Keep | Action::LeaveOut => false,
    })
}

fn insert(fields: &mut Fields, path: &Path, action: Action) -> Result<()> {
    let conflict = || Error::invalid(format!("`{path}` stands beside a path that leads through it"));
    let Some((last, before)) = path.parts().split_last() else { return Ok(()) };
    let mut here = fields;
    for part in before {
        let place = here.iter().position(|(name, _)| *name == part.name).unwrap_or_else(|| {
            here.push((part.name.clone(), Action::Within(Fields::new())));
            here.len() - 1
        });
        match here.get_mut(place) {
            Some((_, Action::Within(within))) => here = within,
            _ => return Err(conflict()),
        }
    }
    if here.iter().any(|(name, _)| *name == last.name) {
        return Err(conflict());
    }
    here.push((last.name.clone(), action));
    Ok(())
}

fn read_project(fields: &Object, prefix: &str, names: Names<'_>, actions: &mut Vec<(Path, Action)>) -> Result<()> {
    if fields.is_empty() {
        return Err(Error::invalid("it names no field"));
    }
    for (name, value) in fields.iter() {
        let path = Path::parse(&format!("{prefix}{name}"))?;
        let action = match value {
            Value::Bool(kept) => kind(*kept),
            Value::Number(number) => kind(number.get() != 0.0),
            Value::BigInt(number) => kind(*number != 0),
            Value::Object(within) if !within.iter().any(|(name, _)| name.starts_with('$')) => {
                read_project(within, &format!("{path}."), names, actions)?;
                continue;
            }
            value => {
                let expression = Expression::parse(value, names);
                Action::Compute(expression.map_err(|error| error.context(format!("`{path}`")))?)
            }
        };
        actions.push((path, action));
    }
    Ok(())
}

const fn kind(kept: bool) -> Action {
    if kept { Action::Keep } else { Action::LeaveOut }
}
