//! Violations: what is wrong with a value, where, and by which word of the schema.
//!
//! Not errors: one error may carry many of them.

use crate::value::{Value, View};
use core::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value, as a JSON Pointer (RFC 6901); empty for the value itself.
    pub pointer: String,
    /// The keyword that does not hold.
    pub keyword: &'static str,
    /// Where this keyword stands in the schema: a JSON Pointer; behind its address, in a standard meta-schema.
    pub schema_pointer: String,
    /// What is wrong, lower-case; goes on behind the place: "is 4, below the minimum 5".
    pub reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.pointer.is_empty() { "document" } else { "" };
        let (open, close) = if self.pointer.is_empty() { ("", "") } else { ("`", "`") };
        write!(f, "{open}{name}{}{close} {}", self.pointer, self.reason)
    }
}

/// Appends a part to a JSON Pointer.
pub(super) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for char in token.chars() {
        match char {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            char => pointer.push(char),
        }
    }
}

/// A value as reasons show it: what is small as it is, of the rest the type.
pub(super) struct Shown<'a>(pub(super) &'a View<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match self.0 {
            View::Array(_) | View::Object(_) => None,
            scalar => scalar.to_value().ok(),
        };
        match value {
            Some(value) => value.fmt(f),
            None => f.write_str(with_article(self.0.type_name())),
        }
    }
}

fn with_article(type_name: &'static str) -> &'static str {
    match type_name {
        "array" => "an array",
        "object" => "an object",
        other => other,
    }
}

/// The values that may stand, for a reason.
pub(super) struct Listed<'a>(pub(super) &'a [Value]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 10;
        for (i, value) in self.0.iter().take(SHOWN_MAX).enumerate() {
            write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.0.len() > SHOWN_MAX { ", ..." } else { "" })
    }
}
