//! A part of shared, immutable bytes: keys and values as the engine hands them out.
//!
//! Not a copy: it keeps the whole buffer (a block, a memtable run) alive, so hold slices for as long as an answer is
//! being built and no longer.

use core::fmt;
use core::ops::Deref;
use std::rc::Rc;

/// Bytes inside a shared buffer.
#[derive(Clone)]
pub struct Slice {
    owner: Rc<Vec<u8>>,
    start: u32,
    end: u32,
}

impl Slice {
    /// The part of `owner` that `part` is; `part` must be a slice of it, given by its place.
    pub(crate) fn new(owner: &Rc<Vec<u8>>, start: usize, end: usize) -> Option<Self> {
        owner.get(start..end)?;
        Some(Slice { owner: Rc::clone(owner), start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.owner.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Self {
        let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Slice { owner: Rc::new(bytes), start: 0, end }
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Slice {}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slice({})", self.as_bytes().escape_ascii())
    }
}
