//! Callbacks of JavaScript, called from a queue. [JS]
//!
//! Not called where the event happens: that is inside a commit or inside an event of the browser, where a callback that
//! calls the database again would meet it halfway.
//!
//! Invariants: events arrive in the order in which they happened; one delivery is under way at a time; nothing is
//! borrowed while a callback runs.

use core::cell::{Cell, RefCell};
use js_sys::Function;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// A callback, once there is one, and what it has not been told yet.
#[derive(Clone, Default)]
pub(super) struct Callbacks(Rc<Queue>);

#[derive(Default)]
struct Queue {
    callback: RefCell<Option<Function>>,
    /// Builds the argument late: a JavaScript value is made only for one who listens.
    waiting: RefCell<VecDeque<Box<dyn FnOnce() -> JsValue>>>,
    is_delivering: Cell<bool>,
}

impl Callbacks {
    /// Sets the callback, or takes it away; what happened before is not told.
    pub(super) fn set(&self, callback: Option<Function>) {
        *self.0.callback.borrow_mut() = callback;
    }

    /// Tells of an event, soon.
    pub(super) fn push(&self, argument: impl FnOnce() -> JsValue + 'static) {
        if self.0.callback.borrow().is_none() {
            return;
        }
        self.0.waiting.borrow_mut().push_back(Box::new(argument));
        if !self.0.is_delivering.replace(true) {
            let queue = self.0.clone();
            wasm_bindgen_futures::spawn_local(async move { queue.deliver() });
        }
    }
}

impl Queue {
    fn deliver(&self) {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            let Some(argument) = next else { break };
            let callback = self.callback.borrow().clone();
            if let Some(callback) = callback {
                // The facade catches what listeners throw; what it lets through has nowhere to go.
                let _ = callback.call1(&JsValue::UNDEFINED, &argument());
            }
        }
        self.is_delivering.set(false);
    }
}
