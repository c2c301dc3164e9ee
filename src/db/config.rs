//! The configuration of a database: what `open` was given, checked.
//!
//! Not the stored catalog: that is compared with it by `db/define.rs`.
//!
//! Invariant: a configuration that was decoded is within `limits.rs`.

use crate::engine::catalog::VERSION_MAX;
use crate::engine::{DatabaseId, Mark};
use crate::error::{Error, Result};
use crate::limits::{COLLECTIONS_MAX, INDEXES_PER_COLLECTION_MAX, KEY_FIELDS_MAX, NAME_BYTES_MAX, TEXT_WEIGHT_MAX};
use crate::part::Part;
use crate::schema::Schema;
use crate::storage::{CommitSeq, Durability};
use crate::value::{Object, Path, Value, codec};
use std::rc::Rc;

/// Where a database is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StorageKind {
    /// In the browser's IndexedDB.
    #[default]
    IndexedDb,
    /// In memory, for as long as it is open.
    Memory,
}

/// Names of the object stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stores {
    /// Of the database itself.
    pub main: String,
    /// Of local backups.
    pub backup: String,
    /// Of what may be thrown away.
    pub cache: String,
}

impl Default for Stores {
    fn default() -> Self {
        Stores { main: "main".into(), backup: "backup".into(), cache: "cache".into() }
    }
}

/// A collection that has to be there.
#[derive(Clone, Debug)]
pub struct CollectionConfig {
    /// Its name.
    pub name: String,
    /// The fields of its primary key; none means those that are stored, or `id` for a new collection.
    pub key_fields: Option<Vec<Path>>,
    /// Indexes that have to be there; others stay.
    pub indexes: Vec<IndexSpec>,
    /// What its documents have to be, from now on.
    pub schema: Option<Rc<Schema>>,
    /// The version of what its documents are, which the program counts.
    pub version: u32,
}

/// An index as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexSpec {
    /// Its name.
    pub name: String,
    /// Its fields, the most important first.
    pub fields: Vec<Path>,
    /// Whether no two documents may have one value.
    pub is_unique: bool,
    /// Whether documents without any of the fields are left out.
    pub is_sparse: bool,
    /// Of a text index, what an occurrence in each field counts.
    pub weights: Option<Vec<u32>>,
}

/// What `open` was given.
#[derive(Clone, Debug)]
pub struct Config {
    /// The database's name.
    pub name: String,
    /// Where it is kept.
    pub storage: StorageKind,
    /// What a write survives that does not say it itself.
    pub durability: Durability,
    /// Names of the object stores.
    pub stores: Stores,
    /// Collections that have to be there.
    pub collections: Vec<CollectionConfig>,
    /// Bytes of blocks kept in memory; none means the engine's default.
    pub cache_bytes: Option<usize>,
    /// Whether all blocks are brought into memory behind the first read, where they have room.
    pub preload: bool,
    /// How often a call is run again after a conflict before it fails with it; none means the limit.
    pub conflict_retries: Option<u32>,
    /// A query that takes so long is slow; none means the default.
    pub query_time_ms: Option<f64>,
    /// What must be found, when the database was here before.
    pub mark: Option<Mark>,
    /// Whether a database that the browser says it lost may begin anew.
    pub accepts_loss: bool,
}

impl Config {
    /// A database in memory, without collections.
    #[must_use]
    pub fn in_memory(name: &str) -> Config {
        Config {
            name: name.to_owned(),
            storage: StorageKind::Memory,
            durability: Durability::default(),
            stores: Stores::default(),
            collections: Vec::new(),
            cache_bytes: None,
            preload: true,
            conflict_retries: None,
            query_time_ms: None,
            mark: None,
            accepts_loss: false,
        }
    }

    /// Reads an encoded configuration: see [`Config::parse`].
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn decode(bytes: &[u8]) -> Result<Config> {
        match codec::decode(bytes)? {
            Value::Object(config) => Config::parse(&config),
            other => Err(Error::invalid(format!("configuration is {}, not an object", other.type_name()))),
        }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// `invalid` where something is missing, wrong or not known; `limit` where it is too much.
    pub fn parse(config: &Object) -> Result<Config> {
        let mut parsed = Config { storage: StorageKind::IndexedDb, ..Config::in_memory("") };
        for (option, value) in config.iter() {
            match (&**option, value) {
                (_, Value::Null) => {}
                ("name", Value::String(name)) => parsed.name = name.clone(),
                ("storage", Value::String(kind)) if kind == "indexeddb" => parsed.storage = StorageKind::IndexedDb,
                ("storage", Value::String(kind)) if kind == "memory" => parsed.storage = StorageKind::Memory,
                ("durability", value) => parsed.durability = parse_durability(value)?,
                ("stores", Value::Object(stores)) => parsed.stores = parse_stores(stores)?,
                ("collections", Value::Array(collections)) => parsed.collections = parse_collections(collections)?,
                ("accepts_loss", Value::Bool(accepts)) => parsed.accepts_loss = *accepts,
                ("preload", Value::Bool(preload)) => parsed.preload = *preload,
                ("cache_bytes", value) => parsed.cache_bytes = Some(parse_count("cache_bytes", value)?),
                ("conflict_retries", value) => {
                    let retries = parse_count("conflict_retries", value)?;
                    parsed.conflict_retries = u32::try_from(retries).ok();
                }
                ("alert_thresholds", Value::Object(thresholds)) => parsed.query_time_ms = parse_thresholds(thresholds)?,
                ("mark", Value::Object(mark)) => parsed.mark = Some(parse_mark(mark)?),
                ("name" | "storage" | "stores" | "collections", value) => {
                    return Err(Error::invalid(format!("option `{option}` cannot be {value}")));
                }
                _ => return Err(Error::invalid(format!("option `{option}` is not known"))),
            }
        }
        check_name("database", &parsed.name)?;
        Ok(parsed)
    }
}

fn parse_thresholds(thresholds: &Object) -> Result<Option<f64>> {
    let mut query_time_ms = None;
    for (threshold, value) in thresholds.iter() {
        match (&**threshold, value) {
            (_, Value::Null) => {}
            ("query_time", Value::Number(number)) if number.get() >= 0.0 => query_time_ms = Some(number.get()),
            _ => return Err(Error::invalid(format!("threshold `{threshold}` cannot be {value}"))),
        }
    }
    Ok(query_time_ms)
}

fn parse_mark(mark: &Object) -> Result<Mark> {
    let database = mark.get("database").and_then(Value::as_str).and_then(DatabaseId::parse);
    match (database, mark.get("seq")) {
        (Some(database), Some(seq)) => Ok(Mark { database, seq: CommitSeq::new(parse_count("seq", seq)? as u64) }),
        _ => Err(Error::invalid("option `mark` needs `database` and `seq`")),
    }
}

/// A durability by its name.
///
/// # Errors
/// `invalid` for any other value.
pub fn parse_durability(value: &Value) -> Result<Durability> {
    match value.as_str() {
        Some("relaxed") => Ok(Durability::Relaxed),
        Some("strict") => Ok(Durability::Strict),
        _ => Err(Error::invalid(format!("durability is {value}, not \"relaxed\" or \"strict\""))),
    }
}

/// A count: an integer from 0.
///
/// # Errors
/// `invalid` for any other value.
pub(crate) fn parse_count(name: &str, value: &Value) -> Result<usize> {
    let count = if let Value::Number(number) = value { number.as_integer() } else { None };
    let count = count.and_then(|count| usize::try_from(count).ok());
    count.ok_or_else(|| Error::invalid(format!("`{name}` is {value}, not a count")))
}

fn parse_stores(stores: &Object) -> Result<Stores> {
    let mut parsed = Stores::default();
    for (store, name) in stores.iter() {
        let place = match &**store {
            "main" => &mut parsed.main,
            "backup" => &mut parsed.backup,
            "cache" => &mut parsed.cache,
            other => return Err(Error::invalid(format!("store `{other}` is not known"))),
        };
        if let Some(name) = name.as_str() {
            check_name("store", name)?;
            *place = name.to_owned();
        }
    }
    Ok(parsed)
}

fn parse_collections(collections: &[Value]) -> Result<Vec<CollectionConfig>> {
    if collections.len() > COLLECTIONS_MAX {
        return Err(Error::limit(format!("{} collections, the limit is {COLLECTIONS_MAX}", collections.len())));
    }
    let mut parsed: Vec<CollectionConfig> = Vec::with_capacity(collections.len());
    for collection in collections {
        let Some([Value::String(name), Value::Object(config)]) = collection.as_array() else {
            return Err(Error::invalid("collections are pairs of a name and an object"));
        };
        let collection = CollectionConfig::parse(name, config)?;
        if parsed.iter().any(|other| other.name == collection.name) {
            return Err(Error::invalid(format!("collection `{name}` stands twice")));
        }
        parsed.push(collection);
    }
    Ok(parsed)
}

impl CollectionConfig {
    /// Reads `{ key, indexes, schema, version }`.
    ///
    /// # Errors
    /// As [`Config::parse`], and [`Schema::compile`].
    pub fn parse(name: &str, config: &Object) -> Result<CollectionConfig> {
        check_name("collection", name)?;
        let within = |error: Error| error.context(format!("collection `{name}`")).with_detail("collection", name);
        let mut parsed =
            CollectionConfig { name: name.to_owned(), key_fields: None, indexes: Vec::new(), schema: None, version: 1 };
        for (option, value) in config.iter() {
            match (&**option, value) {
                (_, Value::Null) => {}
                ("key", value) => parsed.key_fields = Some(parse_fields("key", value).map_err(within)?),
                ("indexes", Value::Array(indexes)) => {
                    for index in indexes {
                        let index = IndexSpec::parse(index).map_err(within)?;
                        if parsed.indexes.iter().any(|other| other.name == index.name) {
                            return Err(within(Error::invalid(format!("index `{}` stands twice", index.name))));
                        }
                        if index.weights.is_some() && parsed.indexes.iter().any(|other| other.weights.is_some()) {
                            let error = Error::invalid("two indexes are of text, and there may be one");
                            return Err(within(error.with_hint("name all fields in one index")));
                        }
                        parsed.indexes.push(index);
                    }
                }
                ("schema", schema @ Value::Object(_)) => {
                    parsed.schema = Some(Schema::compile(schema).map(Rc::new).map_err(within)?);
                }
                ("version", value) => parsed.version = parse_version(value).map_err(within)?,
                (option, _) => return Err(within(Error::invalid(format!("option `{option}` is not known, or wrong")))),
            }
        }
        if parsed.indexes.len() > INDEXES_PER_COLLECTION_MAX {
            let count = parsed.indexes.len();
            return Err(within(Error::limit(format!("{count} indexes, the limit is {INDEXES_PER_COLLECTION_MAX}"))));
        }
        Ok(parsed)
    }
}

/// A version of a collection.
///
/// # Errors
/// `invalid` for anything but a whole number from 1; `limit` for too many.
pub(crate) fn parse_version(value: &Value) -> Result<u32> {
    match parse_count("version", value)? {
        0 => Err(Error::invalid("`version` is 0; versions begin with 1")),
        version if version > VERSION_MAX as usize => {
            Err(Error::limit(format!("`version` is {version}, the limit is {VERSION_MAX}")))
        }
        version => Ok(version as u32),
    }
}

impl IndexSpec {
    /// Reads a field, an array of fields, `{ name?, fields, unique?, sparse? }` or `{ name?, fields, type: 'text', weights? }`.
    ///
    /// # Errors
    /// `invalid` for anything else; `limit` for too many fields or a name that is too long; `unsupported` for a text index in a
    /// build without text search.
    pub fn parse(spec: &Value) -> Result<IndexSpec> {
        let Value::Object(object) = spec else {
            return IndexSpec::new(None, parse_fields("index", spec)?);
        };
        let (mut name, mut fields, mut is_unique, mut is_sparse) = (None, None, false, false);
        let (mut is_text, mut weights) = (false, None);
        for (option, value) in object.iter() {
            match (&**option, value) {
                (_, Value::Null) => {}
                ("name", Value::String(given)) => name = Some(given.as_str()),
                ("fields", value) => fields = Some(parse_fields("index", value)?),
                ("unique", Value::Bool(unique)) => is_unique = *unique,
                ("sparse", Value::Bool(sparse)) => is_sparse = *sparse,
                ("type", Value::String(kind)) if kind == "text" => is_text = true,
                ("weights", Value::Object(given)) => weights = Some(given),
                (option, value) => {
                    let message = format!("option `{option}` of an index cannot be {value}");
                    let hint = "an index has name, fields, unique and sparse; one with type: 'text' has name, fields and weights";
                    return Err(Error::invalid(message).with_hint(hint));
                }
            }
        }
        let fields = fields.ok_or_else(|| Error::invalid("index has no fields"))?;
        if is_text {
            if is_unique || is_sparse {
                return Err(Error::invalid("a text index is neither unique nor sparse"));
            }
            return IndexSpec::of_text(name, fields, weights);
        }
        if weights.is_some() {
            return Err(Error::invalid("`weights` are of an index with `type: 'text'`"));
        }
        Ok(IndexSpec { is_unique, is_sparse, ..IndexSpec::new(name, fields)? })
    }

    fn new(name: Option<&str>, fields: Vec<Path>) -> Result<IndexSpec> {
        let joined = fields.iter().map(Path::as_str).collect::<Vec<_>>().join("_");
        let name = name.map_or(joined, str::to_owned);
        check_name("index", &name)?;
        Ok(IndexSpec { name, fields, is_unique: false, is_sparse: false, weights: None })
    }

    fn of_text(name: Option<&str>, fields: Vec<Path>, given: Option<&Object>) -> Result<IndexSpec> {
        Part::Text.needed()?;
        let mut weights = vec![1; fields.len()];
        for (field, weight) in given.into_iter().flat_map(Object::iter) {
            let place = fields.iter().position(|known| known.as_str() == &**field);
            let place = place.and_then(|place| weights.get_mut(place));
            let place =
                place.ok_or_else(|| Error::invalid(format!("`weights` name `{field}`, no field of the index")))?;
            let number = parse_count("weights", weight).ok().and_then(|weight| u32::try_from(weight).ok());
            let number = number.filter(|number| (1..=TEXT_WEIGHT_MAX).contains(number));
            *place = number.ok_or_else(|| {
                Error::invalid(format!(
                    "the weight of `{field}` is {weight}, not a whole number from 1 to {TEXT_WEIGHT_MAX}"
                ))
            })?;
        }
        let mut spec = IndexSpec::new(name, fields)?;
        if name.is_none() {
            spec.name.push_str("_text");
            check_name("index", &spec.name)?;
        }
        Ok(IndexSpec { weights: Some(weights), ..spec })
    }
}

fn parse_fields(what: &str, value: &Value) -> Result<Vec<Path>> {
    let names = match value {
        Value::Array(names) => names.as_slice(),
        name => core::slice::from_ref(name),
    };
    if names.is_empty() || names.len() > KEY_FIELDS_MAX {
        return Err(Error::invalid(format!("{what} has {} fields, not 1 to {KEY_FIELDS_MAX}", names.len())));
    }
    let mut fields: Vec<Path> = Vec::with_capacity(names.len());
    for name in names {
        let Value::String(name) = name else {
            return Err(Error::invalid(format!("{what} is {name}, not a field")));
        };
        let field = Path::parse(name).map_err(|error| error.context(what))?;
        if fields.contains(&field) {
            return Err(Error::invalid(format!("{what} has field `{field}` twice")));
        }
        fields.push(field);
    }
    Ok(fields)
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(format!("{what} has no name")));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::limit(format!("name of a {what} has {} bytes, the limit is {NAME_BYTES_MAX}", name.len())));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("name of a {what} has a control character")));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn message(name: &str, value: Value) -> String {
        Config::parse(&Object::from([("name", "n".into()), (name, value)])).unwrap_err().to_string()
    }

    fn one_collection(config: Object) -> Value {
        vec![vec!["c".into(), config.into()].into()].into()
    }

    #[test]
    fn the_whole_configuration_is_read() {
        let index = Object::from([("fields", "serial".into()), ("unique", true.into()), ("sparse", true.into())]);
        let indexes = vec!["ts".into(), vec!["site".into(), "ts".into()].into(), index.into()];
        let collection = Object::from([("key", vec!["a".into(), "b".into()].into()), ("indexes", indexes.into())]);
        let config = Object::from([
            ("name", "fleet".into()),
            ("storage", "memory".into()),
            ("durability", "strict".into()),
            ("stores", Object::from([("main", "m".into())]).into()),
            ("collections", one_collection(collection)),
            ("cache_bytes", 1024.into()),
            ("preload", false.into()),
            ("alert_thresholds", Object::from([("query_time", 250.into())]).into()),
        ]);
        let config = Config::decode(&codec::encoded(&config.into())).unwrap();
        assert_eq!((config.storage, config.durability), (StorageKind::Memory, Durability::Strict));
        assert_eq!((config.cache_bytes, config.preload), (Some(1024), false));
        assert_eq!(config.query_time_ms, Some(250.0));
        assert_eq!((config.stores.main.as_str(), config.stores.cache.as_str()), ("m", "cache"));
        let names: Vec<_> =
            config.collections.iter().flat_map(|c| &c.indexes).map(|index| index.name.as_str()).collect();
        assert_eq!(names, ["ts", "site_ts", "serial"]);
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(message("storge", 1.into()), "option `storge` is not known");
        assert_eq!(message("storage", "disk".into()), "option `storage` cannot be \"disk\"");
        assert_eq!(message("durability", "maybe".into()), "durability is \"maybe\", not \"relaxed\" or \"strict\"");
        assert_eq!(message("cache_bytes", Value::number(0.5).unwrap()), "`cache_bytes` is 0.5, not a count");
        assert_eq!(message("name", "".into()), "database has no name");
        let threshold = Object::from([("query_time", (-1).into())]);
        assert_eq!(message("alert_thresholds", threshold.into()), "threshold `query_time` cannot be -1");
        let wrong = |config| message("collections", one_collection(config));
        assert_eq!(wrong(Object::from([("key", vec![].into())])), "collection `c`: key has 0 fields, not 1 to 16");
        assert_eq!(
            wrong(Object::from([("key", "$x".into())])),
            "collection `c`: key: path `$x`: `$x` is not a field name"
        );
        assert_eq!(wrong(Object::from([("ttl", 1.into())])), "collection `c`: option `ttl` is not known, or wrong");
        let twice = vec!["a".into(), "a".into()];
        assert_eq!(wrong(Object::from([("indexes", twice.clone().into())])), "collection `c`: index `a` stands twice");
        assert_eq!(
            wrong(Object::from([("indexes", vec![twice.into()].into())])),
            "collection `c`: index has field `a` twice"
        );
    }
}
