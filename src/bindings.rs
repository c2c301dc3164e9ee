//! What JavaScript sees: the only exports of the crate. [JS]
//!
//! Not the public API: that is the TypeScript in `src/facade`, the only caller of these. What crosses here is bytes (see
//! `value/codec.rs`), numbers and short names.
//!
//! Invariants: every exported method takes `&self` and lends itself only for the time of the call; a promise owns what
//! it needs; callbacks of JavaScript run from a queue, outside every borrow; after a panic every call is answered with
//! `closed`.
mod callbacks;
mod engine;
mod error;
mod panic;
mod promise;
mod transaction;

pub use engine::Engine;
pub use transaction::Transaction;

use crate::env::browser::BrowserEnv;
use crate::storage::indexed_db::{IndexedDb, IndexedDbOptions};
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Deletes a database of this origin; one that is not there counts as deleted.
///
/// # Errors
/// `unavailable` when another context holds it open and does not give way.
#[wasm_bindgen(unchecked_return_type = "Promise<void>")]
pub fn delete_database(name: String) -> Result<Promise, JsValue> {
    panic::check()?;
    Ok(promise::of(async move {
        let deadline_ms = IndexedDbOptions::new(name.as_str()).open_deadline_ms;
        IndexedDb::delete(&name, deadline_ms, &BrowserEnv::new()).await?;
        Ok(JsValue::UNDEFINED)
    }))
}

/// Calls `callback` with the message of a panic, before the instance traps: promises under way will never be settled.
#[wasm_bindgen]
pub fn on_panic(callback: Function) {
    panic::watch();
    panic::tell(callback);
}
