//! The crate in a real browser: IndexedDB under the contract that every storage keeps, and what only a browser can do
//! to it. Not the package: pages with several tabs, kills and quotas are in `tests/pages`.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod bindings;
mod contract;
mod engine;
mod environment;
mod indexed_db;
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
