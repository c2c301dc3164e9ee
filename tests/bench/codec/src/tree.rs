//! The usual ways: bytes of JSON or MessagePack, or JavaScript's own objects, through serde into trees.
//!
//! Not the product's: its trees know nothing of serde, so here they are wrapped.

use crate::rows::{Collection, Rows};
use crate::told;
use core::fmt;
use hyphadb::value::{Name, Object, Value};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

/// Integers beyond are doubles in JavaScript.
const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Planter).map(Tree)
    }
}

struct Planter;

impl<'de> Visitor<'de> for Planter {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Value::number(value).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Tree(element)) = elements.next_element()? {
            found.push(element);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut found: Vec<(Name, Value)> = Vec::new();
        while let Some((name, Tree(value))) = fields.next_entry::<String, Tree>()? {
            found.push((name.into(), value));
        }
        Object::from_fields(found).map(Value::Object).map_err(A::Error::custom)
    }
}

struct Shown<'a>(&'a Value);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => match number.get() {
                float if float == 0.0 && float.is_sign_negative() => serializer.serialize_f64(float),
                float => match number.as_integer().filter(|integer| integer.abs() <= SAFE_INTEGER_MAX) {
                    Some(integer) => serializer.serialize_i64(integer),
                    None => serializer.serialize_f64(float),
                },
            },
            Value::BigInt(value) | Value::Date(value) => serializer.serialize_i64(*value),
            Value::String(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::Array(elements) => serializer.collect_seq(elements.iter().map(Shown)),
            Value::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (name, value) in object.iter() {
                    map.serialize_entry(&**name, &Shown(value))?;
                }
                map.end()
            }
        }
    }
}

/// Documents as trees.
#[wasm_bindgen]
pub struct Trees(Vec<Tree>);

impl Trees {
    fn shown(&self) -> Vec<Shown<'_>> {
        self.0.iter().map(|Tree(value)| Shown(value)).collect()
    }
}

#[wasm_bindgen]
impl Trees {
    /// From an array of JavaScript, by serde-wasm-bindgen.
    ///
    /// # Errors
    /// For what serde-wasm-bindgen does not know.
    pub fn of_objects(documents: JsValue) -> Result<Trees, JsError> {
        serde_wasm_bindgen::from_value(documents).map(Trees).map_err(told)
    }

    /// From an array of JSON.
    ///
    /// # Errors
    /// For what is no JSON.
    pub fn of_json(bytes: &[u8]) -> Result<Trees, JsError> {
        serde_json::from_slice(bytes).map(Trees).map_err(told)
    }

    /// From an array of MessagePack.
    ///
    /// # Errors
    /// For what is no MessagePack.
    pub fn of_message_pack(bytes: &[u8]) -> Result<Trees, JsError> {
        rmp_serde::from_slice(bytes).map(Trees).map_err(told)
    }

    /// As an array of JavaScript.
    ///
    /// # Errors
    /// Where serde-wasm-bindgen does not know how.
    pub fn objects(&self) -> Result<JsValue, JsError> {
        let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
        self.shown().serialize(&serializer).map_err(told)
    }

    /// As an array of JSON.
    ///
    /// # Errors
    /// None for trees that came from JSON.
    pub fn json(&self) -> Result<Vec<u8>, JsError> {
        serde_json::to_vec(&self.shown()).map_err(told)
    }

    /// As an array of MessagePack.
    ///
    /// # Errors
    /// None for trees that came from MessagePack.
    pub fn message_pack(&self) -> Result<Vec<u8>, JsError> {
        rmp_serde::to_vec(&self.shown()).map_err(told)
    }

    /// Makes rows of the trees, which is what the engine would have to do next.
    ///
    /// # Errors
    /// For what is no document.
    pub fn rows(&self, collection: &mut Collection) -> Result<Rows, JsError> {
        collection.write_trees(self.0.iter().filter_map(|Tree(value)| value.as_object())).map_err(told)
    }
}
