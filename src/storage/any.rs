//! The storages that a program in JavaScript may choose between, as one type. [JS]
//!
//! Not a registry: the list is closed, so that the engine is compiled once and every call is a match.

use super::indexed_db::IndexedDb;
use super::memory::Memory;
use super::{Append, Applied, Batch, CommitSeq, Storage, StorageResult, Store, Tail};

/// One of the storages.
pub enum AnyStorage {
    /// Lives as long as the engine.
    Memory(Memory),
    /// The browser's disk.
    IndexedDb(IndexedDb),
}

impl Storage for AnyStorage {
    async fn read_log(&self, after: Option<CommitSeq>, manifest: bool) -> StorageResult<Tail> {
        match self {
            AnyStorage::Memory(storage) => storage.read_log(after, manifest).await,
            AnyStorage::IndexedDb(storage) => storage.read_log(after, manifest).await,
        }
    }

    async fn append(&self, append: Append) -> StorageResult<Applied> {
        match self {
            AnyStorage::Memory(storage) => storage.append(append).await,
            AnyStorage::IndexedDb(storage) => storage.append(append).await,
        }
    }

    async fn get(&self, store: Store, names: &[Vec<u8>]) -> StorageResult<Vec<Option<Vec<u8>>>> {
        match self {
            AnyStorage::Memory(storage) => storage.get(store, names).await,
            AnyStorage::IndexedDb(storage) => storage.get(store, names).await,
        }
    }

    async fn apply(&self, batch: Batch) -> StorageResult<Applied> {
        match self {
            AnyStorage::Memory(storage) => storage.apply(batch).await,
            AnyStorage::IndexedDb(storage) => storage.apply(batch).await,
        }
    }

    async fn close(&self) {
        match self {
            AnyStorage::Memory(storage) => storage.close().await,
            AnyStorage::IndexedDb(storage) => storage.close().await,
        }
    }
}
