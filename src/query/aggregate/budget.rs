//! Budgets: how many bytes a stage may keep.
//!
//! Not exact: values are weighed roughly (`query/weight.rs`).

use crate::error::{Error, ErrorKind, Result};
use crate::limits::AGGREGATION_BYTES_MAX;

/// The bytes that one stage keeps.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    used: usize,
}

impl Budget {
    /// Counts bytes that are kept from now on.
    ///
    /// # Errors
    /// `limit` where they are too many.
    pub(crate) fn keep(&mut self, bytes: usize) -> Result<()> {
        self.used = self.used.saturating_add(bytes);
        if self.used <= AGGREGATION_BYTES_MAX {
            return Ok(());
        }
        let message = format!("it keeps more than {} MiB in memory", AGGREGATION_BYTES_MAX >> 20);
        Err(Error::new(ErrorKind::Limit, message).with_hint("match less before it, or project fewer fields"))
    }
}
