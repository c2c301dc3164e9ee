//! The fields of a request, each as what it has to be.
//!
//! Not an answer: what is done about a request is in `db/request.rs`.
//!
//! Invariant: a field of the wrong type is an error that names it; one that is null was not given.

use crate::db::collection::Upsert;
use crate::db::config::parse_count;
use crate::db::draft::Docs;
use crate::db::find::{Query, Reading};
use crate::env::Timestamp;
use crate::error::{Error, Result};
use crate::query::sort::no_score;
use crate::query::{Filter, Projection, Sort, Update};
use crate::value::batch::Batch;
use crate::value::{Object, Path, Value, codec};

/// A request, as it was decoded.
pub(crate) struct Request(pub(in crate::db) Object);

impl Request {
    /// Reads an encoded request.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Request> {
        if let Some((collection, key)) = codec::decode_named(bytes) {
            // What `db/glance.rs` did not answer.
            let keys = Value::Array(vec![key]);
            return Ok(Request(Object::from([
                ("op", "get".into()),
                ("collection", collection.into()),
                ("keys", keys),
            ])));
        }
        match codec::decode(bytes)? {
            Value::Object(object) => Ok(Request(object)),
            other => Err(Error::invalid(format!("a request is an object, not {}", other.type_name()))),
        }
    }

    /// Whether it can be answered again and again.
    pub(in crate::db) fn only_reads(&self) -> bool {
        let Ok(op) = self.text("op") else { return false };
        let reads = [
            "get",
            "find",
            "aggregate",
            "count",
            "distinct",
            "stats",
            "explain",
            "migration_read",
            "slow_queries",
            "advise",
        ];
        op.starts_with("live_") || reads.contains(&op)
    }

    /// A field that is there and not null.
    pub(in crate::db) fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| **value != Value::Null)
    }

    pub(in crate::db) fn needed(&self, name: &str) -> Result<&Value> {
        self.given(name).ok_or_else(|| Error::invalid(format!("`{name}` is missing")))
    }

    pub(in crate::db) fn text(&self, name: &str) -> Result<&str> {
        let value = self.needed(name)?;
        value.as_str().ok_or_else(|| Error::invalid(format!("`{name}` is {}, not a string", value.type_name())))
    }

    pub(in crate::db) fn list(&self, name: &str) -> Result<&[Value]> {
        let value = self.needed(name)?;
        value.as_array().ok_or_else(|| Error::invalid(format!("`{name}` is {}, not an array", value.type_name())))
    }

    /// Documents: an array, or a batch in bytes.
    pub(in crate::db) fn docs(&self) -> Result<Docs<'_>> {
        match self.needed("docs")? {
            Value::Bytes(batch) => Batch::open(batch).map(Docs::Batch),
            _ => self.list("docs").map(Docs::Trees),
        }
    }

    /// An array, empty where it is not given.
    pub(in crate::db) fn list_or_empty(&self, name: &str) -> Result<&[Value]> {
        if self.given(name).is_some() { self.list(name) } else { Ok(&[]) }
    }

    pub(in crate::db) fn object(&self, name: &str) -> Result<&Object> {
        let value = self.needed(name)?;
        value.as_object().ok_or_else(|| Error::invalid(format!("`{name}` is {}, not an object", value.type_name())))
    }

    pub(in crate::db) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.given(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(Error::invalid(format!("`{name}` is {}, not a boolean", other.type_name()))),
        }
    }

    pub(in crate::db) fn filter(&self) -> Result<Filter> {
        if self.given("filter").is_some() { Filter::parse(self.object("filter")?) } else { Ok(Filter::all()) }
    }

    pub(in crate::db) fn query(&self) -> Result<Query> {
        Ok(Query {
            sort: Sort::parse(self.list_or_empty("sort")?)?,
            skip: self.given("skip").map_or(Ok(0), |skip| parse_count("skip", skip))?,
            limit: self.given("limit").map(|limit| parse_count("limit", limit)).transpose()?,
            ..Query::of(self.filter()?)
        })
    }

    /// What an update or delete chooses: all that matches, or one.
    pub(in crate::db) fn chosen(&self) -> Result<Query> {
        let limit = if self.flag("multi", false)? { None } else { Some(1) };
        Ok(Query { limit, ..Query::of(self.filter()?) })
    }

    /// An update of what a filter chooses.
    pub(in crate::db) fn update(&self, filter: &Filter, now: Timestamp) -> Result<Update> {
        Update::parse(self.object("update")?, self.list_or_empty("array_filters")?, filter, now)
    }

    pub(in crate::db) fn upsert(&self) -> Result<Upsert> {
        Ok(if self.flag("upsert", false)? { Upsert::Insert } else { Upsert::Nothing })
    }

    /// Which columns are wanted.
    pub(super) fn fields(&self) -> Result<Vec<Path>> {
        let field = |field: &Value| match field {
            Value::String(field) => Path::parse(field),
            other => Err(Error::invalid(format!("a column is {}, not a field", other.type_name()))),
        };
        self.list("fields")?.iter().map(field).collect()
    }

    /// The projection of what a filter finds.
    pub(in crate::db) fn projection(&self, key_fields: &[Path], filter: &Filter) -> Result<Option<Projection>> {
        let projection = Projection::parse(self.list_or_empty("project")?, key_fields)?;
        if projection.as_ref().is_some_and(Projection::has_score) && filter.search().is_none() {
            return Err(no_score("projection"));
        }
        Ok(projection)
    }

    /// Whether what is explained is carried out as well.
    pub(super) fn carries_out(&self) -> Result<bool> {
        match self.given("mode").map(Value::as_str) {
            None | Some(Some("queryPlanner")) => Ok(false),
            Some(Some("executionStats")) => Ok(true),
            Some(_) => Err(Error::invalid("`mode` is not queryPlanner or executionStats")),
        }
    }

    pub(super) fn reading(&self) -> Result<Reading> {
        Ok(match self.given("want").and_then(Value::as_str) {
            Some("keys" | "count") => Reading::Keys,
            _ => Reading::Documents,
        })
    }
}
