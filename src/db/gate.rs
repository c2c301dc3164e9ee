//! A gate: one passes at a time, the others wait in line.
//!
//! Not a lock on data: it keeps calls of one context that were in conflict with each other from running into the same
//! conflict again and again.
//!
//! Invariant: whoever gives up waiting is passed over; a pass that is dropped lets the next one in.

use core::cell::RefCell;
use futures_channel::oneshot::{Receiver, Sender, channel};
use std::collections::VecDeque;
use std::rc::Rc;

#[derive(Debug, Default)]
struct Line {
    is_taken: bool,
    waiting: VecDeque<Sender<Pass>>,
}

/// See the module. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Rc<RefCell<Line>>);

/// The right to be inside, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass(Gate);

impl Gate {
    /// Waits until it is this caller's turn.
    pub(crate) async fn enter(&self) -> Pass {
        match self.join() {
            Ok(pass) => pass,
            // The line lives as long as someone is in it, so the turn comes.
            Err(turn) => turn.await.unwrap_or_else(|_| Pass(self.clone())),
        }
    }

    fn join(&self) -> Result<Pass, Receiver<Pass>> {
        let mut line = self.0.borrow_mut();
        if !line.is_taken {
            line.is_taken = true;
            return Ok(Pass(self.clone()));
        }
        let (sender, receiver) = channel();
        line.waiting.push_back(sender);
        Err(receiver)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let next = self.0.0.borrow_mut().waiting.pop_front();
        match next {
            // Where the next one is gone, its pass comes back, is dropped, and goes to the one behind it.
            Some(next) => drop(next.send(Pass(self.0.clone()))),
            None => self.0.0.borrow_mut().is_taken = false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    #[test]
    fn one_passes_at_a_time_and_those_who_left_are_passed_over() {
        let mut context = Context::from_waker(Waker::noop());
        let gate = Gate::default();
        let Poll::Ready(first) = pin!(gate.enter()).poll(&mut context) else { panic!("the gate was free") };
        let mut third = Box::pin(gate.enter());
        {
            let mut second = Box::pin(gate.enter());
            assert!(second.as_mut().poll(&mut context).is_pending());
            assert!(third.as_mut().poll(&mut context).is_pending());
        }
        drop(first);
        let Poll::Ready(third) = third.as_mut().poll(&mut context) else { panic!("it was its turn") };
        drop(third);
        assert!(pin!(gate.enter()).poll(&mut context).is_ready());
    }
}
