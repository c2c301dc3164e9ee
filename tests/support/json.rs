//! JSON as values, for tests whose data others wrote.
//!
//! Not a way into the database: the product gets its values from JavaScript.

use hyphadb::value::{Name, Object, Value};

/// Reads a JSON text; panics where it is none.
pub fn value(text: &str) -> Value {
    from(&serde_json::from_str(text).expect("the text is JSON"))
}

/// The same value.
pub fn from(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::number(number.as_f64().expect("a double")).expect("not NaN"),
        serde_json::Value::String(text) => Value::from(&**text),
        serde_json::Value::Array(elements) => Value::Array(elements.iter().map(from).collect()),
        serde_json::Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (Name::from(&**name), from(value)));
            Value::Object(Object::from_fields(fields.collect()).expect("a name stands once"))
        }
    }
}
