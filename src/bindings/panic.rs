//! What is left of an instance after a panic: its message, and the refusal of every further call. [JS]
//!
//! Not a recovery: a panic is a bug, and leaves memory in a state that nobody can vouch for. Data are safe all the same,
//! because they reach the storage only after the step that computed them has returned.

use super::error;
use crate::error::{Error, ErrorKind};
use crate::storage::indexed_db;
use core::cell::{Cell, RefCell};
use js_sys::Function;
use std::panic::PanicHookInfo;
use wasm_bindgen::JsValue;

std::thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
    static CALLBACK: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Installs the hook, once.
pub(super) fn watch() {
    if !WATCHING.replace(true) {
        std::panic::set_hook(Box::new(note));
    }
}

/// Sets who is told.
pub(super) fn tell(callback: Function) {
    CALLBACK.set(Some(callback));
}

/// Refuses the call when there was a panic.
///
/// # Errors
/// `closed`, with the panic's message in the details.
pub(super) fn check() -> Result<(), JsValue> {
    let message = MESSAGE.with(|message| message.try_borrow().map(|message| message.clone()).unwrap_or_default());
    match message {
        None => Ok(()),
        Some(message) => {
            let error = Error::new(ErrorKind::Closed, "the engine stopped because of a bug in it")
                .with_hint("open the database again: what was acknowledged is safe; please report `details.panic`")
                .with_detail("panic", message);
            Err(error::to_js(&error))
        }
    }
}

/// Runs inside the panic: it takes no borrow that may be held, and nothing here may panic again.
fn note(panic: &PanicHookInfo<'_>) {
    let text = panic.to_string();
    MESSAGE.with(|message| {
        if let Ok(mut message) = message.try_borrow_mut() {
            message.get_or_insert_with(|| text.clone());
        }
    });
    indexed_db::abandon();
    let callback = CALLBACK.with(|callback| callback.try_borrow().ok().and_then(|callback| callback.clone()));
    if let Some(callback) = callback {
        // What the callback throws cannot matter any more.
        let _ = callback.call1(&JsValue::UNDEFINED, &JsValue::from_str(&text));
    }
}
