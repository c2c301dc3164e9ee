//! HyphaDB: an embedded document database for browsers and edge workers.
//!
//! This crate is the whole core: values, storage, engine, queries, and the exports that the npm package `hyphadb`
//! wraps. It is not the public face: users meet the TypeScript in `src/facade`, built into `pkg/`.
//!
//! Modules stand in the order of their floors; each may name only what stands above it in this list. Files marked
//! `[JS]` are the only ones that know JavaScript; all the rest builds and is tested on any host.

#![cfg_attr(
    not(feature = "pipelines"),
    allow(dead_code, unused_imports, reason = "a slim build does not enter all parts")
)]

// Floor 0: ground.
pub mod bytes;
pub mod env;
pub mod error;
pub mod limits;
pub mod part;
pub mod planted;
pub mod sorted;

// Floor 1: plain data.
pub mod pattern;
pub mod value;
pub mod words;

// Floor 2: the seam of bytes, and pure judgement about documents.
pub mod query;
pub mod schema;
pub mod storage;

// Floor 4: the only writer.
pub mod engine;

// Floor 6: the database that a program opens.
pub mod db;

// Floor 8: what JavaScript sees. [JS]
#[cfg(target_arch = "wasm32")]
pub mod bindings;
