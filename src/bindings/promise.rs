//! Answers that are given at once where that is possible, else as a promise. [JS]
//!
//! Not a scheduler: a future that is not ready goes to `wasm_bindgen_futures`.

use super::error;
use crate::error::Result;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

/// The answer of `work` as a `Uint8Array`, or the promise of one. The first look costs neither promise nor microtask:
/// what is resident in memory is answered inside the call.
pub(super) fn answer(work: impl Future<Output = Result<Vec<u8>>> + 'static) -> core::result::Result<JsValue, JsValue> {
    let mut work: Pin<Box<dyn Future<Output = Result<Vec<u8>>>>> = Box::pin(work);
    // Nobody need be woken: what is still pending is looked at again, with a real waker, in the next microtask.
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => to_js(result),
        Poll::Pending => Ok(future_to_promise(async move { to_js(work.await) }).into()),
    }
}

fn to_js(result: Result<Vec<u8>>) -> core::result::Result<JsValue, JsValue> {
    match result {
        Ok(bytes) => Ok(Uint8Array::from(bytes.as_slice()).into()),
        Err(error) => Err(error::to_js(&error)),
    }
}
