//! The one error type and its kinds.
//!
//! Not a list of what went wrong inside: a kind exists because a caller would *act* differently. What happened is in
//! the message, which is not an interface.
//!
//! Invariants: messages are lower-case, one line, without a full stop, user input in backticks; [`ErrorKind::code`]
//! never changes for a released kind.

use core::fmt;

/// What the caller should do. The code is the same in Rust, in TypeScript and over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The request is wrong: fix it. Nothing was written.
    Invalid,
    /// What the request names does not exist.
    NotFound,
    /// A key or a unique value is taken already. Nothing was written.
    AlreadyExists,
    /// Another transaction was first: run this one again.
    Conflict,
    /// The principal may not do this.
    Denied,
    /// Something is too big, or the disk's quota is used up. Reads go on.
    Limit,
    /// The storage does not answer now: try again later.
    Unavailable,
    /// The database was closed: open it again.
    Closed,
    /// Stored bytes are damaged: restore them from a backup. What is not named in the details stays readable.
    Corrupt,
    /// The storage was wiped, or rolled back to an earlier state, by something outside: restore a backup.
    Lost,
    /// Written by a newer version, or a capability that is not there.
    Unsupported,
    /// The caller gave up before the commit: there is no effect.
    Cancelled,
    /// A bug in HyphaDB: please report it.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [ErrorKind; 13] = [
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::Conflict,
        ErrorKind::Denied,
        ErrorKind::Limit,
        ErrorKind::Unavailable,
        ErrorKind::Closed,
        ErrorKind::Corrupt,
        ErrorKind::Lost,
        ErrorKind::Unsupported,
        ErrorKind::Cancelled,
        ErrorKind::Internal,
    ];

    /// The stable code that JavaScript sees as `error.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            ErrorKind::Invalid => "invalid",
            ErrorKind::NotFound => "not_found",
            ErrorKind::AlreadyExists => "already_exists",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Denied => "denied",
            ErrorKind::Limit => "limit",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Closed => "closed",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Lost => "lost",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Internal => "internal",
        }
    }

    /// Whether the same call may succeed when it is made again unchanged.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, ErrorKind::Conflict | ErrorKind::Unavailable)
    }

    /// The advice given when an error carries none of its own.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            ErrorKind::Invalid => "fix the request; nothing was written",
            ErrorKind::NotFound => "check the name, or create it first",
            ErrorKind::AlreadyExists => "use another key, or `put` to replace; nothing was written",
            ErrorKind::Conflict => "run the transaction again",
            ErrorKind::Denied => "ask for a policy that allows this",
            ErrorKind::Limit => "make it smaller, or delete something; reads go on",
            ErrorKind::Unavailable => "try again later",
            ErrorKind::Closed => "open the database again",
            ErrorKind::Corrupt => "restore the named ranges from a backup; the rest stays readable",
            ErrorKind::Lost => "restore a backup",
            ErrorKind::Unsupported => "reload with a newer version of hyphadb",
            ErrorKind::Cancelled => "nothing was written; call again when wanted",
            ErrorKind::Internal => "this is a bug in hyphadb: please report it with this message",
        }
    }
}

/// Why a call failed, and what to do about it.
///
/// ```
/// use hyphadb::error::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::Limit, "document has 17000000 bytes, the limit is 16777216")
///     .context("while inserting `r1`");
/// assert_eq!(error.kind(), ErrorKind::Limit);
/// assert_eq!(error.to_string(), "while inserting `r1`: document has 17000000 bytes, the limit is 16777216");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    details: Vec<(&'static str, Detail)>,
}

/// A fact about an error, for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// In words.
    Text(String),
    /// A value of a document, as it is: encoded for the boundary (`value/codec.rs`).
    Value(Vec<u8>),
}

/// The result of everything that can fail.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// An error of this kind. The message: lower-case, one line, no full stop, user input in backticks.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), hint: None, details: Vec::new() }))
    }

    /// Shorthand for [`ErrorKind::Invalid`].
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Invalid, message)
    }

    /// Shorthand for [`ErrorKind::Corrupt`].
    #[must_use]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Corrupt, message)
    }

    /// Shorthand for [`ErrorKind::Limit`].
    #[must_use]
    pub fn limit(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Limit, message)
    }

    /// Shorthand for [`ErrorKind::Internal`].
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Internal, message)
    }

    /// Says what was being done: put in front of the message.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// Advice that is better than the kind's own.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// A fact that a program may want: `details.<name>` in JavaScript.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.details.push((name, Detail::Text(value.to_string())));
        self
    }

    /// A value, encoded for the boundary, that a program may want: `details.<name>` in JavaScript is that value.
    #[must_use]
    pub fn with_value(mut self, name: &'static str, encoded: Vec<u8>) -> Self {
        self.0.details.push((name, Detail::Value(encoded)));
        self
    }

    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or(self.0.kind.hint())
    }

    /// Facts for programs, in the order in which they were added.
    #[must_use]
    pub fn details(&self) -> &[(&'static str, Detail)] {
        &self.0.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_snake_case() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn context_stands_before_the_cause_and_keeps_kind_hint_and_details() {
        let error =
            Error::invalid("key is a boolean").with_hint("use a string").with_detail("field", "id").context("insert");
        assert_eq!(error.to_string(), "insert: key is a boolean");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.hint(), "use a string");
        assert_eq!(error.details(), [("field", Detail::Text("id".to_owned()))]);
    }
}
