//! Several pieces of work side by side, on one thread.
//!
//! Not a scheduler: nothing is spawned, and what is not waited for any more is dropped.

use super::LocalFuture;
use crate::error::Result;
use core::future::poll_fn;
use core::task::Poll;

/// Carries works out, at most so many at a time, begun in their order.
///
/// # Errors
/// The first that any of them fails with; the others are dropped where they are.
pub async fn side_by_side<'a>(
    lanes: usize,
    works: &mut (dyn Iterator<Item = LocalFuture<'a, Result<()>>> + 'a),
) -> Result<()> {
    let mut under_way: Vec<LocalFuture<'a, Result<()>>> = Vec::new();
    poll_fn(|cx| {
        loop {
            let mut failed = None;
            under_way.retain_mut(|work| match work.as_mut().poll(cx) {
                Poll::Ready(Err(error)) => {
                    failed.get_or_insert(error);
                    false
                }
                Poll::Ready(Ok(())) => false,
                Poll::Pending => true,
            });
            if let Some(error) = failed {
                return Poll::Ready(Err(error));
            }
            if under_way.len() >= lanes.max(1) {
                return Poll::Pending;
            }
            match works.next() {
                Some(work) => under_way.push(work),
                None if under_way.is_empty() => return Poll::Ready(Ok(())),
                None => return Poll::Pending,
            }
        }
    })
    .await
}
