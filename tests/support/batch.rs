//! Batches of documents as the facade makes them (`src/facade/batch.ts`), for tests and for measuring.
//!
//! Not the product's: in it, batches are made in TypeScript alone.

use hyphadb::bytes::{put_slice, put_varint};
use hyphadb::value::{Object, Value};

/// The bytes of a batch.
pub fn batch<'a>(documents: impl ExactSizeIterator<Item = &'a Object>) -> Vec<u8> {
    let mut writer = Writer::default();
    let count = documents.len();
    documents.for_each(|document| writer.object(document));
    let mut bytes = Vec::new();
    put_varint(&mut bytes, writer.shapes.len() as u64);
    for shape in &writer.shapes {
        put_varint(&mut bytes, shape.len() as u64);
        shape.iter().for_each(|name| put_slice(&mut bytes, name.as_bytes()));
    }
    put_varint(&mut bytes, count as u64);
    bytes.push(u8::from(writer.text.is_ascii()));
    put_slice(&mut bytes, writer.text.as_bytes());
    bytes.extend_from_slice(&writer.values);
    bytes
}

#[derive(Default)]
struct Writer {
    shapes: Vec<Vec<String>>,
    text: String,
    values: Vec<u8>,
}

impl Writer {
    fn object(&mut self, object: &Object) {
        let names: Vec<String> = object.iter().map(|(name, _)| name.to_string()).collect();
        let number = self.shapes.iter().position(|shape| *shape == names).unwrap_or_else(|| {
            self.shapes.push(names);
            self.shapes.len() - 1
        });
        self.values.extend_from_slice(&u32::try_from(number).unwrap().to_le_bytes());
        object.iter().for_each(|(_, value)| self.value(value));
    }

    fn tagged(&mut self, tag: u8, payload: &[u8]) {
        self.values.push(tag);
        self.values.extend_from_slice(payload);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.values.push(0),
            Value::Bool(value) => self.values.push(1 + u8::from(*value)),
            Value::Number(number) => self.tagged(3, &number.get().to_le_bytes()),
            Value::BigInt(number) => self.tagged(5, &number.to_le_bytes()),
            Value::String(text) => {
                self.values.push(6);
                put_varint(&mut self.values, text.encode_utf16().count() as u64);
                self.text.push_str(text);
            }
            Value::Date(ms) => self.tagged(7, &(*ms as f64).to_le_bytes()),
            Value::Bytes(bytes) => {
                self.values.push(8);
                put_slice(&mut self.values, bytes);
            }
            Value::Array(elements) => {
                self.values.push(9);
                put_varint(&mut self.values, elements.len() as u64);
                elements.iter().for_each(|element| self.value(element));
            }
            Value::Object(object) => {
                self.values.push(10);
                self.object(object);
            }
        }
    }
}
