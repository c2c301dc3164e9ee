//! Messages about live queries, as they cross the boundary.
//!
//! Not the judgement what to tell.
//!
//! A message, which the answers to `live_open` and `live_next` are too: `[[live, seq, removed, placed, docs, due] ...]`.
//! `removed`: places before, 4 bytes each. `placed`: place now, place before (from 1 on; 0: none) and 1 (a document comes
//! with it) + 2 (moved), 4 bytes each. `docs`: those documents. Places are those of the window: what is skipped, what is
//! wanted, and perhaps some more. `due`: only together with what `live_next` answers is this the result.

use crate::query::live::Difference;
use crate::storage::CommitSeq;
use crate::value::{Value, View, codec};

/// See the module.
#[derive(Default)]
pub(super) struct Message {
    entries: usize,
    bytes: Vec<u8>,
}

impl Message {
    /// Adds what became of a query; `docs`: encoded, an array.
    pub(super) fn push(&mut self, number: usize, seq: CommitSeq, difference: &Difference, docs: &[u8]) {
        self.begin(number, seq);
        let mut numbers = Vec::with_capacity((difference.removed.len() + difference.placed.len() * 3) * 4);
        difference.removed.iter().for_each(|place| push_number(&mut numbers, *place));
        self.encode(View::Bytes(&numbers));
        numbers.clear();
        for placed in &difference.placed {
            push_number(&mut numbers, placed.at);
            push_number(&mut numbers, placed.from.map_or(0, |from| from + 1));
            push_number(&mut numbers, usize::from(placed.is_changed) + 2 * usize::from(placed.is_moved));
        }
        self.encode(View::Bytes(&numbers));
        self.bytes.extend_from_slice(docs);
        self.encode(View::Bool(false));
    }

    /// The query that was added last has to be read.
    pub(super) fn is_due(&mut self) {
        self.bytes.pop();
        self.encode(View::Bool(true));
    }

    /// A query of which only reading can tell what became of it.
    pub(super) fn push_due(&mut self, number: usize, seq: CommitSeq) {
        let mut docs = Vec::new();
        codec::push_array(&mut docs, 0);
        self.push(number, seq, &Difference::default(), &docs);
        self.is_due();
    }

    /// Whether there is nothing to tell.
    pub(super) const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The whole message.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 10);
        codec::push_array(&mut out, self.entries);
        out.extend_from_slice(&self.bytes);
        out
    }

    fn begin(&mut self, number: usize, seq: CommitSeq) {
        self.entries += 1;
        codec::push_array(&mut self.bytes, 6);
        self.encode(View::from(&Value::count(number)));
        self.encode(View::from(&Value::count(usize::try_from(seq.get()).unwrap_or(usize::MAX))));
    }

    fn encode(&mut self, value: View<'_>) {
        // Only damaged rows fail, and this is none.
        let _ = codec::encode(value, &mut self.bytes);
    }
}

fn push_number(numbers: &mut Vec<u8>, number: usize) {
    numbers.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}
