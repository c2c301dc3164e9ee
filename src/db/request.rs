//! Requests: one encoded object in, one encoded value out; the whole of the data API goes through here.
//!
//! Not aware of JavaScript: what crosses is bytes (`value/codec.rs`), so that everything here is tested natively.
//!
//! Invariants: a request is checked before it does anything; a request that fails has written nothing; inside a
//! transaction answers carry no commit, for there is none yet.

use super::aggregate::{self, Run, Sources};
use super::config::{CollectionConfig, IndexSpec, parse_count, parse_durability};
use super::cursor::{Cursor, Cursors};
use super::find::{Find, Query, Reading};
use super::operation::Operation;
use super::run::run;
use super::shared::Shared;
use super::work::{Reader, Work, no_collection};
use super::{answer, define, index_build, live, migrate, slow};
use crate::engine::Committed;
use crate::engine::catalog::{Catalog, Collection};
use crate::env::LocalFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Pipeline;
use crate::storage::Storage;
use crate::value::{Object, Path, Value, codec};
use std::rc::Rc;

mod fields;

pub(crate) use fields::Request;

/// Where a request takes effect.
pub(crate) enum Scope<'a, S: Storage> {
    /// On the newest state, committing by itself.
    Latest(&'a Rc<Shared<S>>),
    /// In a transaction.
    Within(&'a Work<S>, &'a Cursors<S>),
}

impl<S: Storage> Scope<'_, S> {
    /// Answers a request. A future of its own for each kind: one for all would be as large as the largest, and code that a
    /// browser compiles whole before the first of any kind is answered.
    pub(crate) async fn answer(&self, request: &Request) -> Result<Vec<u8>> {
        let answering: LocalFuture<'_, Result<Vec<u8>>> = match request.text("op")? {
            "get" => Box::pin(self.get(request)),
            "find" => Box::pin(self.find(request)),
            "aggregate" => Box::pin(self.aggregate(request)),
            "count" => Box::pin(self.count(request)),
            "distinct" => Box::pin(self.distinct(request)),
            "explain" => Box::pin(self.explain(request)),
            "cursor_open" => Box::pin(self.open_cursor(request)),
            "cursor_next" => Box::pin(self.next_of_cursor(request)),
            "cursor_close" => {
                self.cursors().close(parse_count("cursor", request.needed("cursor")?)?);
                return Ok(encoded(Object::new()));
            }
            "insert" | "insert_each" | "put" | "update" | "replace" | "find_and_update" | "delete" | "delete_keys"
            | "bulk_write" => Box::pin(self.write(request)),
            "indexes" | "collections" | "migrations" | "stats" | "slow_queries" | "advise" => {
                Box::pin(self.describe(request))
            }
            "create_index" | "drop_index" | "index_progress" | "create_collection" => Box::pin(self.define(request)),
            "migration_begin" | "migration_read" | "migration_write" | "migration_end" => {
                Box::pin(migrate::answer(self, request))
            }
            "live_open" | "live_next" | "live_close" => Box::pin(live::answer(self, request)),
            op => return Err(Error::new(ErrorKind::Unsupported, format!("operation `{op}` is not known"))),
        };
        answering.await
    }

    fn shared(&self) -> &Rc<Shared<S>> {
        match self {
            Scope::Latest(shared) => shared,
            Scope::Within(work, _) => &work.shared,
        }
    }

    fn cursors(&self) -> &Cursors<S> {
        match self {
            Scope::Latest(shared) => &shared.cursors,
            Scope::Within(_, cursors) => cursors,
        }
    }

    async fn catalog(&self) -> Result<Rc<Catalog>> {
        match self {
            Scope::Latest(shared) => shared.catalog().await,
            Scope::Within(work, _) => work.catalog().await,
        }
    }

    /// A reader, and the collection as it is for that reader.
    pub(super) async fn read(&self, request: &Request) -> Result<(Reader<S>, Rc<Collection>)> {
        self.read_named(request.text("collection")?).await
    }

    async fn read_named(&self, name: &str) -> Result<(Reader<S>, Rc<Collection>)> {
        match self {
            Scope::Latest(shared) => {
                let catalog = shared.catalog().await?;
                // Nothing is awaited in between: the snapshot has this catalog.
                let snapshot = shared.engine.snapshot()?;
                let collection = catalog.collection(name).ok_or_else(|| no_collection(name))?;
                Ok((Reader::Snapshot(snapshot), Rc::clone(collection)))
            }
            Scope::Within(work, _) => Ok((work.reader(), work.collection(name).await?)),
        }
    }

    async fn open_find(&self, request: &Request, query: Query, reading: Reading) -> Result<Find<S>> {
        let (reader, collection) = self.read(request).await?;
        Ok(Find::new(reader, collection, query, reading)?.watched(&self.shared().slow))
    }

    async fn find(&self, request: &Request) -> Result<Vec<u8>> {
        let (reader, collection) = self.read(request).await?;
        let reading = request.reading()?;
        let query = request.query()?;
        let projection = request.projection(&collection.key_fields, &query.filter)?;
        let want = request.given("want").and_then(Value::as_str);
        // Columns are taken out of documents.
        let query = if want == Some("columns") { query } else { query.projected(&collection, projection.as_ref()) };
        let find = Find::new(reader.clone(), collection, query, reading)?.watched(&self.shared().slow);
        let answering: LocalFuture<'_, Result<Vec<u8>>> = match want {
            None | Some("docs") => Box::pin(answer::docs(find, projection.as_ref())),
            Some("keys") => Box::pin(answer::keys(reader, find)),
            Some("count") => return Ok(encoded(answer::counts(&[("count", Box::pin(find.count()).await?)]))),
            Some("columns") => {
                let fields = request.fields()?;
                return Box::pin(answer::columns(find, &fields)).await;
            }
            Some(other) => {
                return Err(Error::invalid(format!("`want` is `{other}`, not docs, keys, count or columns")));
            }
        };
        answering.await
    }

    async fn get(&self, request: &Request) -> Result<Vec<u8>> {
        let (reader, collection) = self.read(request).await?;
        answer::get(&reader, &collection, request.list("keys")?).await
    }

    async fn count(&self, request: &Request) -> Result<Vec<u8>> {
        let find = self.open_find(request, Query::of(request.filter()?), Reading::Keys).await?;
        Ok(encoded(answer::counts(&[("count", find.count().await?)])))
    }

    async fn distinct(&self, request: &Request) -> Result<Vec<u8>> {
        let field = Path::parse(request.text("field")?)?;
        let find = self.open_find(request, Query::of(request.filter()?), Reading::Documents).await?;
        let values = answer::distinct(find, &field).await?;
        Ok(encoded(Object::from([("values", values.into())])))
    }

    async fn explain(&self, request: &Request) -> Result<Vec<u8>> {
        if request.given("pipeline").is_some() {
            let (sources, pipeline) = self.pipeline(request).await?;
            return Ok(encoded(aggregate::explain(&sources, request.text("collection")?, &pipeline).await?));
        }
        let (reader, collection) = self.read(request).await?;
        let (query, reading) = (request.query()?, request.reading()?);
        let projection = request.projection(&collection.key_fields, &query.filter)?;
        let query = query.projected(&collection, projection.as_ref());
        let is_carried_out = request.carries_out()?;
        let mut explained = query.explain(&reader, &collection, reading, None).await?;
        if is_carried_out {
            let find = Find::new(reader, collection, query, reading)?;
            explained.set("execution", answer::execution(find, &self.shared().engine).await?.into());
        }
        Ok(encoded(explained))
    }

    /// What there is, and how it does.
    async fn describe(&self, request: &Request) -> Result<Vec<u8>> {
        Ok(encoded(match request.text("op")? {
            "indexes" => indexes(&self.read(request).await?.1),
            "collections" => collections(&*self.catalog().await?),
            "migrations" => migrate::versions(&*self.catalog().await?),
            "slow_queries" => Object::from([("queries", self.shared().slow.queries())]),
            "advise" => Object::from([("advice", slow::advise(self.shared()).await?)]),
            _ => self.stats(request).await?,
        }))
    }

    async fn aggregate(&self, request: &Request) -> Result<Vec<u8>> {
        let run = self.open_run(request, Reading::Documents).await?;
        match request.given("want").and_then(Value::as_str) {
            None | Some("docs") => aggregate::docs(run).await,
            Some("columns") => {
                let fields = request.given("fields").map(|_| request.fields()).transpose()?;
                aggregate::columns(run, fields.as_deref()).await
            }
            Some(other) => Err(Error::invalid(format!("`want` is `{other}`, not docs or columns"))),
        }
    }

    async fn open_run(&self, request: &Request, reading: Reading) -> Result<Run<S>> {
        let (sources, pipeline) = self.pipeline(request).await?;
        let outer: Rc<[Option<Value>]> = Rc::new([]);
        Run::open(&Rc::new(sources), request.text("collection")?, &pipeline, &outer, reading)
    }

    /// A pipeline, and what it reads. In a transaction all of its collections become part of the read set.
    pub(super) async fn pipeline(&self, request: &Request) -> Result<(Sources<S>, Pipeline)> {
        let (reader, catalog, shared) = match self {
            Scope::Latest(shared) => {
                let catalog = shared.catalog().await?;
                // Nothing is awaited in between: the snapshot has this catalog.
                (Reader::Snapshot(shared.engine.snapshot()?), catalog, *shared)
            }
            Scope::Within(work, _) => (work.reader(), work.catalog().await?, &work.shared),
        };
        let sources = Sources { reader, catalog, env: Rc::clone(shared.engine.env()), slow: Rc::clone(&shared.slow) };
        let collection = request.text("collection")?;
        let pipeline = sources.parse(collection, request.list("pipeline")?)?;
        if let Scope::Within(work, _) = self {
            work.collection(collection).await?;
            for name in pipeline.collections() {
                work.collection(&name).await?;
            }
        }
        Ok((sources, pipeline))
    }

    async fn open_cursor(&self, request: &Request) -> Result<Vec<u8>> {
        if request.given("pipeline").is_some() {
            let run = Box::new(self.open_run(request, Reading::Stream).await?);
            return Ok(encoded(answer::counts(&[("cursor", self.cursors().open(Cursor::Run(run))?)])));
        }
        let query = request.query()?;
        let (reader, collection) = self.read(request).await?;
        let projection = request.projection(&collection.key_fields, &query.filter)?;
        let query = query.projected(&collection, projection.as_ref());
        let find = Find::new(reader, collection, query, Reading::Stream)?.watched(&self.shared().slow);
        let number = self.cursors().open(Cursor::Find(Box::new(find), projection))?;
        Ok(encoded(answer::counts(&[("cursor", number)])))
    }

    async fn next_of_cursor(&self, request: &Request) -> Result<Vec<u8>> {
        let count = request.given("max").map_or(Ok(1000), |max| parse_count("max", max))?;
        let (number, mut cursor) = self.cursors().take(request.needed("cursor")?)?;
        let part = match &mut cursor {
            Cursor::Find(find, projection) => answer::part(find, projection.as_ref(), count).await,
            Cursor::Run(run) => aggregate::part(run, count).await,
        };
        match &part {
            Ok((_, false)) => self.cursors().put_back(number, cursor),
            _ => self.cursors().close(number),
        }
        Ok(part?.0)
    }

    /// Answers a writing request: in the transaction, or in one of its own that is committed.
    async fn write(&self, request: &Request) -> Result<Vec<u8>> {
        let collection = request.text("collection")?;
        let operation = Operation::parse(request, self.shared().engine.env().now())?;
        match self {
            Scope::Within(work, _) if request.flag("returning", false)? => {
                let telling = work.told.begin();
                let mut answer = operation.carry_out(work, collection).await?;
                answer.set("written", telling.finish(collection));
                Ok(answer.encode(None))
            }
            Scope::Within(work, _) => Ok(operation.carry_out(work, collection).await?.encode(None)),
            Scope::Latest(shared) => {
                let durability = match request.given("durability") {
                    Some(durability) => parse_durability(durability)?,
                    None => shared.durability,
                };
                let work = async |work: &Work<S>| operation.carry_out(work, collection).await;
                let (answer, committed) = run(shared, durability, work).await?;
                Ok(answer.encode(Some(&committed)))
            }
        }
    }

    async fn stats(&self, request: &Request) -> Result<Object> {
        let names: Vec<String> = match request.given("collection") {
            Some(_) => vec![request.text("collection")?.to_owned()],
            None => self.catalog().await?.iter().map(|collection| collection.name.to_string()).collect(),
        };
        let (mut documents, mut size_bytes) = (0, 0);
        for name in &names {
            let (reader, collection) = self.read_named(name).await?;
            let (count, bytes) = answer::sizes(reader, &collection).await?;
            documents += count;
            size_bytes += bytes;
        }
        let mut stats = answer::counts(&[("documents", documents), ("bytes", size_bytes)]);
        if let (None, Scope::Latest(shared)) = (request.given("collection"), self) {
            let figures = shared.engine.figures();
            let more = [
                ("collections", names.len()),
                ("memtableBytes", figures.memtable_bytes),
                ("segments", figures.segments),
                ("cacheBytes", figures.cache_bytes),
                ("columnBytes", figures.column_bytes),
            ];
            for (name, count) in more {
                stats.set(name, Value::count(count));
            }
        }
        Ok(stats)
    }

    async fn define(&self, request: &Request) -> Result<Vec<u8>> {
        let op = request.text("op")?;
        let Scope::Latest(shared) = self else {
            return Err(Error::invalid(format!("`{op}` cannot be part of a transaction")));
        };
        let answer = match op {
            "create_index" => {
                let spec = IndexSpec::parse(request.needed("spec")?)?;
                index_build::create(shared, request.text("collection")?, &spec).await?;
                Object::from([("name", spec.name.into())])
            }
            "drop_index" => {
                index_build::drop_index(shared, request.text("collection")?, request.text("name")?).await?;
                Object::new()
            }
            "index_progress" => {
                let name = request.text("name")?;
                let (done, total) = index_build::progress(shared, request.text("collection")?, name).await?;
                answer::counts(&[("done", done), ("total", total)])
            }
            _ => {
                let mut config = request.0.clone();
                config.remove("op");
                config.remove("name");
                let config = CollectionConfig::parse(request.text("name")?, &config)?;
                ensure(shared, &[config]).await?;
                Object::new()
            }
        };
        Ok(encoded(answer))
    }
}

/// Makes what is configured and not there yet, and builds indexes over existing documents.
pub(crate) async fn ensure<S: Storage>(shared: &Rc<Shared<S>>, configured: &[CollectionConfig]) -> Result<()> {
    let to_build = define::collections(shared, configured).await?;
    for config in configured {
        shared.rules.set(config);
    }
    for (collection, spec) in to_build {
        index_build::create(shared, &collection, &spec).await?;
    }
    Ok(())
}

/// A commit, as answers tell it.
pub(crate) fn push_commit(answer: &mut Object, committed: &Committed) {
    answer.set("seq", Value::count(usize::try_from(committed.seq.get()).unwrap_or(usize::MAX)));
    answer.set("durability", committed.durability.name().into());
}

pub(crate) fn encoded(answer: Object) -> Vec<u8> {
    codec::encoded(&answer.into())
}

fn indexes(collection: &Collection) -> Object {
    let index = |index: &crate::engine::catalog::Index| {
        let fields = index.facts.fields.iter().map(|field| Value::from(field.as_str())).collect();
        let mut described = Object::from([
            ("name", Value::from(&*index.facts.name)),
            ("fields", Value::Array(fields)),
            ("unique", index.is_unique.into()),
            ("sparse", index.facts.sparse.into()),
            ("state", index.state.name().into()),
            ("multi", (index.facts.multi != 0).into()),
        ]);
        if let Some(weights) = &index.facts.weights {
            let weight = |(field, weight): (&Path, &u32)| (field.as_str().into(), Value::count(*weight as usize));
            let weights = index.facts.fields.iter().zip(&**weights).map(weight).collect();
            described.set("type", "text".into());
            described.set("weights", Object::from_fields(weights).unwrap_or_default().into());
        }
        Value::Object(described)
    };
    Object::from([("indexes", Value::Array(collection.indexes.iter().map(index).collect()))])
}

fn collections(catalog: &Catalog) -> Object {
    let describe = |collection: &Rc<Collection>| {
        let mut fields: Vec<Value> = collection.key_fields.iter().map(|field| Value::from(field.as_str())).collect();
        let key = if fields.len() == 1 { fields.pop().unwrap_or(Value::Null) } else { Value::Array(fields) };
        Value::Object(Object::from([("name", Value::from(&*collection.name)), ("key", key)]))
    };
    Object::from([("collections", Value::Array(catalog.iter().map(describe).collect()))])
}
