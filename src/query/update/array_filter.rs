//! Array filters: which elements of an array `$[name]` means.
//!
//! Not a filter of documents: one looks at an element as at a field of that name.
//!
//! Invariant: each is of one name, no two are of the same, and none is left unused.

use crate::error::{Error, Result};
use crate::query::Filter;
use crate::value::{Name, Object, Value};

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct ArrayFilter {
    name: Name,
    filter: Filter,
}

/// All that were given.
#[derive(Debug)]
pub(super) struct ArrayFilters {
    filters: Vec<(ArrayFilter, Use)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Used,
    Unused,
}

const HINT: &str = "e.g. the update `{ $set: { 'rows.$[row].done': true } }` with `arrayFilters: [{ 'row.n': 5 }]`";

impl ArrayFilters {
    /// # Errors
    /// `invalid` or `unsupported` for what is no filter of elements.
    pub(super) fn parse(filters: &[Value]) -> Result<ArrayFilters> {
        let mut parsed: Vec<(ArrayFilter, Use)> = Vec::with_capacity(filters.len());
        for (place, filter) in filters.iter().enumerate() {
            let named = |error: Error| error.context(format!("array filter {place}"));
            let Value::Object(filter) = filter else {
                return Err(named(Error::invalid(format!("is {}, not an object", filter.type_name()))).with_hint(HINT));
            };
            let filter = Filter::parse(filter).map_err(named)?;
            let mut name = None;
            name_of(&filter, &mut name).map_err(named)?;
            let name = name.ok_or_else(|| named(Error::invalid("names no element")).with_hint(HINT))?;
            if !is_name(&name) {
                let message = format!("`{name}` is no name: a small letter, then letters and digits");
                return Err(named(Error::invalid(message)).with_hint(HINT));
            }
            if parsed.iter().any(|(other, _)| other.name == name) {
                return Err(
                    named(Error::invalid(format!("there is another for `{name}`"))).with_hint("join them by `$and`")
                );
            }
            parsed.push((ArrayFilter { name, filter }, Use::Unused));
        }
        Ok(ArrayFilters { filters: parsed })
    }

    /// The filter of a name.
    ///
    /// # Errors
    /// `invalid` where there is none.
    pub(super) fn take(&mut self, name: &str) -> Result<ArrayFilter> {
        let found = self.filters.iter_mut().find(|(filter, _)| &*filter.name == name);
        let found =
            found.ok_or_else(|| Error::invalid(format!("no array filter is named `{name}`")).with_hint(HINT))?;
        found.1 = Use::Used;
        Ok(found.0.clone())
    }

    /// # Errors
    /// `invalid` where one was not taken.
    pub(super) fn check_all_used(&self) -> Result<()> {
        match self.filters.iter().find(|(_, used)| *used == Use::Unused) {
            None => Ok(()),
            Some((filter, _)) => {
                let message = format!("array filter `{}` is not used by the update", filter.name);
                Err(Error::invalid(message).with_hint(HINT))
            }
        }
    }
}

impl ArrayFilter {
    /// # Errors
    /// As [`Filter::matches`].
    pub(super) fn matches(&self, element: &Value) -> Result<bool> {
        self.filter.matches((&Object::from([(&*self.name, element.clone())])).into())
    }
}

/// The first part of all paths, which must be the same.
fn name_of(filter: &Filter, name: &mut Option<Name>) -> Result<()> {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().try_for_each(|filter| name_of(filter, name)),
        Filter::Not(filter) => name_of(filter, name),
        Filter::Field(path, _) => {
            let Some(first) = path.parts().first() else { return Ok(()) };
            let known = name.get_or_insert_with(|| first.name.clone());
            if *known == first.name {
                return Ok(());
            }
            let message = format!("is of `{known}` and of `{}`", first.name);
            Err(Error::invalid(message).with_hint("give one filter for each name"))
        }
        Filter::Text(_) => Err(Error::invalid("`$text` is of documents, not of elements")),
        Filter::Expression(_) => Err(Error::invalid("`$expr` is of documents, not of elements")),
        Filter::Itself(_) => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
