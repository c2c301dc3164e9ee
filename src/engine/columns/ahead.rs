//! Reading ahead: while what was read of one segment is taken in, what the next ones have is on its way.
//!
//! Not kept here: extents are kept by whoever fetches them, as ever. Not an order: segments are taken as they are asked for.
//!
//! Invariant: no more than [`LANES`] segments are on their way, or read and not taken, at a time.

use crate::engine::blocks::Extent;
use crate::env::LocalFuture;
use crate::error::Result;
use core::future::poll_fn;
use core::task::{Context, Poll};

/// Two more than the one that is taken in: a storage is quick to give many values at once, and slow to give one.
const LANES: usize = 3;

/// What is read of a segment.
enum Read<'a> {
    Waiting(LocalFuture<'a, Result<Vec<Extent>>>),
    Done(Result<Vec<Extent>>),
}

impl Read<'_> {
    fn look(&mut self, context: &mut Context<'_>) {
        if let Read::Waiting(reading) = self
            && let Poll::Ready(done) = reading.as_mut().poll(context)
        {
            *self = Read::Done(done);
        }
    }
}

/// See the module. Of each piece, what is to be read for it, if anything is.
pub(super) struct Ahead<'a>(Vec<Option<Read<'a>>>);

impl<'a> Ahead<'a> {
    pub(super) fn new(each: impl Iterator<Item = Option<LocalFuture<'a, Result<Vec<Extent>>>>>) -> Self {
        Ahead(each.map(|reading| reading.map(Read::Waiting)).collect())
    }

    /// The extents of a piece; those of the next ones are asked for meanwhile.
    pub(super) async fn take(&mut self, piece: usize) -> Result<Vec<Extent>> {
        poll_fn(|context| {
            self.0.iter_mut().skip(piece).flatten().take(LANES).for_each(|read| read.look(context));
            let Some(slot) = self.0.get_mut(piece) else { return Poll::Ready(Ok(Vec::new())) };
            match slot.take() {
                None => Poll::Ready(Ok(Vec::new())),
                Some(Read::Done(extents)) => Poll::Ready(extents),
                waiting => {
                    *slot = waiting;
                    Poll::Pending
                }
            }
        })
        .await
    }
}
