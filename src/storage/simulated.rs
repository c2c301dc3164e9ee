//! A model of IndexedDB in virtual time, with everything that goes wrong with it.
//!
//! Not a storage for products, and not aware of what the bytes mean. It breaks what the contract allows to break, and
//! nothing else.
//!
//! Invariants: transactions are atomic and serial over overlapping stores, whatever fault hits them; all chance comes
//! from the world's seed; a transaction lives on when its caller stops waiting, as it does in a browser.

mod connection;
mod damage;
mod fault;
mod history;
mod queue;

pub use connection::Simulated;
pub use damage::{Damage, Damaged, Slot, Target, damage};
pub use fault::{ConnectionId, EXCEPTIONS, Ending, Fault, FaultKind, Fired, Script};

use super::memory::Contents;
use crate::env::simulated::{Group, Random, World};
use connection::Link;
use core::cell::{Cell, RefCell};
use core::fmt;
use history::History;
use queue::Queue;
use std::rc::Rc;

/// How a full disk behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuotaStyle {
    /// A write that does not fit is aborted; that is all.
    #[default]
    Chromium,
    /// The write is torn: some of a batch's values may take effect, though never a register, a deletion or a trim. And
    /// the first write transaction after that may only delete: a put in it fails with `InvalidStateError`.
    Firefox,
}

/// What a disk is like.
#[derive(Clone, Debug)]
pub struct DiskOptions {
    /// Each of the steps of a call (to the disk, on it, back) takes from 1 to this long. 0: calls are answered at once.
    pub latency_max_us: u64,
    /// Bytes of names and values that fit.
    pub quota_bytes: Option<usize>,
    /// What happens when they do not.
    pub quota_style: QuotaStyle,
    /// How many transactions the disk holds back at most without a flush.
    pub unflushed_max: usize,
}

impl Default for DiskOptions {
    fn default() -> Self {
        DiskOptions { latency_max_us: 2000, quota_bytes: None, quota_style: QuotaStyle::Chromium, unflushed_max: 64 }
    }
}

impl DiskOptions {
    /// A disk that answers at once: for looking at what is on it.
    #[must_use]
    pub fn instant() -> Self {
        DiskOptions { latency_max_us: 0, ..DiskOptions::default() }
    }
}

/// Which method of [`super::Storage`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// [`super::Storage::read_log`].
    ReadLog,
    /// [`super::Storage::append`].
    Append,
    /// [`super::Storage::get`].
    Get,
    /// [`super::Storage::apply`].
    Apply,
}

/// Where in its course a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It was made, and had no effect yet.
    Before,
    /// It changed the disk; nobody knows yet.
    Effect,
    /// It is answered; the caller has not run since.
    Answered,
}

/// One moment in the course of a call, as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The number of the call on this disk, from 0.
    pub call: u64,
    /// Whose call it is.
    pub connection: ConnectionId,
    /// Which call it is.
    pub kind: CallKind,
    /// Where it is.
    pub phase: Phase,
}

type Observer = Rc<dyn Fn(&Disk, Moment)>;

/// The disk of one database, shared by its connections. Clones are handles to the same disk.
///
/// ```
/// use hyphadb::env::simulated::{Group, World};
/// use hyphadb::storage::simulated::{Disk, DiskOptions, Fault, Script};
/// use hyphadb::storage::{Failure, Storage};
/// let world = World::new(1);
/// let disk = Disk::new(&world, DiskOptions::default());
/// disk.set_script(Script::default().at(0, Fault::FailOnce("QuotaExceededError")));
/// let tab = disk.connect(Group::SYSTEM);
/// let first = world.block_on(tab.read_log(None, true)).unwrap();
/// assert_eq!(first.map_err(|error| error.failure), Err(Failure::Quota));
/// ```
#[derive(Clone)]
pub struct Disk(Rc<DiskState>);

struct DiskState {
    world: World,
    options: DiskOptions,
    quota_bytes: Cell<Option<usize>>,
    /// Firefox: the next write transaction may only delete.
    only_deletes: Cell<bool>,
    history: RefCell<History>,
    queue: Rc<Queue>,
    script: RefCell<Script>,
    fired: RefCell<Fired>,
    links: RefCell<Vec<Rc<Link>>>,
    calls: Cell<u64>,
    /// Grows with every power loss: transactions of an earlier power cycle are gone.
    cycle: Cell<u64>,
    observer: RefCell<Option<Observer>>,
    random: RefCell<Random>,
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(world: &World, options: DiskOptions) -> Self {
        Disk::with_contents(world, Contents::default(), options)
    }

    /// A disk with these contents, surely written.
    #[must_use]
    pub fn with_contents(world: &World, contents: Contents, options: DiskOptions) -> Self {
        Disk(Rc::new(DiskState {
            world: world.clone(),
            quota_bytes: Cell::new(options.quota_bytes),
            only_deletes: Cell::new(false),
            history: RefCell::new(History::new(contents, options.unflushed_max)),
            queue: Rc::default(),
            script: RefCell::default(),
            fired: RefCell::default(),
            links: RefCell::default(),
            calls: Cell::new(0),
            cycle: Cell::new(0),
            observer: RefCell::default(),
            random: RefCell::new(world.random("disk")),
            options,
        }))
    }

    /// A new connection, used by the tasks of this group. It dies with the group.
    #[must_use]
    pub fn connect(&self, group: Group) -> Simulated {
        let mut links = self.0.links.borrow_mut();
        let link = Rc::new(Link::new(ConnectionId(links.len() as u64), group));
        links.push(Rc::clone(&link));
        Simulated::new(self.clone(), link)
    }

    /// The present state: what the death of every process leaves.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.0.history.borrow().current().clone()
    }

    /// Every state that power loss may leave, the oldest first, the present one last.
    #[must_use]
    pub fn survivors(&self) -> Vec<Contents> {
        self.0.history.borrow().survivors().cloned().collect()
    }

    /// Past states that are still known, the oldest first: where stale values come from.
    #[must_use]
    pub fn earlier(&self) -> Vec<Contents> {
        self.0.history.borrow().earlier()
    }

    /// Says what goes wrong from now on, in place of what was said before.
    pub fn set_script(&self, script: Script) {
        *self.0.script.borrow_mut() = script;
    }

    /// Nothing goes wrong by script any more.
    pub fn clear_faults(&self) {
        self.set_script(Script::default());
    }

    /// Changes the quota.
    pub fn set_quota_bytes(&self, quota_bytes: Option<usize>) {
        self.0.quota_bytes.set(quota_bytes);
    }

    /// Calls `observer` at each phase of each call. It must not call this disk's connections.
    pub fn observe(&self, observer: impl Fn(&Disk, Moment) + 'static) {
        *self.0.observer.borrow_mut() = Some(Rc::new(observer));
    }

    /// How often each kind of fault has fired here.
    #[must_use]
    pub fn fired(&self) -> Fired {
        self.0.fired.borrow().clone()
    }

    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.calls.get()
    }

    /// How many transactions have changed this disk: the number of the present state.
    #[must_use]
    pub fn effects(&self) -> u64 {
        self.0.history.borrow().effects()
    }

    /// Damages one stored value. None when there is nothing to damage in this way.
    pub fn damage(&self, target: Target, kind: Damage) -> Option<Damaged> {
        let mut contents = self.contents();
        let earlier = self.earlier();
        let damaged = damage(&mut contents, target, kind, &earlier, &mut self.0.random.borrow_mut())?;
        self.0.history.borrow_mut().damage(contents);
        Some(damaged)
    }

    /// Kills every context and takes back a suffix of what was not flushed.
    pub fn lose_power(&self) {
        self.0.cycle.set(self.0.cycle.get() + 1);
        let mut survivors = self.survivors();
        let at = self.0.random.borrow_mut().index(survivors.len());
        self.0.history.borrow_mut().reset(survivors.swap_remove(at));
        // Killing drops tasks, and with them connections, so the list must not be borrowed meanwhile.
        let links = self.0.links.borrow().clone();
        for link in links {
            link.die(&self.0.world);
        }
    }

    fn count(&self, kind: FaultKind) {
        *self.0.fired.borrow_mut().entry(kind).or_default() += 1;
    }

    fn observed(&self, moment: Moment, phase: Phase) {
        let observer = self.0.observer.borrow().clone();
        if let Some(observer) = observer {
            observer(self, Moment { phase, ..moment });
        }
    }

    fn latency_us(&self) -> u64 {
        self.0.random.borrow_mut().between(1, self.0.options.latency_max_us)
    }

    fn coin(&self) -> bool {
        self.0.random.borrow_mut().percent(50)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("calls", &self.calls()).field("fired", &self.fired()).finish_non_exhaustive()
    }
}
