//! Every bound of the system, named, with its unit.
//!
//! Not configuration: what a user may set is in `db/config.rs`, and is held within these.

/// Bytes of one document, encoded.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How deep arrays and objects may stand in each other; the document itself is depth 1.
pub const DOCUMENT_DEPTH_MAX: usize = 64;
/// Fields of one object.
pub const OBJECT_FIELDS_MAX: usize = 10_000;
/// Bytes of one field name, in UTF-8.
pub const FIELD_NAME_BYTES_MAX: usize = 1024;
/// Bytes of a primary key, order-preserving form.
pub const PRIMARY_KEY_BYTES_MAX: usize = 1024;
/// Bytes of a whole engine key: primary keys and index entries with their prefix.
pub const KEY_BYTES_MAX: usize = 4096;
/// Fields of a compound key or index.
pub const KEY_FIELDS_MAX: usize = 16;
/// Index entries that one document may have in one index (elements of an array).
pub const INDEX_ENTRIES_PER_DOCUMENT_MAX: usize = 10_000;
/// How deep the operators of a filter may stand in each other.
pub const FILTER_DEPTH_MAX: usize = 32;
/// Conditions of one filter; all values of a list are one condition.
pub const FILTER_TERMS_MAX: usize = 10_000;
/// Words of one `$search`.
pub const SEARCH_WORDS_MAX: usize = 64;
/// Bytes that a search may keep of its words: keys of documents, and where they stand in them.
pub const SEARCH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much more than 1 a field of a text index may weigh.
pub const TEXT_WEIGHT_MAX: u32 = 99_999;
/// Steps that a filter's pattern may take through one text: about a second.
pub const PATTERN_STEPS_MAX: u32 = 64_000_000;
/// Collections of one database.
pub const COLLECTIONS_MAX: usize = 1024;
/// Indexes of one collection.
pub const INDEXES_PER_COLLECTION_MAX: usize = 64;
/// Bytes of a collection's, index's or database's name.
pub const NAME_BYTES_MAX: usize = 128;
/// Shapes kept per collection; documents beyond are stored with their field names.
pub const SHAPES_PER_COLLECTION_MAX: usize = 4096;
/// Steps of one evaluation of an expression: one for each operator, each element made, and each 64 bytes of text.
pub const EXPRESSION_STEPS_MAX: usize = 1 << 20;
/// Bytes that one stage of a pipeline may keep in memory, roughly.
pub const AGGREGATION_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes of columns that an engine keeps in memory: what many documents have at one path, made from rows.
pub const COLUMN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Stages of one pipeline.
pub const PIPELINE_STAGES_MAX: usize = 1000;
/// How deep pipelines may stand in each other.
pub const PIPELINE_DEPTH_MAX: usize = 16;
/// Documents that the windows of one stage may take in together.
pub const WINDOW_STEPS_MAX: usize = 1 << 27;
/// Bytes of documents, keys and sort keys that one sort may keep until it can give out the first.
pub const SORT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Forms of slow queries that are remembered; beyond, the one that took least time is forgotten.
pub const SLOW_QUERIES_MAX: usize = 100;
/// Bytes of a slow query's form and values, roughly; a larger one is remembered without them.
pub const SLOW_QUERY_BYTES_MAX: usize = 16 * 1024;
/// A query that passed fewer keys and documents than this is not slow for reading much.
pub const SLOW_QUERY_READS_MIN: usize = 10_000;
/// So many keys and documents passed for each document returned make a query slow.
pub const SLOW_QUERY_READS_PER_RETURNED: usize = 100;
/// Bytes that one transaction may write.
pub const TRANSACTION_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How often a call runs its own transaction again after a conflict.
pub const CONFLICT_RETRIES_MAX: u32 = 64;

const _: () = assert!(PRIMARY_KEY_BYTES_MAX * 2 + 64 < KEY_BYTES_MAX);
const _: () = assert!(DOCUMENT_BYTES_MAX < TRANSACTION_BYTES_MAX);
