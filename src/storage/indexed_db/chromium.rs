//! What Chromium's LevelDB has to be asked for. [JS]
//!
//! Not part of the contract of a storage: without any of this data are as safe and answers as right, but Chromium may
//! drop a whole origin after a kill, and counts as used what was deleted long ago.

use super::super::{Applied, Batch, NameRange, Storage, StorageResult, Store};
use super::{IndexedDb, IndexedDbOptions, connection, transaction};
use crate::env::Env;
use crate::env::timeout::timeout;
use rexie::Rexie;

/// How much [`retire_log`] writes each time: LevelDB begins another log after 4 MiB.
const RETIRE_VALUES: u8 = 80;
const RETIRE_VALUE_BYTES: usize = 58_000;
const RETIRE_NAME: &[u8] = b"\xff retire";
/// After so many bytes in small values, which were trimmed since, it is worth while to [`tidy_up`].
pub(super) const UNTIDY_BYTES_MAX: usize = 6 * 1024 * 1024;
/// How long [`tidy_up`] may take; it was measured at 4 to 16 ms.
const TIDY_DEADLINE_MS: u32 = 2_000;

/// See [`IndexedDb::retire_browser_log`].
pub(super) async fn retire_log(storage: &IndexedDb) -> StorageResult<()> {
    let name = |number: u8| [RETIRE_NAME, &[number]].concat();
    let values = (0..RETIRE_VALUES).map(|number| (Store::Cache, name(number), vec![0; RETIRE_VALUE_BYTES]));
    let fill = Batch { puts: values.collect(), ..Batch::default() };
    let range = NameRange { start: RETIRE_NAME.to_vec(), end: Some(name(RETIRE_VALUES)) };
    let clear = Batch { deletes: vec![(Store::Cache, range)], ..Batch::default() };
    // The first begins another log, but the old one is read at the next start until what it holds has become a table, in
    // the background. Only the third write that finds its 4 MiB full waits for that.
    let mut filled = storage.apply(fill.clone()).await;
    if filled.is_ok() {
        filled = storage.apply(fill).await;
    }
    // None has a guard to be refused by. What was filled in is taken away even where filling failed.
    let (Applied::Done | Applied::Refused) = storage.apply(clear).await?;
    filled.map(|_| ())
}

/// Has LevelDB tidy up: Chromium compacts it where a database was deleted, so a little one is made and deleted. Measured
/// on a full disk: files of 17 MB shrank to 7 within a second; left alone they stayed for as long as was waited.
///
/// Not more often than needed: what of a deletion is still to be done when the browser is killed is left to its next start,
/// which then writes behind the torn end of LevelDB's log (see [`retire_log`]).
pub(super) async fn tidy_up(name: &str, env: &dyn Env) {
    let scratch = format!("{name} (making room)");
    let work = transaction::detached(async move {
        // As a database is opened anyway: another way would be code of its own.
        if let Ok((made, _)) = connection::open(&IndexedDbOptions::new(scratch.as_str())).await {
            made.close();
        }
        Rexie::delete(&scratch).await
    });
    // Where it fails there is less room, which is what the caller is about to say.
    let _ = timeout(env, TIDY_DEADLINE_MS, work).await;
}
