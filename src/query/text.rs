//! Text search: what is looked for, what an index says of its words, and how well a document matches.
//!
//! Not a reader: postings are read in `db/find/text.rs`, and written in `engine/text.rs`. How texts become words is in
//! `words.rs`.
//!
//! A document matches where every phrase occurs, and no word or phrase that is excluded; without a phrase one of the words
//! has to. What is looked for is made of clauses; each has a list of the documents in which it occurs, and how often.
//! Scores are BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009); of several
//! fields the counts are added by weight before (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple
//! weighted fields", 2004).
//!
//! Invariant: a score follows from the documents of a state alone, whichever context works it out.

mod list;
pub mod posting;
mod rank;
mod search;
mod typo;

pub use list::{List, check_kept};
pub use rank::{Hits, Totals, rank};
pub use search::{Clause, Near, Role, Search};
pub use typo::{Slot, fixed, slots};
