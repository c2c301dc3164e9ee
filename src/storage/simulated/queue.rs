//! Who may run now: transactions wait for earlier ones over the same stores, as IndexedDB has it.
//!
//! Not a lock of the database: reads of the same stores run together, and disjoint scopes do not meet.
//!
//! Invariants: of two overlapping transactions of which one writes, the one that arrived first runs first and alone.

use crate::storage::Store;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::rc::Rc;

/// The object stores that a transaction is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope(u8);

impl Scope {
    pub(super) const NONE: Scope = Scope(0);
    /// The log and the registers.
    pub(super) const LOG: Scope = Scope(1);

    pub(super) const fn of(store: Store) -> Scope {
        match store {
            Store::Main => Scope(2),
            Store::Backup => Scope(4),
            Store::Cache => Scope(8),
        }
    }

    pub(super) const fn with(self, other: Scope) -> Scope {
        Scope(self.0 | other.0)
    }

    const fn overlaps(self, other: Scope) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a transaction does with its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    scope: Scope,
    mode: Mode,
    waker: Option<Waker>,
}

/// The live transactions of a disk, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Queue {
    live: RefCell<Vec<Waiting>>,
    tickets: Cell<u64>,
}

/// The right to run; dropping it lets the next ones run.
#[derive(Debug)]
pub(super) struct Running {
    queue: Rc<Queue>,
    ticket: u64,
}

impl Queue {
    /// Arrives now and waits for every earlier transaction that stands in the way.
    pub(super) async fn enter(self: &Rc<Self>, scope: Scope, mode: Mode) -> Running {
        let ticket = self.tickets.get();
        self.tickets.set(ticket + 1);
        self.live.borrow_mut().push(Waiting { ticket, scope, mode, waker: None });
        let running = Running { queue: Rc::clone(self), ticket };
        poll_fn(|cx| {
            let mut live = self.live.borrow_mut();
            let blocked = live
                .iter()
                .take_while(|other| other.ticket < ticket)
                .any(|other| other.scope.overlaps(scope) && (other.mode == Mode::Write || mode == Mode::Write));
            if !blocked {
                return Poll::Ready(());
            }
            if let Some(own) = live.iter_mut().find(|own| own.ticket == ticket) {
                own.waker = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let wakers: Vec<_> = {
            let mut live = self.queue.live.borrow_mut();
            live.retain(|own| own.ticket != self.ticket);
            live.iter_mut().filter_map(|other| other.waker.take()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}
