//! The class `Transaction`: requests that take effect together. [JS]
//!
//! Not IndexedDB's: it survives any `await`, because it is kept in memory until it is committed.

use super::{error, panic, promise};
use crate::db;
use crate::error::Error;
use crate::storage::Durability;
use crate::storage::any::AnyStorage;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A transaction under way.
#[wasm_bindgen]
pub struct Transaction(Rc<db::Transaction<AnyStorage>>);

#[wasm_bindgen]
impl Transaction {
    /// Answers one encoded request, in this transaction.
    ///
    /// # Errors
    /// As `Engine.request`; `closed` after the end of the transaction.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array | Promise<Uint8Array>")]
    pub fn request(&self, request: Vec<u8>) -> Result<JsValue, JsValue> {
        panic::check()?;
        let transaction = self.0.clone();
        promise::answer(async move { transaction.request(&request).await }, None)
    }

    /// Commits; `durability` is `relaxed` or `strict`.
    ///
    /// # Errors
    /// `conflict`: run it again; else as `Engine.request`.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array | Promise<Uint8Array>")]
    pub fn commit(&self, durability: &str) -> Result<JsValue, JsValue> {
        panic::check()?;
        let durability = match durability {
            "relaxed" => Durability::Relaxed,
            "strict" => Durability::Strict,
            other => return Err(error::to_js(&Error::invalid(format!("durability `{other}` is not known")))),
        };
        let transaction = self.0.clone();
        promise::answer(async move { transaction.commit(durability).await }, None)
    }

    /// Forgets what it wrote. Ending it twice is no error.
    pub fn rollback(&self) {
        if panic::check().is_ok() {
            self.0.rollback();
        }
    }
}

impl Transaction {
    pub(super) fn new(transaction: db::Transaction<AnyStorage>) -> Self {
        Transaction(Rc::new(transaction))
    }
}
