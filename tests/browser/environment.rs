//! The environment of a real browser.

use crate::support::env;
use hyphadb::env::Env;
use hyphadb::env::timeout::{Elapsed, timeout};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn time_is_after_the_day_this_was_written() {
    assert!(env().now().as_ms() > 1_760_000_000_000);
}

#[wasm_bindgen_test]
fn randomness_fills_more_than_one_call_gives() {
    let mut bytes = vec![0; 70_000];
    env().fill_random(&mut bytes);
    assert!(bytes[..100].iter().any(|byte| *byte != 0));
    assert!(bytes[69_900..].iter().any(|byte| *byte != 0));
    assert_ne!(bytes[..100], bytes[69_900..]);
}

#[wasm_bindgen_test]
async fn sleep_takes_its_time_and_a_turn_takes_less() {
    let env = env();
    let start = env.monotonic_ms();
    env.sleep(30).await;
    let slept = env.monotonic_ms() - start;
    assert!(slept >= 25.0, "{slept}");
    // Timers in each other are held back to 4 ms each.
    let timers = elapsed(&*env, 4).await;
    let turns = elapsed(&*env, 0).await;
    assert!(turns < timers, "{turns} {timers}");
}

async fn elapsed(env: &dyn Env, ms: u32) -> f64 {
    let start = env.monotonic_ms();
    for _ in 0..50 {
        env.sleep(ms).await;
    }
    env.monotonic_ms() - start
}

#[wasm_bindgen_test]
async fn deadline_ends_a_wait_that_never_ends() {
    let env = env();
    assert_eq!(timeout(&*env, 20, core::future::pending::<()>()).await, Err(Elapsed));
    assert_eq!(timeout(&*env, 1_000, async { 7 }).await, Ok(7));
}
