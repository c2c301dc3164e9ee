//! The class `Transaction`: requests that take effect together. [JS]
//!
//! Not IndexedDB's: it survives any `await`, because it is kept in memory until it is committed.

use super::{error, panic, promise};
use crate::db;
use crate::error::{Error, ErrorKind};
use crate::storage::Durability;
use crate::storage::any::AnyStorage;
use core::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A transaction under way.
#[wasm_bindgen]
pub struct Transaction {
    /// None after its end.
    inner: RefCell<Option<Rc<db::Transaction<AnyStorage>>>>,
}

#[wasm_bindgen]
impl Transaction {
    /// Answers one encoded request, in this transaction.
    ///
    /// # Errors
    /// As `Engine.request`; `closed` after the end of the transaction.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array | Promise<Uint8Array>")]
    pub fn request(&self, request: Vec<u8>) -> Result<JsValue, JsValue> {
        panic::check()?;
        let transaction = self.inner.borrow().clone().ok_or_else(ended)?;
        promise::answer(async move { transaction.request(&request).await })
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
            other => {
                return Err(error::to_js(&Error::invalid(format!("durability `{other}` is not known"))));
            }
        };
        let transaction = self.inner.take().ok_or_else(ended)?;
        promise::answer(async move { transaction.commit(durability).await })
    }

    /// Forgets what it wrote. Ending it twice is no error.
    pub fn rollback(&self) {
        self.inner.take();
    }
}

impl Transaction {
    pub(super) fn new(transaction: db::Transaction<AnyStorage>) -> Self {
        Transaction { inner: RefCell::new(Some(Rc::new(transaction))) }
    }
}

fn ended() -> JsValue {
    error::to_js(&Error::new(ErrorKind::Closed, "the transaction has ended").with_hint("begin another transaction"))
}
