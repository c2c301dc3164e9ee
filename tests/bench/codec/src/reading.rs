//! The best case of serde: the benchmark's document as a struct, known when the program is compiled.
//!
//! Not a way for documents of users.

use crate::told;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

#[derive(Deserialize, Serialize)]
struct Reading {
    id: String,
    ts: f64,
    agent: String,
    site: String,
    kind: String,
    status: String,
    value: f64,
    unit: String,
    tags: Vec<String>,
    note: String,
}

/// Readings as structs.
#[wasm_bindgen]
pub struct Readings(Vec<Reading>);

#[wasm_bindgen]
impl Readings {
    /// From an array of JavaScript, by serde-wasm-bindgen.
    ///
    /// # Errors
    /// For what is no array of readings.
    pub fn of_objects(documents: JsValue) -> Result<Readings, JsError> {
        serde_wasm_bindgen::from_value(documents).map(Readings).map_err(told)
    }

    /// As an array of JavaScript.
    ///
    /// # Errors
    /// None.
    pub fn objects(&self) -> Result<JsValue, JsError> {
        serde_wasm_bindgen::to_value(&self.0).map_err(told)
    }
}
