//! Ways for documents over the boundary, side by side: that of HyphaDB, and what is usual.
//!
//! Not part of the product: a wasm of the benchmark's own. Every way ends where the engine could go on. That of HyphaDB
//! ends in rows, which are what is stored; the others end in trees, from which rows are still to be made, and a struct
//! that is known when the program is compiled is no choice for documents of users: it is the best that serde can do.
//!
//! Invariant: what went in by one way comes out by the same way unchanged, as far as the way can carry it.

mod reading;
mod rows;
mod tree;

use wasm_bindgen::JsError;

/// What JavaScript is told of an error.
fn told(error: impl core::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}
