//! Time and chance of a JavaScript runtime: page, worker, service worker, or a server's. [JS]
//!
//! Not tied to `window`: everything is looked up in the global scope, once.
//!
//! Invariants: a dropped timer never fires; `sleep(0)` gives other work a turn without the 4 ms that browsers add to
//! nested timers, where the runtime has any such way.

use super::{Env, LocalFuture, Timestamp};
use core::cell::{Cell, RefCell};
use futures_channel::oneshot;
use gloo::timers::callback::Timeout;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, Performance};

/// Bytes that `crypto.getRandomValues` gives in one call.
const RANDOM_BYTES_MAX: usize = 65_536;
/// Random bytes fetched at once: a call costs far more than the bytes of one identifier.
const POOL_BYTES: usize = 1024;

#[wasm_bindgen]
extern "C" {
    type Channel;
    #[wasm_bindgen(constructor, js_class = "MessageChannel", catch)]
    fn new() -> Result<Channel, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn port1(this: &Channel) -> Port;
    #[wasm_bindgen(method, getter)]
    fn port2(this: &Channel) -> Port;

    type Port;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &Port, handler: &Function);
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &Port, message: &JsValue);
}

/// How this runtime lets other work go first.
enum Turn {
    /// `scheduler.postTask`: Chromium, Firefox.
    Scheduler(JsValue, Function),
    /// `setImmediate`: Node, Bun, Deno.
    Immediate(Function),
    /// A message to oneself: WebKit.
    Message,
    Timer,
}

/// The environment of the runtime that this code runs in.
pub struct BrowserEnv {
    performance: Option<Performance>,
    crypto: Option<Crypto>,
    turn: Turn,
    /// Random bytes, none of them given out yet.
    pool: RefCell<Vec<u8>>,
    /// Keeps the fallback of [`Env::monotonic_ms`] from going back.
    latest_ms: Cell<f64>,
}

impl BrowserEnv {
    /// Looks the runtime's clock and randomness up.
    #[must_use]
    pub fn new() -> Self {
        BrowserEnv {
            performance: global("performance").map(JsCast::unchecked_into),
            crypto: global("crypto").map(JsCast::unchecked_into),
            turn: find_turn(),
            pool: RefCell::default(),
            latest_ms: Cell::new(0.0),
        }
    }

    fn next_turn(&self) -> Promise {
        Promise::new(&mut |resolve, _| {
            let asked = match &self.turn {
                Turn::Scheduler(scheduler, post_task) => post_task.call1(scheduler, &resolve).map(drop),
                Turn::Immediate(set_immediate) => set_immediate.call1(&JsValue::UNDEFINED, &resolve).map(drop),
                Turn::Message => Channel::new().map(|channel| {
                    channel.port1().set_onmessage(&resolve);
                    channel.port2().post_message(&JsValue::NULL);
                }),
                Turn::Timer => Err(JsValue::UNDEFINED),
            };
            if asked.is_err() {
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }
        })
    }
}

impl Default for BrowserEnv {
    fn default() -> Self {
        BrowserEnv::new()
    }
}

impl Env for BrowserEnv {
    #[expect(clippy::cast_possible_truncation, reason = "a date is a whole number of milliseconds below 2^53")]
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(wall_ms() as i64)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one door through which time comes in")]
    fn monotonic_ms(&self) -> f64 {
        let now = self.performance.as_ref().map_or_else(wall_ms, Performance::now);
        self.latest_ms.set(self.latest_ms.get().max(now));
        self.latest_ms.get()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        if bytes.len() > POOL_BYTES {
            return self.fetch_random(bytes);
        }
        let mut pool = self.pool.borrow_mut();
        if pool.len() < bytes.len() {
            pool.resize(POOL_BYTES, 0);
            self.fetch_random(&mut pool);
        }
        for byte in bytes {
            *byte = pool.pop().unwrap_or_default();
        }
    }

    fn sleep(&self, ms: u32) -> LocalFuture<'static, ()> {
        if ms > 0 || matches!(self.turn, Turn::Timer) {
            return Box::pin(timer(ms));
        }
        let turn = self.next_turn();
        Box::pin(async move {
            // A scheduler that refuses has given other work a turn as well.
            let _ = JsFuture::from(turn).await;
        })
    }
}

impl BrowserEnv {
    fn fetch_random(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(RANDOM_BYTES_MAX) {
            let filled = Uint8Array::new_with_length(u32::try_from(part.len()).unwrap_or(0));
            let done =
                self.crypto.as_ref().is_some_and(|crypto| crypto.get_random_values_with_js_u8_array(&filled).is_ok());
            if done {
                filled.copy_to(part);
            } else {
                weak_random(part);
            }
        }
    }
}

async fn timer(ms: u32) {
    let (sender, receiver) = oneshot::channel();
    // Held until the receiver is done with, or dropped with it: that clears the timer.
    let timeout = Timeout::new(ms.min(i32::MAX.unsigned_abs()), move || {
        let _ = sender.send(());
    });
    let _ = receiver.await;
    drop(timeout);
}

#[expect(clippy::disallowed_methods, reason = "this is the one door through which wall time comes in")]
fn wall_ms() -> f64 {
    js_sys::Date::now()
}

/// Only for a runtime without `crypto`: identifiers then are unlikely, not unguessable.
#[expect(clippy::disallowed_methods, reason = "this is the one door through which chance comes in")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
fn weak_random(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = (js_sys::Math::random() * 256.0) as u8;
    }
}

fn find_turn() -> Turn {
    if let Some(scheduler) = global("scheduler")
        && let Some(post_task) = function(&scheduler, "postTask")
    {
        return Turn::Scheduler(scheduler, post_task);
    }
    if let Some(set_immediate) = function(&js_sys::global(), "setImmediate") {
        return Turn::Immediate(set_immediate);
    }
    if function(&js_sys::global(), "MessageChannel").is_some() { Turn::Message } else { Turn::Timer }
}

fn global(name: &str) -> Option<JsValue> {
    let found = Reflect::get(&js_sys::global(), &JsValue::from_str(name)).ok()?;
    found.is_object().then_some(found)
}

fn function(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &JsValue::from_str(name)).ok()?.dyn_into().ok()
}
