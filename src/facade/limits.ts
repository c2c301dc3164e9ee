// The bounds that the facade checks before anything crosses the boundary.
//
// Not the whole list: `src/limits.rs` has it, and the engine checks again.
// Invariant: each constant equals its namesake in Rust (a test compares).

/** Bytes of one document, encoded. */
export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
/** How deep arrays and objects may stand in each other; the document itself is depth 1. */
export const DOCUMENT_DEPTH_MAX = 64
/** Fields of one object. */
export const OBJECT_FIELDS_MAX = 10_000
/** Bytes of one field name, in UTF-8. */
export const FIELD_NAME_BYTES_MAX = 1024
