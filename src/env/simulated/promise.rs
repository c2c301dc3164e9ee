//! One value that comes later, between two parties on one thread.
//!
//! Not a channel, and not an error when nobody resolves it: a promise whose resolver is gone waits for ever, as a call
//! that hangs does.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

/// The end that gives the value.
#[derive(Debug)]
pub struct Resolver<T>(Rc<RefCell<Slot<T>>>);

/// The end that waits for the value.
#[derive(Debug)]
pub struct Promise<T>(Rc<RefCell<Slot<T>>>);

/// Both ends.
#[must_use]
pub fn promise<T>() -> (Resolver<T>, Promise<T>) {
    let slot = Rc::new(RefCell::new(Slot { value: None, waker: None }));
    (Resolver(Rc::clone(&slot)), Promise(slot))
}

impl<T> Resolver<T> {
    /// Gives the value and wakes who waits.
    pub fn resolve(self, value: T) {
        let waker = {
            let mut slot = self.0.borrow_mut();
            slot.value = Some(value);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Promise<T> {
    /// The value, if it has come; only once.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().value.take()
    }

    /// Whether the value has come and was not taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.borrow().value.is_some()
    }
}

impl<T> Future for Promise<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.borrow_mut();
        match slot.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
