//! The contract of storages, over those that a browser has.

use crate::support::{env, fresh_name};
use hyphadb::storage::any::AnyStorage;
use hyphadb::storage::indexed_db::{IndexedDb, IndexedDbOptions};
use hyphadb::storage::memory::Memory;
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[allow(dead_code, unreachable_pub, async_fn_in_trait, reason = "shared with the native tests")]
#[path = "../support/storage_suite.rs"]
mod storage_suite;

use storage_suite::Fixture;

/// Databases of this run, under names that no other run has.
struct Browser {
    prefix: String,
}

impl Fixture for Browser {
    type Storage = AnyStorage;

    async fn connect(&self, database: &str) -> AnyStorage {
        let options = IndexedDbOptions::new(format!("{} {database}", self.prefix));
        AnyStorage::IndexedDb(IndexedDb::open(options, env()).await.unwrap())
    }
}

#[derive(Default)]
struct InMemory {
    databases: RefCell<BTreeMap<String, Memory>>,
}

impl Fixture for InMemory {
    type Storage = AnyStorage;

    async fn connect(&self, database: &str) -> AnyStorage {
        AnyStorage::Memory(self.databases.borrow_mut().entry(database.to_owned()).or_default().clone())
    }
}

#[wasm_bindgen_test]
async fn indexed_db_keeps_the_contract() {
    let fixture = Browser { prefix: fresh_name("contract").await };
    storage_suite::all(&fixture, |name| console_log!("{name}")).await;
}

#[wasm_bindgen_test]
async fn memory_keeps_the_contract() {
    storage_suite::all(&InMemory::default(), |name| console_log!("{name}")).await;
}
