//! One connection to a simulated disk: the course of a call from its start to its answer.
//!
//! Not the state of the disk.
//!
//! Invariants: a call has its effect in one moment or never; an answer claims no more than is true.

use super::fault::{ConnectionId, Ending, Fault, FaultKind};
use super::history::EffectNumber;
use super::queue::{Mode, Scope};
use super::{CallKind, Disk, Moment, Phase, QuotaStyle};
use crate::env::simulated::{Group, World};
use crate::storage::memory::Contents;
use crate::storage::{Append, Applied, Batch, CommitSeq, Durability, Failure, Register, Storage, StorageError};
use crate::storage::{StorageResult, Store, Tail};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::{pending, poll_fn};
use core::task::{Poll, Waker};
use std::rc::Rc;
use xxhash_rust::xxh3::xxh3_64;

/// What a disk knows of one connection.
pub(super) struct Link {
    id: ConnectionId,
    group: Group,
    closed: Cell<bool>,
    /// Its context died.
    dead: Cell<bool>,
    /// Grows with every forced close: transactions of an earlier handle end.
    handle: Cell<u64>,
    calls: Cell<u64>,
    arrived: Cell<u64>,
    under_way: Cell<u64>,
    idle_wakers: RefCell<Vec<Waker>>,
}

impl Link {
    pub(super) fn new(id: ConnectionId, group: Group) -> Self {
        Link {
            id,
            group,
            closed: Cell::new(false),
            dead: Cell::new(false),
            handle: Cell::new(0),
            calls: Cell::new(0),
            arrived: Cell::new(0),
            under_way: Cell::new(0),
            idle_wakers: RefCell::default(),
        }
    }

    pub(super) fn die(&self, world: &World) {
        self.dead.set(true);
        world.kill(self.group);
    }

    fn is_dead(&self, world: &World) -> bool {
        self.dead.get() || world.is_dead(self.group)
    }
}

/// Counts a transaction as under way for as long as it lives.
struct UnderWay(Rc<Link>);

impl UnderWay {
    fn new(link: &Rc<Link>) -> Self {
        link.under_way.set(link.under_way.get() + 1);
        UnderWay(Rc::clone(link))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        if self.0.under_way.get() == 0 {
            self.0.idle_wakers.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// One call: what it needs, and what it does to the contents when it runs.
struct Call<T> {
    kind: CallKind,
    scope: Scope,
    /// None for reads.
    write: Option<Write>,
    work: Work<T>,
    /// The values of a batch, for the browser that tears a write when the disk is full.
    values: Vec<(Store, Vec<u8>, Vec<u8>)>,
}

/// Answers, and says whether anything was changed.
type Work<T> = Box<dyn FnOnce(&mut Contents) -> (T, Change)>;

#[derive(Clone, Copy)]
struct Write {
    durability: Durability,
    only_deletes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Made,
}

impl From<Applied> for Change {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Done => Change::Made,
            Applied::Refused => Change::None,
        }
    }
}

/// Where and when a call was made, and what is to go wrong with it.
#[derive(Clone, Copy)]
struct Origin {
    moment: Moment,
    own_call: u64,
    handle: u64,
    cycle: u64,
    fault: Option<Fault>,
}

/// The answer of a call; none when there will be none.
type Answer<T> = Option<StorageResult<T>>;

/// How a transaction ended on the disk.
enum End<T> {
    Committed(T, Option<EffectNumber>),
    Failed(StorageError),
    Vanished,
}

/// A connection to a [`Disk`]: a tab's, a worker's.
pub struct Simulated {
    disk: Disk,
    link: Rc<Link>,
}

impl Simulated {
    pub(super) fn new(disk: Disk, link: Rc<Link>) -> Self {
        Simulated { disk, link }
    }

    /// Its number on its disk.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.link.id
    }

    /// The disk it is connected to.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    async fn call<T: 'static>(&self, call: Call<T>) -> StorageResult<T> {
        if self.link.closed.get() {
            return Err(StorageError::not_applied(Failure::Closed, "the storage was closed"));
        }
        let course = Course { disk: self.disk.clone(), link: Rc::clone(&self.link) };
        let origin = course.begin(call.kind);
        let slow = matches!(origin.fault, Some(Fault::Slow { .. }));
        let answer = if self.disk.0.options.latency_max_us == 0 && !slow {
            course.run(call, origin).await
        } else {
            // On its own feet: it goes on when the caller stops waiting.
            self.disk.0.world.spawn("transaction", Group::SYSTEM, course.run(call, origin)).await
        };
        match answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulated").field("id", &self.link.id).finish_non_exhaustive()
    }
}

/// The course of one call.
struct Course {
    disk: Disk,
    link: Rc<Link>,
}

impl Course {
    /// The call is made: it gets its numbers, and the faults of the world around it happen.
    fn begin(&self, kind: CallKind) -> Origin {
        let state = &self.disk.0;
        let call = state.calls.get();
        state.calls.set(call + 1);
        let own_call = self.link.calls.get();
        self.link.calls.set(own_call + 1);
        let moment = Moment { call, connection: self.link.id, kind, phase: Phase::Before };
        state.world.note(call << 8 ^ self.link.id.0 << 3 ^ kind as u64);
        self.disk.observed(moment, Phase::Before);
        let fault = state.script.borrow_mut().next(call, self.link.id, own_call);
        // A forced close, a crash or a power loss ends what began before it, this call included.
        let (handle, cycle) = (self.link.handle.get(), state.cycle.get());
        if let Some(fault) = fault {
            self.befall(fault);
        }
        Origin { moment, own_call, handle, cycle, fault }
    }

    fn befall(&self, fault: Fault) {
        let state = &self.disk.0;
        match fault {
            // Counted only where there was something to damage.
            Fault::Corrupt(target, damage) => {
                if self.disk.damage(target, damage).is_none() {
                    return;
                }
            }
            Fault::ForceClose => self.link.handle.set(self.link.handle.get() + 1),
            Fault::Crash => self.link.die(&state.world),
            Fault::PowerLoss => self.disk.lose_power(),
            Fault::ClockJump { ms } => state.world.jump_clock(ms),
            Fault::FreezeTab { ms } => {
                let (world, group) = (state.world.clone(), self.link.group);
                world.freeze(group);
                let thawing = world.clone();
                let _detached = world.spawn("thaw", Group::SYSTEM, async move {
                    thawing.sleep_us(u64::from(ms) * 1000).await;
                    thawing.thaw(group);
                });
            }
            // These happen in the course of the call.
            Fault::FailOnce(_)
            | Fault::FailAlways(_)
            | Fault::AbortAtCommit(_)
            | Fault::CommitWithoutEvent(_)
            | Fault::ErrorWithoutCommit(_)
            | Fault::Hang
            | Fault::Slow { .. } => {}
        }
        self.disk.count(fault.kind());
    }

    async fn run<T>(self, call: Call<T>, origin: Origin) -> Answer<T> {
        let under_way = UnderWay::new(&self.link);
        let state = &self.disk.0;
        let mode = if call.write.is_some() { Mode::Write } else { Mode::Read };
        self.travel().await;
        // The calls of one connection arrive in the order in which they were made.
        while self.link.arrived.get() < origin.own_call {
            state.world.sleep_us(1).await;
        }
        self.link.arrived.set(origin.own_call + 1);
        let running = state.queue.enter(call.scope, mode).await;
        self.travel().await;
        if let Some(Fault::Slow { ms }) = origin.fault {
            state.world.sleep_us(u64::from(ms) * 1000).await;
        }
        let write = call.write;
        let end = self.execute(call, origin);
        drop(running);
        self.travel().await;
        let answer = self.answer(write, end, origin);
        drop(under_way);
        answer
    }

    async fn travel(&self) {
        if self.disk.0.options.latency_max_us > 0 {
            self.disk.0.world.sleep_us(self.disk.latency_us()).await;
        }
    }

    /// The moment in which the transaction has its effect, or does not.
    fn execute<T>(&self, call: Call<T>, origin: Origin) -> End<T> {
        let state = &self.disk.0;
        if state.cycle.get() != origin.cycle {
            return End::Vanished;
        }
        // A context that died may have sent everything before, or not.
        if self.link.is_dead(&state.world) && self.disk.coin() {
            return End::Vanished;
        }
        if self.link.handle.get() != origin.handle && self.disk.coin() {
            return End::Failed(StorageError::not_applied(Failure::ConnectionLost, "the connection was closed"));
        }
        match origin.fault {
            Some(Fault::FailOnce(name) | Fault::FailAlways(name) | Fault::AbortAtCommit(name)) => {
                End::Failed(StorageError::from_exception(name, "injected", false))
            }
            Some(Fault::Hang) => End::Vanished,
            Some(Fault::ErrorWithoutCommit(name)) => End::Failed(lost_event(name, call.write)),
            _ => self.commit(call, origin),
        }
    }

    fn commit<T>(&self, call: Call<T>, origin: Origin) -> End<T> {
        let state = &self.disk.0;
        let mut contents = self.disk.contents();
        let size_before = contents.size_bytes();
        let (value, change) = (call.work)(&mut contents);
        let Some(write) = call.write else {
            return End::Committed(value, None);
        };
        if state.only_deletes.replace(false) && !write.only_deletes {
            let message = "a mutation operation was attempted on a database that did not allow mutations";
            return End::Failed(StorageError::from_exception("InvalidStateError", message, false));
        }
        if change == Change::None {
            return End::Committed(value, None);
        }
        let size = contents.size_bytes();
        if size > size_before && state.quota_bytes.get().is_some_and(|quota| size > quota) {
            self.disk.count(FaultKind::Quota);
            if state.options.quota_style == QuotaStyle::Firefox {
                state.only_deletes.set(true);
                self.tear(call.values);
            }
            return End::Failed(StorageError::from_exception("QuotaExceededError", "the disk is full", false));
        }
        for register in [Register::Head, Register::Manifest] {
            state.world.note(contents.register(register).map_or(0, |value| xxh3_64(value)));
        }
        let number = state.history.borrow_mut().push(contents);
        self.disk.observed(origin.moment, Phase::Effect);
        End::Committed(value, Some(number))
    }

    /// Firefox, when a request of a transaction finds the disk full: the requests before it are rolled back, but those
    /// behind it take effect one by one, where they fit.
    fn tear(&self, values: Vec<(Store, Vec<u8>, Vec<u8>)>) {
        let state = &self.disk.0;
        let mut contents = self.disk.contents();
        let behind = state.random.borrow_mut().index(values.len()) + 1;
        for (store, name, bytes) in values.into_iter().skip(behind) {
            let mut with_it = contents.clone();
            with_it.set_value(store, &name, Some(Rc::new(bytes)));
            if state.quota_bytes.get().is_none_or(|quota| with_it.size_bytes() <= quota) {
                contents = with_it;
            }
        }
        if contents != self.disk.contents() {
            state.history.borrow_mut().push(contents);
        }
    }

    /// What the caller hears in the end.
    fn answer<T>(&self, write: Option<Write>, end: End<T>, origin: Origin) -> Answer<T> {
        let state = &self.disk.0;
        if state.cycle.get() != origin.cycle || self.link.is_dead(&state.world) {
            return None;
        }
        let (value, number) = match end {
            End::Vanished => return None,
            End::Failed(error) => {
                state.world.note(error.failure as u64);
                self.disk.observed(origin.moment, Phase::Answered);
                return Some(Err(error));
            }
            End::Committed(value, number) => (value, number),
        };
        match origin.fault {
            Some(Fault::CommitWithoutEvent(Ending::Silence)) => return None,
            Some(Fault::CommitWithoutEvent(Ending::Exception(name))) => {
                return Some(Err(lost_event(name, write)));
            }
            _ if self.link.handle.get() != origin.handle => {
                return Some(Err(lost_event("InvalidStateError", write)));
            }
            _ => {}
        }
        if let (Some(number), Some(Write { durability: Durability::Strict, .. })) = (number, write) {
            state.history.borrow_mut().flush(number);
        }
        state.world.note(origin.moment.call);
        self.disk.observed(origin.moment, Phase::Answered);
        Some(Ok(value))
    }
}

/// An error after which only the disk can tell what happened; a read has no effect, so there it is plain.
fn lost_event(name: &str, write: Option<Write>) -> StorageError {
    StorageError::from_exception(name, "injected: the event was lost", write.is_some())
}

impl Storage for Simulated {
    async fn read_log(&self, after: Option<CommitSeq>, manifest: bool) -> StorageResult<Tail> {
        self.call(Call {
            kind: CallKind::ReadLog,
            scope: Scope::LOG,
            write: None,
            work: Box::new(move |contents| (contents.read_log(after, manifest), Change::None)),
            values: Vec::new(),
        })
        .await
    }

    async fn append(&self, append: Append) -> StorageResult<Applied> {
        self.call(Call {
            kind: CallKind::Append,
            scope: Scope::LOG,
            write: Some(Write { durability: append.durability, only_deletes: false }),
            work: Box::new(move |contents| {
                let applied = contents.append(append);
                (applied, applied.into())
            }),
            values: Vec::new(),
        })
        .await
    }

    async fn get(&self, store: Store, names: &[Vec<u8>]) -> StorageResult<Vec<Option<Vec<u8>>>> {
        let names = names.to_vec();
        self.call(Call {
            kind: CallKind::Get,
            scope: Scope::of(store),
            write: None,
            work: Box::new(move |contents| (contents.get(store, &names), Change::None)),
            values: Vec::new(),
        })
        .await
    }

    async fn apply(&self, batch: Batch) -> StorageResult<Applied> {
        let stores = batch.deletes.iter().map(|(store, _)| *store);
        let stores = stores.chain(batch.puts.iter().map(|(store, _, _)| *store));
        let mut scope = stores.fold(Scope::NONE, |scope, store| scope.with(Scope::of(store)));
        if batch.expected_manifest.is_some() || batch.manifest.is_some() || batch.trim.is_some() {
            scope = scope.with(Scope::LOG);
        }
        let is_torn = self.disk.0.options.quota_style == QuotaStyle::Firefox && self.disk.0.quota_bytes.get().is_some();
        let values = if is_torn { batch.puts.clone() } else { Vec::new() };
        self.call(Call {
            kind: CallKind::Apply,
            scope,
            write: Some(Write { durability: batch.durability, only_deletes: batch.only_deletes() }),
            work: Box::new(move |contents| {
                let applied = contents.apply(batch);
                (applied, applied.into())
            }),
            values,
        })
        .await
    }

    async fn close(&self) {
        self.link.closed.set(true);
        poll_fn(|cx| {
            if self.link.under_way.get() == 0 {
                return Poll::Ready(());
            }
            self.link.idle_wakers.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
