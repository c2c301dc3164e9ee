//! A future with a deadline.
//!
//! Not a cancellation of the work behind it: a storage call that was started may still take effect after its deadline,
//! so the caller must treat the outcome as unknown.

use super::Env;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

/// The deadline passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Waits for `work` for at most `deadline_ms`. No timer is made when the work is ready at the first look.
///
/// # Errors
/// [`Elapsed`] when the deadline passes first.
pub async fn timeout<T>(env: &dyn Env, deadline_ms: u32, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        let timer = timer.get_or_insert_with(|| env.sleep(deadline_ms));
        timer.as_mut().poll(cx).map(|()| Err(Elapsed))
    })
    .await
}
