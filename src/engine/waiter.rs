//! Where a commit waits for its answer, or for its turn to lead a group.
//!
//! Not a channel: there is one reader, one thread, and at most one answer.
//!
//! Invariants: a waiter whose future was dropped is never made the leader, and its commit is not written; whoever
//! still waits gets an answer, also when the leader's future is dropped in the middle of a group.

use super::commit::Committed;
use crate::error::{Error, ErrorKind, Result};
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::rc::Rc;

/// What a waiter was woken for.
pub(super) enum Turn {
    Answer(Result<Committed>),
    Lead,
}

#[derive(Default)]
struct Slot {
    answer: Option<Result<Committed>>,
    is_answered: bool,
    must_lead: bool,
    waker: Option<Waker>,
}

/// The end that stays in the queue, or with the leader of its group.
#[derive(Default)]
pub(super) struct Waiter(Rc<RefCell<Slot>>);

/// The end that the caller holds.
pub(super) struct Ticket(Rc<RefCell<Slot>>);

impl Waiter {
    /// A waiter and its ticket.
    pub(super) fn pair() -> (Self, Ticket) {
        let waiter = Waiter::default();
        let ticket = Ticket(Rc::clone(&waiter.0));
        (waiter, ticket)
    }

    /// Whether somebody still waits.
    pub(super) fn is_alive(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    pub(super) fn answer(&self, answer: Result<Committed>) {
        self.wake(|slot| {
            slot.answer = Some(answer);
            slot.is_answered = true;
        });
    }

    pub(super) fn lead(&self) {
        self.wake(|slot| slot.must_lead = true);
    }

    fn wake(&self, change: impl FnOnce(&mut Slot)) {
        let waker = {
            let mut slot = self.0.borrow_mut();
            change(&mut slot);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Waiter {
    /// Whoever led the group gave up in the middle: those who wait must not wait for ever.
    fn drop(&mut self) {
        if self.is_alive() && !self.0.borrow().is_answered {
            let error = Error::new(ErrorKind::Unavailable, "the commit that led this one's group was given up");
            self.answer(Err(error.with_detail("outcome", "unknown")));
        }
    }
}

impl Ticket {
    pub(super) async fn turn(&self) -> Turn {
        poll_fn(|cx| {
            let mut slot = self.0.borrow_mut();
            if let Some(answer) = slot.answer.take() {
                Poll::Ready(Turn::Answer(answer))
            } else if core::mem::take(&mut slot.must_lead) {
                Poll::Ready(Turn::Lead)
            } else {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// The answer, if it is there.
    pub(super) fn take_answer(&self) -> Option<Result<Committed>> {
        self.0.borrow_mut().answer.take()
    }

    /// Whether it was told to lead and has not begun.
    pub(super) fn must_lead(&self) -> bool {
        self.0.borrow().must_lead
    }
}
