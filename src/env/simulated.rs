//! Virtual time and chance: a world in which a whole run of many contexts follows from one seed.
//!
//! Not a runtime for products: one thread, no real clock, no real randomness, and no waiting: time passes by jumping
//! to the next timer when nothing else can run.
//!
//! Invariants: equal seeds and equal programs give equal [`World::trace`]s; virtual time never goes back, whatever
//! the wall clock does; a run that cannot go on ends with a [`Stall`], never in an endless loop.

mod promise;
mod random;

pub use promise::{Promise, Resolver, promise};
pub use random::Random;

use super::{Env, LocalFuture, Timestamp};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

/// Turns of one run before it counts as endless.
pub const TURNS_MAX: u64 = 5_000_000;

/// Tasks that live, freeze and die together: a tab, a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(usize);

impl Group {
    /// What is part of no tab: the disk, the test itself. It is never frozen and never dies.
    pub const SYSTEM: Group = Group(0);
}

/// A run that cannot go on: every task waits for something that will not come, or it went on for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// The tasks that still wait, by name.
    pub waiting: Vec<String>,
    /// Virtual time when it was noticed.
    pub at_ms: u64,
    /// Turns taken so far; [`TURNS_MAX`] or more when the run did not end.
    pub turns: u64,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.turns >= TURNS_MAX { "endless" } else { "stalled" };
        write!(f, "{what} at {} ms after {} turns; waiting: {}", self.at_ms, self.turns, self.waiting.join(", "))
    }
}

impl core::error::Error for Stall {}

/// A single-threaded world with its own time. Clones are handles to the same world.
///
/// ```
/// use hyphadb::env::{Env, simulated::World};
/// let world = World::new(1);
/// let env = world.env("test");
/// let slept = world.block_on(async {
///     env.sleep(60_000).await;
///     env.monotonic_ms()
/// });
/// assert!(slept.is_ok_and(|ms| ms >= 60_000.0));
/// ```
#[derive(Clone)]
pub struct World(Rc<Inner>);

struct Inner {
    tasks: RefCell<BTreeMap<u64, Task>>,
    groups: RefCell<Vec<GroupState>>,
    /// Tasks that may run now. [`Inner::woken`] flows into it.
    ready: RefCell<Vec<u64>>,
    woken: Arc<Mutex<Vec<u64>>>,
    /// By moment (microseconds) and order of making.
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    now_us: Cell<u64>,
    wall_offset_ms: Cell<i64>,
    tick_us: Cell<u64>,
    next_id: Cell<u64>,
    turns: Cell<u64>,
    trace: Cell<u64>,
    order: RefCell<Random>,
    seed: Random,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GroupState {
    Running,
    Frozen,
    Dead,
}

struct Task {
    name: String,
    group: Group,
    /// Absent while it runs.
    future: Option<LocalFuture<'static, ()>>,
    waker: Arc<TaskWaker>,
}

/// Wakers must be `Send`, whatever the world is; so this one crosses no thread but could.
struct TaskWaker {
    id: u64,
    queued: AtomicBool,
    woken: Arc<Mutex<Vec<u64>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
        }
    }
}

/// What one turn of the world did.
enum Turn {
    /// It polled a task or moved the clock.
    Moved,
    /// The task that drives the world from outside may run.
    Outside,
    /// Nothing can run and no timer is set.
    Idle,
}

/// Wall time at the start of every world, before any jump: a plain moment in 2025.
const WALL_START_MS: i64 = 1_750_000_000_000;

impl World {
    /// The world of this seed, at time 0.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let seed = Random::new(seed);
        World(Rc::new(Inner {
            tasks: RefCell::default(),
            groups: RefCell::new(vec![GroupState::Running]),
            ready: RefCell::default(),
            woken: Arc::default(),
            timers: RefCell::default(),
            now_us: Cell::new(0),
            wall_offset_ms: Cell::new(0),
            tick_us: Cell::new(1),
            next_id: Cell::new(1),
            turns: Cell::new(0),
            trace: Cell::new(0),
            order: RefCell::new(seed.derive("order of tasks")),
            seed,
        }))
    }

    /// Time and chance as one context sees them; the label tells its chance apart from that of the others.
    #[must_use]
    pub fn env(&self, label: &str) -> SimulatedEnv {
        SimulatedEnv { world: self.clone(), random: RefCell::new(self.random(label)) }
    }

    /// The stream of chance with this label.
    #[must_use]
    pub fn random(&self, label: &str) -> Random {
        self.0.seed.derive(label)
    }

    /// A new group of tasks, running.
    #[must_use]
    pub fn group(&self) -> Group {
        let mut groups = self.0.groups.borrow_mut();
        groups.push(GroupState::Running);
        Group(groups.len() - 1)
    }

    /// Starts a task. Its value comes through the promise; a task that dies never resolves it.
    pub fn spawn<T: 'static>(&self, name: &str, group: Group, work: impl Future<Output = T> + 'static) -> Promise<T> {
        let (resolver, promise) = promise();
        let future = Box::pin(async move { resolver.resolve(work.await) });
        let waker = self.new_waker();
        let id = waker.id;
        let task = Task { name: name.to_owned(), group, future: Some(future), waker: Arc::clone(&waker) };
        self.0.tasks.borrow_mut().insert(id, task);
        waker.wake();
        promise
    }

    /// Runs until this work is done; other tasks run beside it and may be left over.
    ///
    /// # Errors
    /// [`Stall`] when the work waits and nothing can move.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T, Stall> {
        let mut work = pin!(work);
        let main = self.new_waker();
        let waker = Waker::from(Arc::clone(&main));
        loop {
            main.queued.store(false, Ordering::Relaxed);
            if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Ok(value);
            }
            loop {
                match self.turn() {
                    Turn::Moved if self.0.turns.get() < TURNS_MAX => {}
                    Turn::Outside => break,
                    Turn::Moved | Turn::Idle => return Err(self.stall()),
                }
            }
        }
    }

    /// Runs until every task is done, dead or frozen.
    ///
    /// # Errors
    /// [`Stall`] when a task waits and nothing can move.
    pub fn run(&self) -> Result<(), Stall> {
        loop {
            match self.turn() {
                Turn::Moved | Turn::Outside if self.0.turns.get() < TURNS_MAX => {}
                Turn::Idle if self.waiting().is_empty() => return Ok(()),
                Turn::Moved | Turn::Outside | Turn::Idle => return Err(self.stall()),
            }
        }
    }

    /// One turn: polls one task, or moves the clock to the next timer. False when nothing can move.
    #[must_use]
    pub fn step(&self) -> bool {
        !matches!(self.turn(), Turn::Idle)
    }

    /// Whether every task of the group is done or dead.
    #[must_use]
    pub fn is_done(&self, group: Group) -> bool {
        self.0.tasks.borrow().values().all(|task| task.group != group)
    }

    /// Stops polling the tasks of a group, as a browser does with a tab in the background.
    pub fn freeze(&self, group: Group) {
        self.change_group(group, GroupState::Running, GroupState::Frozen);
    }

    /// Goes on with a frozen group.
    pub fn thaw(&self, group: Group) {
        self.change_group(group, GroupState::Frozen, GroupState::Running);
    }

    /// The group dies between two turns: its tasks are dropped where they stand, and it never runs again.
    pub fn kill(&self, group: Group) {
        if group == Group::SYSTEM {
            return;
        }
        if let Some(state) = self.0.groups.borrow_mut().get_mut(group.0) {
            *state = GroupState::Dead;
        }
        self.note(0x6b69_6c6c ^ group.0 as u64);
        let mut dead = Vec::new();
        self.0.tasks.borrow_mut().retain(|_, task| {
            // The running task's future is not here: its turn drops it when it sees that the group is dead.
            let stays = task.group != group;
            if !stays {
                dead.extend(task.future.take());
            }
            stays
        });
    }

    /// Whether the group was killed.
    #[must_use]
    pub fn is_dead(&self, group: Group) -> bool {
        self.state(group) == GroupState::Dead
    }

    /// Whether the group is frozen.
    #[must_use]
    pub fn is_frozen(&self, group: Group) -> bool {
        self.state(group) == GroupState::Frozen
    }

    /// Drops every task. Tasks hold their world, so a world that ends with tasks left must be shut down.
    pub fn shut_down(&self) {
        let tasks = core::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(tasks);
    }

    /// Moves the wall clock, either way. Virtual time does not move.
    pub fn jump_clock(&self, ms: i64) {
        let offset = self.0.wall_offset_ms.get().saturating_add(ms);
        self.0.wall_offset_ms.set(offset);
        self.note(offset as u64);
    }

    /// How much virtual time passes at each turn and each look at the clock, so that a loop that only looks at the
    /// clock ends. At least 1.
    pub fn set_tick_us(&self, tick_us: u64) {
        self.0.tick_us.set(tick_us.max(1));
    }

    /// Virtual time.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.0.now_us.get()
    }

    /// Waits this long in virtual time.
    #[must_use]
    pub fn sleep_us(&self, us: u64) -> Sleep {
        Sleep { world: self.clone(), until_us: self.now_us().saturating_add(us), timer: None }
    }

    /// Writes something that happened into the trace.
    pub fn note(&self, event: u64) {
        self.0.trace.set(random::scramble(self.0.trace.get().rotate_left(5) ^ event.wrapping_add(0x9e37_79b9)));
    }

    /// A hash of everything that happened so far, in order.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.0.trace.get()
    }

    fn state(&self, group: Group) -> GroupState {
        self.0.groups.borrow().get(group.0).copied().unwrap_or(GroupState::Dead)
    }

    fn change_group(&self, group: Group, from: GroupState, to: GroupState) {
        if group != Group::SYSTEM
            && let Some(state) = self.0.groups.borrow_mut().get_mut(group.0)
            && *state == from
        {
            *state = to;
        }
    }

    fn new_waker(&self) -> Arc<TaskWaker> {
        let id = self.0.next_id.get();
        self.0.next_id.set(id + 1);
        Arc::new(TaskWaker { id, queued: AtomicBool::new(false), woken: Arc::clone(&self.0.woken) })
    }

    fn turn(&self) -> Turn {
        self.0.turns.set(self.0.turns.get() + 1);
        self.pass_time(self.0.tick_us.get());
        self.fire_timers();
        if let Some(id) = self.next_ready() {
            return self.poll(id);
        }
        let next_us = self.0.timers.borrow().first_key_value().map(|(&(at_us, _), _)| at_us);
        match next_us {
            Some(at_us) => {
                self.0.now_us.set(at_us);
                self.fire_timers();
                Turn::Moved
            }
            None => Turn::Idle,
        }
    }

    fn pass_time(&self, us: u64) {
        self.0.now_us.set(self.0.now_us.get().saturating_add(us));
    }

    /// Chance takes one of the tasks that may run; those of frozen groups keep their place.
    fn next_ready(&self) -> Option<u64> {
        let mut ready = self.0.ready.borrow_mut();
        ready.append(&mut self.0.woken.lock().unwrap_or_else(PoisonError::into_inner));
        let tasks = self.0.tasks.borrow();
        let groups = self.0.groups.borrow();
        let frozen = |id: &u64| tasks.get(id).is_some_and(|task| groups.get(task.group.0) == Some(&GroupState::Frozen));
        let choices = if groups.contains(&GroupState::Frozen) {
            // Frozen ones go behind the others.
            ready.sort_by_key(|id| (frozen(id), *id));
            ready.iter().position(frozen).unwrap_or(ready.len())
        } else {
            ready.len()
        };
        (choices > 0).then(|| {
            let at = if choices == 1 { 0 } else { self.0.order.borrow_mut().index(choices) };
            ready.swap_remove(at)
        })
    }

    fn poll(&self, id: u64) -> Turn {
        let (mut future, waker, group) = {
            let mut tasks = self.0.tasks.borrow_mut();
            match tasks.get_mut(&id) {
                Some(task) => (task.future.take(), Arc::clone(&task.waker), task.group),
                // Not one of ours: it is driven from outside, or it is gone.
                None => return Turn::Outside,
            }
        };
        self.note(id ^ self.now_us() << 20);
        waker.queued.store(false, Ordering::Relaxed);
        let waker = Waker::from(waker);
        let done =
            future.as_mut().is_none_or(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        if done || self.is_dead(group) {
            self.0.tasks.borrow_mut().remove(&id);
        } else if let Some(task) = self.0.tasks.borrow_mut().get_mut(&id) {
            task.future = future.take();
        }
        Turn::Moved
    }

    /// Wakes who waited for a moment that has come.
    fn fire_timers(&self) {
        let mut timers = self.0.timers.borrow_mut();
        while let Some(timer) = timers.first_entry().filter(|timer| timer.key().0 <= self.now_us()) {
            // A waker of this world only takes note, so the borrow may go on.
            timer.remove().wake();
        }
    }

    fn waiting(&self) -> Vec<String> {
        let tasks = self.0.tasks.borrow();
        tasks.values().filter(|task| !self.is_frozen(task.group)).map(|task| task.name.clone()).collect()
    }

    fn stall(&self) -> Stall {
        Stall { waiting: self.waiting(), at_ms: self.now_us() / 1000, turns: self.0.turns.get() }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("now_us", &self.now_us()).field("waiting", &self.waiting()).finish()
    }
}

/// A wait in virtual time. Dropping it takes the timer away.
#[derive(Debug)]
pub struct Sleep {
    world: World,
    until_us: u64,
    timer: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut timers = self.world.0.timers.borrow_mut();
        let timer = match self.timer {
            Some(timer) if self.world.now_us() >= self.until_us => {
                timers.remove(&timer);
                return Poll::Ready(());
            }
            Some(timer) => timer,
            // The first look always waits, so that a sleep of zero gives others a turn.
            None => {
                let order = self.world.0.next_id.get();
                self.world.0.next_id.set(order + 1);
                (self.until_us, order)
            }
        };
        timers.insert(timer, cx.waker().clone());
        drop(timers);
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.world.0.timers.borrow_mut().remove(&timer);
        }
    }
}

/// [`Env`] as one context sees the world.
#[derive(Debug)]
pub struct SimulatedEnv {
    world: World,
    random: RefCell<Random>,
}

impl Env for SimulatedEnv {
    fn now(&self) -> Timestamp {
        let passed_ms = i64::try_from(self.world.now_us() / 1000).unwrap_or(i64::MAX);
        Timestamp::from_ms(WALL_START_MS.saturating_add(passed_ms).saturating_add(self.world.0.wall_offset_ms.get()))
    }

    fn monotonic_ms(&self) -> f64 {
        self.world.pass_time(self.world.0.tick_us.get());
        self.world.now_us() as f64 / 1000.0
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.random.borrow_mut().fill(bytes);
    }

    fn sleep(&self, ms: u32) -> LocalFuture<'static, ()> {
        Box::pin(self.world.sleep_us(u64::from(ms) * 1000))
    }
}
