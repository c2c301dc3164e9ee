//! What Chromium's LevelDB has to be asked for. [JS]
//!
//! Not part of the contract of a storage: without any of this data are as safe and answers as right, but Chromium counts
//! as used what was deleted long ago.

use super::{IndexedDbOptions, connection, transaction};
use crate::env::Env;
use crate::env::timeout::timeout;
use rexie::Rexie;

/// After so many bytes in small values, which were trimmed since, it is worth while to [`tidy_up`]. Measured after a load of
/// 100,000 documents on a busy machine: 18 MB on disk instead of 21 to 27 with three times as many; on an idle one, where
/// LevelDB is overtaken, 23 right after the load. Live are 10 to 12.
pub(super) const UNTIDY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long [`tidy_up`] may take; it was measured at 4 to 16 ms.
const TIDY_DEADLINE_MS: u32 = 2_000;

/// Has LevelDB tidy up: Chromium compacts it where a database was deleted, so a little one is made and deleted. Measured
/// on a full disk: files of 17 MB shrank to 7 within a second; left alone they stayed for as long as was waited.
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
