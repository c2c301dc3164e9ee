//! What Chromium's LevelDB has to be asked for. [JS]
//!
//! Not part of the contract of a storage: without any of this data are as safe and answers as right, but Chromium may
//! drop a whole origin after a kill, and counts as used what was deleted long ago.

use super::super::{Applied, Batch, NameRange, Storage, StorageResult, Store};
use super::{IndexedDb, IndexedDbOptions, connection, transaction};
use crate::env::Env;
use crate::env::timeout::timeout;
use rexie::Rexie;

/// How much [`retire_log`] writes: LevelDB begins another log after 4 MiB.
const RETIRE_VALUES: u8 = 80;
const RETIRE_VALUE_BYTES: usize = 58_000;
const RETIRE_NAME: &[u8] = b"\xff retire";
/// After so many bytes in small values, which were trimmed since, it is worth while to [`tidy_up`].
const UNTIDY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The same where nothing else is going on.
const UNTIDY_AT_REST_BYTES_MAX: usize = 256 * 1024;
/// How long nothing is appended when writes are at rest.
const REST_MS: u32 = 500;
/// A database with so many bytes in small values gets ready for [`tidy_up`].
pub(super) const READY_FROM_BYTES: usize = 512 * 1024;
/// How long [`tidy_up`] may take; it was measured at 4 to 16 ms.
const TIDY_DEADLINE_MS: u32 = 2_000;

/// See [`IndexedDb::retire_browser_log`].
pub(super) async fn retire_log(storage: &IndexedDb) -> StorageResult<()> {
    let name = |number: u8| [RETIRE_NAME, &[number]].concat();
    let values = (0..RETIRE_VALUES).map(|number| (Store::Cache, name(number), vec![0; RETIRE_VALUE_BYTES]));
    let fill = Batch { puts: values.collect(), ..Batch::default() };
    let range = NameRange { start: RETIRE_NAME.to_vec(), end: Some(name(RETIRE_VALUES)) };
    let clear = Batch { deletes: vec![(Store::Cache, range)], ..Batch::default() };
    // Neither has a guard to be refused by. What was filled in is taken away even where filling failed.
    let filled = storage.apply(fill).await;
    let (Applied::Done | Applied::Refused) = storage.apply(clear).await?;
    filled.map(|_| ())
}

/// Records were trimmed. Their bytes stay in LevelDB's files, which are three times those of a small database, until it
/// tidies up: it is asked to once there are many, or as soon as writes are at rest.
pub(super) async fn after_trim(storage: &IndexedDb) {
    let untidy_bytes = storage.untidy_bytes.get();
    if untidy_bytes > UNTIDY_BYTES_MAX {
        tidy_up_now(storage).await;
    } else if untidy_bytes > UNTIDY_AT_REST_BYTES_MAX && !storage.is_waiting.replace(true) {
        let storage = storage.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let mut before = 0;
            // Not a call all the while: a connection that is closed waits for those.
            while before != storage.untidy_bytes.get() {
                before = storage.untidy_bytes.get();
                storage.connection.env().sleep(REST_MS).await;
            }
            storage.is_waiting.set(false);
            tidy_up_now(&storage).await;
        });
    }
}

async fn tidy_up_now(storage: &IndexedDb) {
    // Nobody is to be made room for by one that is closed.
    if let Ok(call) = storage.connection.call()
        && storage.untidy_bytes.replace(0) > 0
    {
        tidy_up(&call.options().name, call.env()).await;
    }
}

/// Has LevelDB tidy up: Chromium compacts it where a database was deleted, so a little one is. Measured on a full disk:
/// files of 17 MB shrank to 7 within a second; left alone they stayed for as long as was waited.
pub(super) async fn tidy_up(name: &str, env: &dyn Env) {
    let scratch = scratch_of(name);
    let work = transaction::detached(async move {
        // To make one takes room, so it lies ready where that went well before; this opens it then, and writes nothing.
        make(&scratch).await;
        let deleted = Rexie::delete(&scratch).await;
        make(&scratch).await;
        deleted
    });
    // Where it fails there is less room, which is what the caller is about to say.
    let _ = timeout(env, TIDY_DEADLINE_MS, work).await;
}

/// Makes the database ready that [`tidy_up`] deletes, while there is room for it.
pub(super) fn be_ready_to_tidy_up(name: &str) {
    let scratch = scratch_of(name);
    wasm_bindgen_futures::spawn_local(async move { make(&scratch).await });
}

/// The database that is there to be deleted; it is always empty.
pub(super) fn scratch_of(name: &str) -> String {
    format!("{name} (making room)")
}

/// As a database is opened anyway: another way would be code of its own.
async fn make(scratch: &str) {
    if let Ok((made, _)) = connection::open(&IndexedDbOptions::new(scratch)).await {
        made.close();
    }
}
