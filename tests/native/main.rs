//! The native tests, in one binary: what holds on any host, without a browser.
//!
//! Not the tests of single modules: those stand at the foot of their files.

// Futures within futures: a request of a test, down to the storage.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod campaign_gate;
mod columns;
mod documents;
mod documents_crash;
mod documents_entries;
mod documents_format;
mod documents_glance;
mod documents_index;
mod documents_limits;
mod documents_migrate;
mod documents_model;
mod documents_plans;
mod documents_schema;
mod documents_slow;
mod documents_text;
mod documents_together;
mod engine;
mod filters;
mod format;
mod live;
mod preload;
mod quota;
mod schema;
mod schema_suite;
mod simulator;
mod storage;
mod text_reference;
mod tidy;
mod updates;

#[path = "../support/storage_suite.rs"]
mod storage_suite;

#[path = "../support/campaign.rs"]
#[allow(dead_code, reason = "the campaign program uses more of it")]
mod campaign;

#[path = "../support/batch.rs"]
mod batch;
#[path = "../support/documents.rs"]
mod documents_fixture;
#[path = "../support/json.rs"]
mod json;
#[path = "../support/notation.rs"]
mod notation;
mod value_laws;
