//! Extents that are on their way from the storage: nobody fetches what somebody is fetching already.
//!
//! Not a limit and not a queue: different extents are fetched side by side. Not where they are kept: `extents.rs`.
//!
//! Invariant: whoever fetches and fails, or gives up, lets those who wait for it try themselves.

use super::manifest::SegmentId;
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Poll, Waker};

struct Flight {
    segment: SegmentId,
    extent: u32,
    waiting: Vec<Waker>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Fetches(RefCell<Vec<Flight>>);

/// Some extents that the holder fetches; they count as on their way until this is dropped.
pub(super) struct Fetching<'a> {
    fetches: &'a Fetches,
    segment: SegmentId,
    extents: Vec<u32>,
}

impl Fetches {
    /// Takes upon the caller those of these extents that nobody fetches.
    pub(super) fn begin(&self, segment: SegmentId, extents: &[u32]) -> Fetching<'_> {
        let mut flights = self.0.borrow_mut();
        let mut mine = extents.to_vec();
        mine.retain(|extent| !flights.iter().any(|flight| flight.is_of(segment, *extent)));
        flights.extend(mine.iter().map(|extent| Flight { segment, extent: *extent, waiting: Vec::new() }));
        Fetching { fetches: self, segment, extents: mine }
    }

    /// Waits until whoever fetches this extent has it, or has given up.
    pub(super) async fn landed(&self, segment: SegmentId, extent: u32) {
        poll_fn(|cx| {
            let mut flights = self.0.borrow_mut();
            match flights.iter_mut().find(|flight| flight.is_of(segment, extent)) {
                Some(flight) => {
                    flight.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        })
        .await;
    }
}

impl Flight {
    fn is_of(&self, segment: SegmentId, extent: u32) -> bool {
        (self.segment, self.extent) == (segment, extent)
    }
}

impl Fetching<'_> {
    /// Which extents.
    pub(super) fn extents(&self) -> &[u32] {
        &self.extents
    }
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        let mut landed = Vec::new();
        self.fetches.0.borrow_mut().retain_mut(|flight| {
            let is_mine = flight.segment == self.segment && self.extents.contains(&flight.extent);
            if is_mine {
                landed.append(&mut flight.waiting);
            }
            !is_mine
        });
        landed.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use core::future::Future;
    use core::pin::pin;
    use core::task::Context;

    #[test]
    fn what_somebody_fetches_is_waited_for_and_what_nobody_fetches_is_not() {
        let mut context = Context::from_waker(Waker::noop());
        let fetches = Fetches::default();
        let (segment, other) = (SegmentId::new(1, [0; 8]), SegmentId::new(2, [0; 8]));
        let first = fetches.begin(segment, &[1, 2]);
        let second = fetches.begin(segment, &[2, 3]);
        assert_eq!((first.extents(), second.extents()), (&[1, 2][..], &[3][..]));
        assert_eq!(fetches.begin(other, &[2]).extents(), [2], "an extent of another segment is another extent");
        let mut waiting = pin!(fetches.landed(segment, 2));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        drop(second);
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(waiting.as_mut().poll(&mut context).is_ready());
        assert!(pin!(fetches.landed(segment, 2)).poll(&mut context).is_ready());
        assert_eq!(fetches.begin(segment, &[1, 2, 3]).extents(), [1, 2, 3]);
    }
}
