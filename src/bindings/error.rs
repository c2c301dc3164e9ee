//! Errors as JavaScript gets them: `{ code, message, retryable, hint, details }`, values in the details encoded. [JS]
//!
//! Not an `Error` of JavaScript: the facade makes a `HyphaError` of it, with a stack that means something there.

use crate::error::{Detail, Error};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

/// The only conversion of an error.
pub(super) fn to_js(error: &Error) -> JsValue {
    let details = Object::new();
    for (name, detail) in error.details() {
        match detail {
            Detail::Text(text) => set(&details, name, &JsValue::from_str(text)),
            Detail::Value(encoded) => set(&details, name, &Uint8Array::from(&encoded[..])),
        }
    }
    let object = Object::new();
    set(&object, "code", &JsValue::from_str(error.kind().code()));
    set(&object, "message", &JsValue::from_str(error.message()));
    set(&object, "retryable", &JsValue::from_bool(error.kind().retryable()));
    set(&object, "hint", &JsValue::from_str(error.hint()));
    set(&object, "details", &details);
    object.into()
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a property of a plain object of our own cannot fail.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}
