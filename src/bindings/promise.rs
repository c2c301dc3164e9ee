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
use wasm_bindgen_futures::future_to_promise;

type Work<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// The answer of `work` as a `Uint8Array`, or the promise of one. The first look costs neither promise nor microtask:
/// what is resident in memory is answered inside the call.
pub(super) fn answer(work: impl Future<Output = Result<Vec<u8>>> + 'static) -> core::result::Result<JsValue, JsValue> {
    let mut work: Work<Vec<u8>> = Box::pin(work);
    // Nobody need be woken: what is still pending is looked at again, with a real waker, in the next microtask.
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(bytes)) => Ok(to_js(&bytes)),
        Poll::Ready(Err(error)) => Err(error::to_js(&error)),
        Poll::Pending => Ok(of(async move { work.await.map(|bytes| to_js(&bytes)) }).into()),
    }
}

/// The promise of what `work` gives. One for all: a promise of each kind of work would be code of its own.
pub(super) fn of(work: impl Future<Output = Result<JsValue>> + 'static) -> Promise {
    let work: Work<JsValue> = Box::pin(work);
    future_to_promise(async move { work.await.map_err(|error| error::to_js(&error)) })
}

pub(super) fn to_js(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
