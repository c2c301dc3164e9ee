//! What all calls of one opened database share: the engine, the catalog as of the newest commit, listeners.
//!
//! Not an API: that is `db.rs` and `db/request.rs`.
//!
//! Invariant: unless it is out of date, the known catalog is that of the newest commit that is visible here: it is
//! brought up to date inside the engine's notice of each commit, before anyone can take a snapshot of it.

use super::cursor::Cursors;
use super::gate::Gate;
use super::live::Lives;
use super::rules::Rules;
use super::slow::Slow;
use super::watch::{self, Listeners};
use super::work::load_catalog;
use crate::engine::catalog::{Catalog, CollectionId};
use crate::engine::format::SPACE_CATALOG;
use crate::engine::run::Run;
use crate::engine::{CommitEvent, Engine};
use crate::error::Result;
use crate::limits::CONFLICT_RETRIES_MAX;
use crate::sorted::Sorted;
use crate::storage::{CommitSeq, Durability, Storage};
use crate::value::Name;
use crate::value::uuid::Uuids;
use core::cell::{Cell, RefCell};
use std::rc::Rc;

/// See the module.
pub(crate) struct Shared<S: Storage> {
    pub(crate) engine: Engine<S>,
    pub(crate) durability: Durability,
    pub(crate) uuids: Uuids,
    pub(crate) rules: Rules,
    /// How often a call is run again after a conflict.
    pub(crate) conflict_retries: Cell<u32>,
    /// For calls that were in conflict.
    pub(crate) gate: Gate,
    /// For definitions that were in conflict: calls inside the other gate wait for them.
    pub(crate) define_gate: Gate,
    pub(crate) cursors: Cursors<S>,
    /// Indexes that are being built here: documents done, and all.
    pub(crate) builds: RefCell<Sorted<(CollectionId, Name), (usize, usize)>>,
    pub(crate) listeners: Listeners,
    pub(crate) lives: Lives,
    pub(crate) slow: Rc<Slow>,
    known: Rc<RefCell<Known>>,
}

#[derive(Default)]
struct Known {
    catalog: Rc<Catalog>,
    is_out_of_date: bool,
}

impl<S: Storage> Shared<S> {
    /// Takes over an engine that was just opened.
    pub(crate) async fn new(engine: Engine<S>, durability: Durability) -> Result<Self> {
        let known: Rc<RefCell<Known>> = Rc::default();
        let listeners = Listeners::default();
        let lives = Lives::default();
        let (noted, told, followed) = (Rc::clone(&known), listeners.clone(), lives.clone());
        engine.on_commit(move |event| {
            note(&mut noted.borrow_mut(), event);
            let catalog = Rc::clone(&noted.borrow().catalog);
            watch::tell(&told, &catalog, event);
            followed.tell(&catalog, event);
        });
        let catalog = load_catalog(&engine.snapshot()?).await?;
        known.borrow_mut().catalog = Rc::new(catalog);
        let slow = Rc::new(Slow::new(engine.env()));
        Ok(Shared {
            engine,
            durability,
            uuids: Uuids::new(),
            rules: Rules::default(),
            conflict_retries: Cell::new(CONFLICT_RETRIES_MAX),
            gate: Gate::default(),
            define_gate: Gate::default(),
            cursors: Cursors::default(),
            builds: RefCell::default(),
            listeners,
            lives,
            slow,
            known,
        })
    }

    /// The catalog of the newest commit, unless it is out of date.
    pub(crate) fn known_catalog(&self) -> Option<Rc<Catalog>> {
        let known = self.known.borrow();
        (!known.is_out_of_date).then(|| Rc::clone(&known.catalog))
    }

    /// The catalog of the newest commit.
    pub(crate) async fn catalog(&self) -> Result<Rc<Catalog>> {
        loop {
            if let Some(catalog) = self.known_catalog() {
                return Ok(catalog);
            }
            let snapshot = self.engine.snapshot()?;
            let loaded = load_catalog(&snapshot).await?;
            self.offer(&Rc::new(loaded), snapshot.seq())?;
        }
    }

    /// Takes a catalog that was loaded as the known one, where that is out of date and nothing was committed since.
    pub(crate) fn offer(&self, catalog: &Rc<Catalog>, seq: CommitSeq) -> Result<()> {
        if self.known.borrow().is_out_of_date && self.engine.snapshot()?.seq() == seq {
            *self.known.borrow_mut() = Known { catalog: Rc::clone(catalog), is_out_of_date: false };
        }
        Ok(())
    }
}

/// Brings the catalog up to date with a commit.
fn note(known: &mut Known, event: &CommitEvent) {
    let applied = match &event.run {
        Some(run) => apply(&mut known.catalog, run),
        None => Err(crate::error::Error::internal("commits were skipped")),
    };
    // What could not be applied is loaded anew, and says then what is wrong with it.
    known.is_out_of_date |= applied.is_err();
}

fn apply(catalog: &mut Rc<Catalog>, run: &Run) -> Result<()> {
    let entries = (run.lower_bound(&[SPACE_CATALOG])..run.len()).map_while(|place| run.entry(place));
    for (key, value) in entries.take_while(|(key, _)| key.starts_with(&[SPACE_CATALOG])) {
        Rc::make_mut(catalog).apply(key, value)?;
    }
    Ok(())
}
