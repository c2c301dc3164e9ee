//! Answers that are given at once where that is possible, else as a promise. [JS]
//!
//! Not a scheduler: a future that is not ready goes to `wasm_bindgen_futures`.

use super::error;
use crate::error::Result;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

/// An answer that is shorter is sooner copied than read where it lies.
const READ_BYTES_MIN: usize = 32 * 1024;

#[wasm_bindgen]
extern "C" {
    /// Reads answers of the engine where they lie, in its own memory.
    #[derive(Clone, Debug)]
    pub type Reader;
    #[wasm_bindgen(method, structural, catch)]
    fn read(this: &Reader, answer: &[u8]) -> core::result::Result<JsValue, JsValue>;
}

type Work<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// The answer of `work` as a `Uint8Array` (a long one as what `reader` makes of it), or the promise of one. The first look costs neither promise nor microtask:
/// what is resident in memory is answered inside the call.
pub(super) fn answer(
    work: impl Future<Output = Result<Vec<u8>>> + 'static,
    reader: Option<Reader>,
) -> core::result::Result<JsValue, JsValue> {
    let mut work: Work<Vec<u8>> = Box::pin(work);
    // Nobody need be woken: what is still pending is looked at again, with a real waker, in the next microtask.
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(bytes)) => read(&bytes, reader.as_ref()),
        Poll::Ready(Err(error)) => Err(error::to_js(&error)),
        Poll::Pending => Ok(future_to_promise(async move {
            let bytes = work.await.map_err(|error| error::to_js(&error))?;
            read(&bytes, reader.as_ref())
        })
        .into()),
    }
}

/// The promise of what `work` gives. One for all: a promise of each kind of work would be code of its own.
pub(super) fn of(work: impl Future<Output = Result<JsValue>> + 'static) -> Promise {
    let work: Work<JsValue> = Box::pin(work);
    future_to_promise(async move { work.await.map_err(|error| error::to_js(&error)) })
}

fn read(bytes: &[u8], reader: Option<&Reader>) -> core::result::Result<JsValue, JsValue> {
    match reader {
        Some(reader) if bytes.len() >= READ_BYTES_MIN => reader.read(bytes),
        _ => Ok(to_js(bytes)),
    }
}

pub(super) fn to_js(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
