//! The connection to one IndexedDB database: opened, lost, opened again, closed. [JS]
//!
//! Not a pool: there is one handle at a time, and transactions queue inside the browser.
//!
//! Invariants: a handle that was reported dead is never used again; opening runs detached from whoever waits for it,
//! so that a late answer is either used or closed; after a close, or after another context deleted the database,
//! nothing opens it again (that would bring an empty database to life).

use super::super::{Failure, StorageError, StorageResult};
use super::transaction::from_exception;
use super::{ConnectionEvent, Found, IndexedDbOptions};
use crate::env::Env;
use crate::env::timeout::timeout;
use core::cell::{Cell, RefCell};
use futures_channel::oneshot;
use js_sys::{Function, Reflect};
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbVersionChangeEvent};

/// The one and only version, see the invariants of the storage.
const VERSION: u32 = 1;
/// How often a connection is tried before the call fails.
const TRIES: u32 = 3;
/// The wait before the second try; four times as long before the next.
const BACKOFF_MS: u32 = 50;

/// A live handle, and which one it is.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) database: IdbDatabase,
    /// The last write was refused for want of room.
    pub(super) is_full: Rc<Cell<bool>>,
    generation: u64,
}

enum State {
    /// No handle: the next call opens one.
    Idle,
    /// Being opened; these wait for it.
    Opening(Vec<oneshot::Sender<()>>),
    Open(Live),
    /// For good, and why.
    Closed(&'static str),
}

/// A handle with its event handler, which goes when it goes.
struct Live {
    handle: Handle,
    _handler: Closure<dyn FnMut(Event)>,
}

impl Live {
    fn close(self) {
        HANDLES.with_borrow_mut(|handles| handles.retain(|handle| *handle != self.handle.database));
        detach(&self.handle.database);
        self.handle.database.close();
    }
}

std::thread_local! {
    /// Every open handle of this instance, for [`abandon`].
    static HANDLES: RefCell<Vec<IdbDatabase>> = const { RefCell::new(Vec::new()) };
}

/// Closes every handle of this instance, which has panicked: nobody is left to answer their events, and an open handle
/// would block the deletion of its database for as long as the page lives.
pub(super) fn abandon() {
    let handles = HANDLES.with(|handles| handles.try_borrow_mut().map(|mut handles| core::mem::take(&mut *handles)));
    for handle in handles.unwrap_or_default() {
        detach(&handle);
        handle.close();
    }
}

fn detach(handle: &IdbDatabase) {
    handle.set_onclose(None);
    handle.set_onversionchange(None);
}

type Listener = Rc<dyn Fn(ConnectionEvent)>;

/// See the module.
pub(super) struct Connection {
    options: IndexedDbOptions,
    env: Rc<dyn Env>,
    state: RefCell<State>,
    /// How many handles there have been.
    generation: Cell<u64>,
    /// Why the last attempt to open failed, for those who waited for it.
    failure: RefCell<Option<StorageError>>,
    found: RefCell<Found>,
    listener: RefCell<Option<Listener>>,
    calls: Cell<usize>,
    /// Told when the last call has ended.
    idle: RefCell<Vec<oneshot::Sender<()>>>,
}

/// A call under way: the connection is closed only after the last of them.
pub(super) struct Call(Rc<Connection>);

impl Call {
    pub(super) fn options(&self) -> &IndexedDbOptions {
        &self.0.options
    }

    pub(super) fn env(&self) -> &dyn Env {
        &*self.0.env
    }

    pub(super) async fn handle(&self) -> StorageResult<Handle> {
        self.0.handle().await
    }

    /// Gives up a handle that does not answer any more.
    pub(super) fn lose(&self, handle: &Handle) {
        self.0.lose(handle.generation);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.calls.set(self.0.calls.get().saturating_sub(1));
        if self.0.calls.get() == 0 {
            for waiting in self.0.idle.take() {
                let _ = waiting.send(());
            }
        }
    }
}

impl Connection {
    pub(super) fn new(options: IndexedDbOptions, env: Rc<dyn Env>) -> Rc<Connection> {
        Rc::new(Connection {
            options,
            env,
            state: RefCell::new(State::Idle),
            generation: Cell::new(0),
            failure: RefCell::new(None),
            found: RefCell::new(Found::Existing),
            listener: RefCell::new(None),
            calls: Cell::new(0),
            idle: RefCell::new(Vec::new()),
        })
    }

    pub(super) fn found(&self) -> Found {
        self.found.borrow().clone()
    }

    pub(super) fn on_event(&self, listener: Listener) {
        *self.listener.borrow_mut() = Some(listener);
    }

    /// Takes over a connection that somebody else has opened. What is not ours is closed, and not taken: opening it anew
    /// will say why.
    pub(super) fn adopt(self: &Rc<Self>, database: IdbDatabase) -> bool {
        let is_ours = database.version() == f64::from(VERSION) && missing_store(&database, &self.options).is_none();
        if is_ours {
            let live = self.listen(database);
            self.state.replace(State::Open(live));
        } else {
            database.close();
        }
        is_ours
    }

    /// Begins a call; refused after a close.
    pub(super) fn call(self: &Rc<Self>) -> StorageResult<Call> {
        if let State::Closed(why) = &*self.state.borrow() {
            return Err(StorageError::not_applied(Failure::Closed, *why));
        }
        self.calls.set(self.calls.get() + 1);
        Ok(Call(self.clone()))
    }

    /// The live handle; opened first where there is none.
    pub(super) async fn handle(self: &Rc<Self>) -> StorageResult<Handle> {
        if let State::Open(live) = &*self.state.borrow() {
            return Ok(live.handle.clone());
        }
        let (sender, receiver) = oneshot::channel();
        let opens = {
            let mut state = self.state.borrow_mut();
            match &mut *state {
                State::Open(live) => return Ok(live.handle.clone()),
                State::Closed(why) => return Err(StorageError::not_applied(Failure::Closed, *why)),
                State::Opening(waiting) => {
                    waiting.push(sender);
                    false
                }
                State::Idle => {
                    *state = State::Opening(vec![sender]);
                    true
                }
            }
        };
        if opens {
            let connection = self.clone();
            wasm_bindgen_futures::spawn_local(async move { connection.connect().await });
        }
        // Told by `connect`, which always ends: each of its waits has a deadline.
        let _ = receiver.await;
        match &*self.state.borrow() {
            State::Open(live) => Ok(live.handle.clone()),
            State::Closed(why) => Err(StorageError::not_applied(Failure::Closed, *why)),
            State::Idle | State::Opening(_) => Err(self.failure.borrow().clone().unwrap_or_else(lost_again)),
        }
    }

    async fn connect(self: Rc<Self>) {
        let mut result = self.open_once().await;
        for attempt in 1..TRIES {
            let Err(StorageError { failure, .. }) = &result else {
                break;
            };
            if !matches!(failure, Failure::ConnectionLost | Failure::Aborted) {
                break;
            }
            self.env.sleep(BACKOFF_MS << (2 * (attempt - 1))).await;
            result = self.open_once().await;
        }
        self.settle(result);
    }

    fn settle(self: &Rc<Self>, result: StorageResult<(IdbDatabase, Found)>) {
        let mut event = None;
        let previous = match result {
            Ok((opened, found)) => {
                let live = self.listen(opened);
                if matches!(*self.state.borrow(), State::Closed(_)) {
                    return live.close();
                }
                if live.handle.generation > 1 {
                    event = Some(ConnectionEvent::Reopened);
                }
                *self.found.borrow_mut() = found;
                self.state.replace(State::Open(live))
            }
            Err(error) => {
                if matches!(*self.state.borrow(), State::Closed(_)) {
                    return;
                }
                *self.failure.borrow_mut() = Some(error);
                self.state.replace(State::Idle)
            }
        };
        if let Some(event) = event {
            self.tell(event);
        }
        if let State::Opening(waiting) = previous {
            for waiter in waiting {
                let _ = waiter.send(());
            }
        }
    }

    /// One attempt, with a deadline. A handle that comes too late is closed.
    async fn open_once(&self) -> StorageResult<(IdbDatabase, Found)> {
        let (sender, receiver) = oneshot::channel();
        let options = self.options.clone();
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(Ok((late, _))) = sender.send(open(&options).await) {
                late.close();
            }
        });
        let deadline_ms = self.options.open_deadline_ms;
        match timeout(&*self.env, deadline_ms, receiver).await {
            Ok(Ok(result)) => result,
            Ok(Err(oneshot::Canceled)) => Err(lost_again()),
            Err(_) => {
                let message = format!(
                    "indexeddb did not open `{}` within {deadline_ms} ms: a frozen tab may hold it, or another \
                     context is deleting it; close other tabs, or reload",
                    self.options.name
                );
                Err(StorageError::not_applied(Failure::Timeout, message))
            }
        }
    }

    fn listen(self: &Rc<Self>, database: IdbDatabase) -> Live {
        self.generation.set(self.generation.get() + 1);
        let generation = self.generation.get();
        HANDLES.with_borrow_mut(|handles| handles.push(database.clone()));
        let connection = Rc::downgrade(self);
        let handler = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let Some(connection) = connection.upgrade() else { return };
            match event.dyn_ref::<IdbVersionChangeEvent>() {
                Some(change) => connection.give_way(generation, change.new_version().is_none()),
                None => connection.lose(generation),
            }
        });
        database.set_onclose(Some(handler.as_ref().unchecked_ref()));
        database.set_onversionchange(Some(handler.as_ref().unchecked_ref()));
        Live { handle: Handle { database, is_full: Rc::default(), generation }, _handler: handler }
    }

    /// Drops the handle of this generation, if it is still the one in use.
    fn lose(&self, generation: u64) {
        if self.drop_handle(generation, State::Idle) {
            self.tell(ConnectionEvent::Lost);
        }
    }

    /// Makes room for another context that deletes the database, or (foreign code) raises its version.
    fn give_way(&self, generation: u64, deleted: bool) {
        if !deleted {
            return self.lose(generation);
        }
        if self.drop_handle(generation, State::Closed("database was deleted by another tab or worker")) {
            self.tell(ConnectionEvent::Deleted);
        }
    }

    fn drop_handle(&self, generation: u64, then: State) -> bool {
        let current = matches!(&*self.state.borrow(), State::Open(live) if live.handle.generation == generation);
        if current && let State::Open(live) = self.state.replace(then) {
            live.close();
        }
        current
    }

    fn tell(&self, event: ConnectionEvent) {
        let listener = self.listener.borrow().clone();
        if let Some(listener) = listener {
            listener(event);
        }
    }

    /// Refuses new calls, waits for those under way, closes.
    pub(super) async fn close(&self) {
        let previous = {
            let mut state = self.state.borrow_mut();
            match &*state {
                State::Closed(_) => return,
                State::Idle | State::Opening(_) | State::Open(_) => {
                    core::mem::replace(&mut *state, State::Closed("database is closed"))
                }
            }
        };
        if self.calls.get() > 0 {
            let (sender, receiver) = oneshot::channel();
            self.idle.borrow_mut().push(sender);
            let _ = receiver.await;
        }
        match previous {
            State::Open(live) => live.close(),
            // Dropping the waiters wakes them; they find it closed.
            State::Idle | State::Opening(_) | State::Closed(_) => {}
        }
    }
}

fn lost_again() -> StorageError {
    StorageError::not_applied(Failure::ConnectionLost, "indexeddb connection was lost while it was opened")
}

/// Opens the database, and creates it where it is not there; without patience.
pub(super) async fn open(options: &IndexedDbOptions) -> StorageResult<(IdbDatabase, Found)> {
    let factory = Reflect::get(&js_sys::global(), &JsValue::from_str("indexedDB")).ok().filter(JsValue::is_object);
    let Some(factory) = factory else {
        let message = "indexeddb is not there: choose another storage";
        return Err(StorageError::not_applied(Failure::Unavailable, message));
    };
    let factory: IdbFactory = factory.unchecked_into();
    let request = factory.open_with_u32(&options.name, VERSION).map_err(|exception| from_exception(&exception))?;
    let (database, found) = opened(request, options).await?;
    if let Some(missing) = missing_store(&database, options) {
        database.close();
        let message =
            format!("indexeddb database `{}` has no object store `{missing}`: it is another program's", options.name);
        return Err(StorageError::not_applied(Failure::Damaged, message));
    }
    Ok((database, found))
}

/// Sees a request to open through.
async fn opened(request: IdbOpenDbRequest, options: &IndexedDbOptions) -> StorageResult<(IdbDatabase, Found)> {
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    let mut found = Found::Existing;
    let (asked, stores) = (request.clone(), options.stores().map(str::to_owned));
    let handler = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if event.type_() == "upgradeneeded" {
            if let Ok(database) = asked.result() {
                // A failure shows later: the object store is missing.
                let database: IdbDatabase = database.unchecked_into();
                let _ = stores.iter().try_for_each(|store| database.create_object_store(store).map(drop));
            }
            found = found_by(&event);
        } else if let Some(sender) = sender.take() {
            // A failure that is told here need not be told to the page.
            event.prevent_default();
            let _ = sender.send(found.clone());
        }
    });
    let function: &Function = handler.as_ref().unchecked_ref();
    request.set_onupgradeneeded(Some(function));
    request.set_onsuccess(Some(function));
    request.set_onerror(Some(function));
    let found = receiver.await.map_err(|oneshot::Canceled| lost_again())?;
    match (request.error(), request.result()) {
        (Ok(Some(exception)), _) => Err(from_exception(&exception.into())),
        (_, Err(exception)) => Err(from_exception(&exception)),
        (_, Ok(database)) => Ok((database.unchecked_into(), found)),
    }
}

fn missing_store<'a>(database: &IdbDatabase, options: &'a IndexedDbOptions) -> Option<&'a str> {
    let present = database.object_store_names();
    options.stores().into_iter().find(|store| !present.contains(store))
}

/// Chromium says here when it has thrown a broken database away.
fn found_by(event: &Event) -> Found {
    let loss = Reflect::get(event, &JsValue::from_str("dataLoss")).ok().and_then(|loss| loss.as_string());
    match loss.as_deref() {
        None | Some("none" | "") => Found::Absent,
        Some(_) => {
            let said = Reflect::get(event, &JsValue::from_str("dataLossMessage")).ok();
            Found::Wiped(said.and_then(|said| said.as_string()).unwrap_or_default())
        }
    }
}

fn from_idb(error: &idb::Error) -> StorageError {
    match error {
        idb::Error::DomException(exception) => from_exception(exception),
        idb::Error::IndexedDbOpenFailed(exception) | idb::Error::IndexedDbDeleteFailed(exception) => {
            from_exception(exception)
        }
        // The words of the others are two kilobytes of code, for what never happens.
        _ => StorageError::not_applied(Failure::Unavailable, "indexeddb answered in a way that is not known"),
    }
}

/// What rexie's deletion of a database failed with.
pub(super) fn from_rexie(error: &rexie::Error) -> StorageError {
    match error {
        rexie::Error::IdbError(error) => from_idb(error),
        // The words of the others are two kilobytes of code, for what never happens.
        _ => StorageError::not_applied(Failure::Unavailable, "indexeddb answered in a way that is not known"),
    }
}
