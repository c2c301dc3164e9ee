//! What stages make of documents, and which pipelines are refused.

#![allow(clippy::unwrap_used, reason = "tests")]
