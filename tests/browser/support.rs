//! What the browser tests share: fresh databases, and JavaScript that does to IndexedDB what other programs may do.

use hyphadb::env::browser::BrowserEnv;
use hyphadb::env::{Env, random_id};
use hyphadb::storage::indexed_db::{IndexedDb, IndexedDbOptions};
use hyphadb::storage::{Append, CommitSeq, Durability, LogRecord, StorageResult};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = r#"
const original = IDBDatabase.prototype.transaction
const spied = { durability: [], handles: new Set(), abort: false }
IDBDatabase.prototype.transaction = function (stores, mode, options) {
    spied.handles.add(this)
    const transaction = original.call(this, stores, mode, options)
    if (mode === 'readwrite') spied.durability.push(transaction.durability)
    if (mode === 'readwrite' && spied.abort) {
        spied.abort = false
        const store = transaction.objectStore(stores[0])
        // At its first write the transaction is taken away.
        store.constructor.prototype.put = new Proxy(store.constructor.prototype.put, {
            apply(put, self, args) {
                store.constructor.prototype.put = put
                const request = Reflect.apply(put, self, args)
                transaction.abort()
                return request
            },
        })
    }
    return transaction
}
export function take_durability() { return spied.durability.splice(0).join(' ') }
export function close_handles() { for (const handle of spied.handles) handle.close(); spied.handles.clear() }
export function abort_next_write() { spied.abort = true }

export function open_raw(name, version, stores) {
    return new Promise((resolve, reject) => {
        const request = indexedDB.open(name, version)
        request.onupgradeneeded = () => { for (const store of stores) request.result.createObjectStore(store) }
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
    })
}

/** Holds a write transaction on the log open until the returned function is called. */
export function hold(database) {
    const transaction = original.call(database, ['log'], 'readwrite')
    const store = transaction.objectStore('log')
    let released = false
    const spin = () => { if (!released) store.get('head').onsuccess = spin }
    spin()
    return () => { released = true }
}

export async function raw_put(database, key, value) {
    const transaction = original.call(database, ['log'], 'readwrite')
    if (value === undefined) transaction.objectStore('log').delete(key)
    else transaction.objectStore('log').put(value, key)
    await new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = reject })
}
"#)]
extern "C" {
    pub(crate) fn take_durability() -> String;
    pub(crate) fn close_handles();
    pub(crate) fn abort_next_write();
    #[wasm_bindgen(catch)]
    pub(crate) async fn open_raw(name: &str, version: u32, stores: Vec<String>) -> Result<JsValue, JsValue>;
    pub(crate) fn hold(database: &JsValue) -> js_sys::Function;
    pub(crate) async fn raw_put(database: &JsValue, key: &JsValue, value: &JsValue);
}

pub(crate) fn env() -> Rc<dyn Env> {
    Rc::new(BrowserEnv::new())
}

/// A name that no other test has, of a database that is not there.
pub(crate) async fn fresh_name(purpose: &str) -> String {
    let name = format!("test {purpose} {:x}", u128::from_le_bytes(random_id(&*env())));
    IndexedDb::delete(&name, 5_000, &*env()).await.unwrap();
    name
}

pub(crate) async fn open(name: &str) -> StorageResult<IndexedDb> {
    IndexedDb::open(IndexedDbOptions::new(name), env()).await
}

pub(crate) async fn fresh(purpose: &str) -> IndexedDb {
    open(&fresh_name(purpose).await).await.unwrap()
}

/// The append of commit `seq` on top of the one before it.
pub(crate) fn append(seq: u64, bytes: Vec<u8>) -> Append {
    let head = |seq: u64| (seq > 0).then(|| format!("head {seq}").into_bytes());
    Append {
        expected_head: head(seq - 1),
        head: head(seq).unwrap(),
        record: LogRecord { seq: CommitSeq::new(seq), bytes },
        durability: Durability::Relaxed,
    }
}
