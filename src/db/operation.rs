//! Operations: the writing requests, checked and then carried out in a transaction.
//!
//! Not retried and not committed here: the same operation may be carried out several times, each time from nothing.
//!
//! Invariant: what can be checked without reading documents is checked before the first of them is read.

use super::answer;
use super::by_key::{self, Counts};
use super::collection::{self, Becomes, Updated, Upsert};
use super::document::Keys;
use super::draft::Docs;
use super::find::Query;
use super::request::{Request, push_commit};
use super::rules;
use super::work::Work;
use super::write::Mode;
use crate::engine::Committed;
use crate::env::Timestamp;
use crate::error::{Detail, Error, Result};
use crate::query::{Filter, Projection, Sort, Update};
use crate::storage::Storage;
use crate::value::{Object, Value, codec};

/// A writing request.
pub(crate) enum Operation<'a> {
    Insert { docs: Docs<'a>, mode: Mode, telling: Telling },
    Put { docs: Docs<'a> },
    Update { query: Query, update: Update, upsert: Upsert },
    Replace { query: Query, document: &'a Object, upsert: Upsert },
    FindAndUpdate { filter: Filter, sort: Sort, update: Update, upsert: Upsert, answers: Answers<'a> },
    Delete { query: Query },
    DeleteKeys { keys: &'a [Value] },
    Bulk(Vec<Operation<'a>>),
}

/// What a writing request answers, but for the commit.
pub(crate) struct Answer {
    keys: Option<(&'static str, Keys)>,
    fields: Object,
}

impl Answer {
    const fn of(fields: Object) -> Self {
        Answer { keys: None, fields }
    }

    /// Adds to what is answered.
    pub(crate) fn set(&mut self, name: &'static str, value: Value) {
        self.fields.set(name, value);
    }

    /// The encoded answer; the commit is told where there is one.
    pub(crate) fn encode(mut self, committed: Option<&Committed>) -> Vec<u8> {
        if let Some(committed) = committed {
            push_commit(&mut self.fields, committed);
        }
        let mut out = Vec::new();
        codec::push_object(&mut out, self.fields.len() + usize::from(self.keys.is_some()));
        if let Some((name, keys)) = &self.keys {
            codec::push_name(&mut out, name);
            keys.encode(&mut out);
        }
        for (name, value) in self.fields.iter() {
            codec::push_name(&mut out, name);
            // A tree cannot be damaged: the error cannot come.
            let _ = codec::encode(value.into(), &mut out);
        }
        out
    }
}

/// How much is told of the error of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Short,
    /// All that it would say by itself.
    Whole,
}

/// What is answered of an updated document.
pub(crate) struct Answers<'a> {
    state: State,
    /// Pairs, as [`Projection::parse`] takes them.
    project: &'a [Value],
}

/// Which state of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    After,
}

impl<'a> Operation<'a> {
    /// Checks a request, which is made at `now`: it may be carried out later, and again.
    ///
    /// # Errors
    /// `invalid` or `unsupported`, naming what is wrong.
    pub(crate) fn parse(request: &'a Request, now: Timestamp) -> Result<Self> {
        Ok(match request.text("op")? {
            "insert" => {
                let mode = if request.flag("ordered", true)? { Mode::Together } else { Mode::Each };
                Operation::Insert { docs: request.docs()?, mode, telling: Telling::Short }
            }
            // Inserts that know nothing of each other.
            "insert_each" => Operation::Insert { docs: request.docs()?, mode: Mode::Each, telling: Telling::Whole },
            "put" => Operation::Put { docs: request.docs()? },
            "update" => {
                let query = request.chosen()?;
                let update = request.update(&query.filter, now)?;
                Operation::Update { query, update, upsert: request.upsert()? }
            }
            "replace" => Operation::Replace {
                query: request.chosen()?,
                document: request.object("doc")?,
                upsert: request.upsert()?,
            },
            "find_and_update" => {
                let filter = request.filter()?;
                let state = match request.given("return_document").map(Value::as_str) {
                    None | Some(Some("before")) => State::Before,
                    Some(Some("after")) => State::After,
                    _ => return Err(Error::invalid("`return_document` is not before or after")),
                };
                Operation::FindAndUpdate {
                    sort: Sort::parse(request.list_or_empty("sort")?)?,
                    update: request.update(&filter, now)?,
                    filter,
                    upsert: request.upsert()?,
                    answers: Answers { state, project: request.list_or_empty("project")? },
                }
            }
            "delete" => Operation::Delete { query: request.chosen()? },
            "delete_keys" => Operation::DeleteKeys { keys: request.list("keys")? },
            _ => {
                let each = request.list("operations")?.iter().enumerate().map(|(place, operation)| {
                    let parsed = Operation::parse_of_bulk(operation, now);
                    parsed.map_err(|error| error.context(format!("operation {place}")).with_detail("position", place))
                });
                Operation::Bulk(each.collect::<Result<_>>()?)
            }
        })
    }

    /// One operation of a bulk write: `{ insertOne: { document } }` and so on.
    fn parse_of_bulk(operation: &'a Value, now: Timestamp) -> Result<Self> {
        let mut fields = operation.as_object().into_iter().flat_map(|operation| operation.fields());
        let (Some((name, Value::Object(body))), None) = (fields.next(), fields.next()) else {
            let error = Error::invalid("an operation is an object with one field");
            return Err(error.with_hint("e.g. { updateOne: { filter, update } }"));
        };
        let object = |field: &str| match body.get(field) {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(Error::invalid(format!("`{field}` of `{name}` is missing, or not an object"))),
        };
        let query = |limit| -> Result<Query> { Ok(Query { limit, ..Query::of(Filter::parse(object("filter")?)?) }) };
        let upsert = match body.get("upsert") {
            None | Some(Value::Null | Value::Bool(false)) => Upsert::Nothing,
            Some(Value::Bool(true)) => Upsert::Insert,
            Some(_) => return Err(Error::invalid(format!("`upsert` of `{name}` is not a boolean"))),
        };
        let array_filters = match body.get("arrayFilters") {
            None | Some(Value::Null) => &[],
            Some(Value::Array(filters)) => filters.as_slice(),
            Some(_) => return Err(Error::invalid(format!("`arrayFilters` of `{name}` is not an array"))),
        };
        let update = |limit| -> Result<Operation<'a>> {
            let query = query(limit)?;
            let update = Update::parse(object("update")?, array_filters, &query.filter, now)?;
            Ok(Operation::Update { query, update, upsert })
        };
        Ok(match &**name {
            "insertOne" => {
                let document = body.get("document").map(core::slice::from_ref);
                let docs = document.ok_or_else(|| Error::invalid("`document` of `insertOne` is missing"))?;
                Operation::Insert { docs: Docs::Trees(docs), mode: Mode::Together, telling: Telling::Short }
            }
            "updateOne" => update(Some(1))?,
            "updateMany" => update(None)?,
            "replaceOne" => Operation::Replace { query: query(Some(1))?, document: object("replacement")?, upsert },
            "deleteOne" => Operation::Delete { query: query(Some(1))? },
            "deleteMany" => Operation::Delete { query: query(None)? },
            other => {
                let error = Error::invalid(format!("operation `{other}` is not known"));
                let hint = "operations are insertOne, updateOne, updateMany, replaceOne, deleteOne and deleteMany";
                return Err(error.with_hint(hint));
            }
        })
    }

    /// Of an update or a replacement: what it chooses, what that becomes, and what is done where there is none.
    pub(crate) fn change(&self) -> Option<(&Query, Becomes<'_>, Upsert)> {
        match self {
            Operation::Update { query, update, upsert } => Some((query, Becomes::Updated(update), *upsert)),
            Operation::Replace { query, document, upsert } => Some((query, Becomes::Replaced(document), *upsert)),
            _ => None,
        }
    }

    /// Carries the operation out, and answers without the commit. Futures of their own, see [`Scope::answer`].
    ///
    /// [`Scope::answer`]: super::request::Scope::answer
    ///
    /// # Errors
    /// As the calls of `db/collection.rs`.
    pub(crate) async fn carry_out<S: Storage>(&self, work: &Work<S>, name: &str) -> Result<Answer> {
        if let Some((query, becomes, upsert)) = self.change() {
            let updating = Box::pin(collection::update(work, name, query.clone(), &becomes, upsert));
            return Ok(Answer::of(updated(updating.await?)));
        }
        Ok(Answer::of(match self {
            Operation::Insert { docs, mode, telling } => {
                let inserted = Box::pin(collection::insert(work, name, docs, *mode)).await?;
                let mut fields = Object::new();
                if *mode == Mode::Each {
                    let errors = inserted.errors.iter().map(|(place, error)| write_error(*place, error, *telling));
                    fields.set("writeErrors", Value::Array(errors.collect()));
                }
                return Ok(Answer { keys: Some(("insertedIds", inserted.ids)), fields });
            }
            Operation::Put { docs } => {
                let keys = Box::pin(collection::put(work, name, docs)).await?;
                return Ok(Answer { keys: Some(("keys", keys)), fields: Object::new() });
            }
            Operation::FindAndUpdate { filter, sort, update, upsert, answers } => {
                let projection = Projection::parse(answers.project, &work.collection(name).await?.key_fields)?;
                if projection.as_ref().is_some_and(Projection::has_score) {
                    return Err(Error::invalid("projection: an update tells no `textScore`"));
                }
                let chosen = (filter.clone(), sort.clone());
                let becomes = Becomes::Updated(update);
                let changing = Box::pin(collection::find_and_update(work, name, chosen, &becomes, *upsert));
                let (before, after) = changing.await?;
                let document = if answers.state == State::Before { before } else { after };
                let document = match (document, projection) {
                    (Some(document), Some(projection)) => Some(projection.apply((&document).into())?),
                    (document, _) => document,
                };
                Object::from([("doc", document.map_or(Value::Null, Value::Object))])
            }
            Operation::Delete { query } => {
                let deleted = Box::pin(collection::delete(work, name, query.clone())).await?;
                answer::counts(&[("deletedCount", deleted)])
            }
            Operation::DeleteKeys { keys } => {
                let deleted = Box::pin(collection::delete_keys(work, name, keys)).await?;
                answer::counts(&[("deletedCount", deleted)])
            }
            Operation::Bulk(operations) => return Box::pin(bulk(work, name, operations)).await,
            Operation::Update { .. } | Operation::Replace { .. } => {
                return Err(Error::internal("a change is carried out above"));
            }
        }))
    }
}

/// Carries operations out one after the other, each seeing what those before it did.
async fn bulk<S: Storage>(work: &Work<S>, name: &str, operations: &[Operation<'_>]) -> Result<Answer> {
    if let Some(counts) = by_key::carry_out(work, name, operations).await? {
        return Ok(bulk_answer(Keys::default(), &counts, 0));
    }
    let mut counts = Counts::default();
    let (mut inserted, mut upserts) = (Keys::default(), 0);
    for (place, operation) in operations.iter().enumerate() {
        let done = async {
            if let Some((query, becomes, upsert)) = operation.change() {
                upserts += counts.add(&collection::update(work, name, query.clone(), &becomes, upsert).await?);
                return Ok(());
            }
            match operation {
                Operation::Insert { docs, mode, .. } => {
                    inserted.append(&collection::insert(work, name, docs, *mode).await?.ids);
                }
                Operation::Delete { query } => counts.deleted += collection::delete(work, name, query.clone()).await?,
                _ => return Err(Error::internal("an operation that is not one of a bulk write")),
            }
            Ok(())
        };
        // What was done before is in the transaction already: where a user holds it, it cannot go on.
        done.await.map_err(|error| {
            let error = error.context(format!("operation {place}")).with_detail("position", place);
            if place > 0 {
                work.fail(&error);
            }
            error
        })?;
    }
    Ok(bulk_answer(inserted, &counts, upserts))
}

fn bulk_answer(inserted: Keys, counts: &Counts, upserts: usize) -> Answer {
    let fields = answer::counts(&[
        ("insertedCount", inserted.len()),
        ("matchedCount", counts.matched),
        ("modifiedCount", counts.modified),
        ("deletedCount", counts.deleted),
        ("upsertedCount", upserts),
    ]);
    Answer { keys: Some(("insertedIds", inserted)), fields }
}

impl Counts {
    /// Adds those of one operation; answers how many it upserted.
    fn add(&mut self, other: &Updated) -> usize {
        self.matched += other.matched;
        self.modified += other.modified;
        usize::from(other.upserted.is_some())
    }
}

fn updated(updated: Updated) -> Object {
    let mut answer = answer::counts(&[("matchedCount", updated.matched), ("modifiedCount", updated.modified)]);
    if let Some(key) = updated.upserted {
        answer.set("upsertedId", key);
    }
    answer
}

pub(crate) fn write_error(place: usize, error: &Error, telling: Telling) -> Value {
    let mut fields = Object::from([
        ("index", Value::count(place)),
        ("code", error.kind().code().into()),
        ("message", error.message().into()),
    ]);
    if telling == Telling::Whole {
        let mut details = Object::new();
        for (name, detail) in error.details() {
            let detail = match detail {
                Detail::Text(text) => text.as_str().into(),
                // As in an error that is thrown: the facade decodes it.
                Detail::Value(encoded) => Value::Bytes(encoded.clone()),
            };
            details.set(*name, detail);
        }
        fields.set("hint", error.hint().into());
        fields.set("details", details.into());
    } else if let Some((name, Detail::Value(encoded))) =
        error.details().iter().find(|(name, _)| *name == rules::VIOLATIONS)
    {
        // What was encoded here can be decoded.
        let violations = codec::decode(encoded).unwrap_or(Value::Null);
        fields.set("details", Object::from([(*name, violations)]).into());
    }
    fields.into()
}
