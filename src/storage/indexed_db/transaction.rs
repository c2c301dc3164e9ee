//! One IndexedDB transaction, from its first request to its last event. [JS]
//!
//! Not aware of what is read or written: the caller gives steps. Each step runs inside the `success` event of the
//! last request of the step before it, where a transaction is certain to be active in every browser; the Rust future
//! only waits for the end.
//!
//! Invariants: a write is answered by `complete` or `abort`, never by a request's own event; a future that is dropped
//! aborts its transaction where that is still possible, and takes its event handlers away with it.

use super::super::{Durability, Failure, Outcome, StorageError, StorageResult};
use super::connection::{Call, Handle};
use crate::env::timeout::timeout;
use core::cell::RefCell;
use futures_channel::oneshot;
use js_sys::{Array, Function, Object};
use std::rc::Rc;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, Event, IdbObjectStore, IdbRequest, IdbTransaction, IdbTransactionMode};

#[wasm_bindgen]
extern "C" {
    /// The database once more: web-sys keeps the third argument of `transaction` behind a compiler switch.
    type HintedDatabase;

    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn transaction(
        this: &HintedDatabase,
        stores: &Array,
        mode: IdbTransactionMode,
        hints: &Hints,
    ) -> Result<IdbTransaction, JsValue>;

    type Hints;

    #[wasm_bindgen(method, setter)]
    fn set_durability(this: &Hints, durability: &str);
}

/// Which object stores, and what for.
pub(super) enum Access<'a> {
    Read(&'a [&'a str]),
    Write(&'a [&'a str], Durability),
    /// A write that only deletes.
    Free(&'a [&'a str], Durability),
}

/// The object stores of a running transaction.
pub(super) struct Objects {
    transaction: IdbTransaction,
    /// The one asked for last, which most requests go to: to ask again costs more than half a request.
    last: RefCell<Option<(String, IdbObjectStore)>>,
}

impl Objects {
    fn new(transaction: IdbTransaction) -> Objects {
        Objects { transaction, last: RefCell::default() }
    }

    pub(super) fn store(&self, name: &str) -> Result<IdbObjectStore, JsValue> {
        let mut last = self.last.borrow_mut();
        if let Some((known, store)) = &*last
            && known == name
        {
            return Ok(store.clone());
        }
        let store = self.transaction.object_store(name)?;
        *last = Some((name.to_owned(), store.clone()));
        Ok(store)
    }
}

type Next<T> = Box<dyn FnOnce(&Objects, Vec<JsValue>) -> Result<Step<T>, JsValue>>;

/// What comes after a step.
pub(super) enum Step<T> {
    /// When all of these have succeeded, go on with their results.
    After(Vec<IdbRequest>, Next<T>),
    /// Commit; this is the answer once that is complete.
    Commit(T),
    /// Nothing was written: this is the answer.
    Answer(T),
    /// What was written is taken back: this is the answer.
    Undo(T),
}

impl<T> Step<T> {
    pub(super) fn after(
        requests: Vec<IdbRequest>,
        next: impl FnOnce(&Objects, Vec<JsValue>) -> Result<Step<T>, JsValue> + 'static,
    ) -> Self {
        Step::After(requests, Box::new(next))
    }
}

/// Runs one transaction. A connection that turns out to be closed before anything was asked is replaced once.
pub(super) async fn run<T: 'static>(
    call: &Call,
    access: Access<'_>,
    first: impl FnOnce(&Objects) -> Result<Step<T>, JsValue>,
) -> StorageResult<T> {
    let (handle, transaction) = begin(call, &access).await?;
    let flight = Flight::start(transaction, !matches!(access, Access::Read(_)), first);
    let deadline_ms = call.options().transaction_deadline_ms;
    let result = flight.land(call, deadline_ms).await;
    match &result {
        Err(StorageError { failure: Failure::ConnectionLost | Failure::Timeout, .. }) => call.lose(&handle),
        Err(StorageError { failure: Failure::Quota, .. }) => handle.is_full.set(true),
        Ok(_) | Err(_) => {}
    }
    result
}

async fn begin(call: &Call, access: &Access<'_>) -> StorageResult<(Handle, IdbTransaction)> {
    let handle = call.handle().await?;
    match transaction_on(&handle, access) {
        Ok(transaction) => return Ok((handle, transaction)),
        Err(exception) if name_of(&exception) == "InvalidStateError" => call.lose(&handle),
        Err(exception) => return Err(from_exception(&exception)),
    }
    let handle = call.handle().await?;
    match transaction_on(&handle, access) {
        Ok(transaction) => Ok((handle, transaction)),
        Err(exception) => Err(from_exception(&exception)),
    }
}

fn transaction_on(handle: &Handle, access: &Access<'_>) -> Result<IdbTransaction, JsValue> {
    let names = |stores: &[&str]| stores.iter().map(|name| JsValue::from_str(name)).collect::<Array>();
    match access {
        Access::Read(stores) => handle.database.transaction_with_str_sequence(&names(stores)),
        Access::Write(stores, durability) => {
            if handle.is_full.take() {
                // Firefox lets the first write after a quota failure only delete: one that does nothing takes its turn.
                drop(write_transaction(handle, &names(stores), *durability)?);
            }
            write_transaction(handle, &names(stores), *durability)
        }
        Access::Free(stores, durability) => {
            handle.is_full.set(false);
            write_transaction(handle, &names(stores), *durability)
        }
    }
}

fn write_transaction(handle: &Handle, stores: &Array, durability: Durability) -> Result<IdbTransaction, JsValue> {
    let hints: Hints = Object::new().unchecked_into();
    // The names are IndexedDB's own.
    hints.set_durability(durability.name());
    let database: &HintedDatabase = handle.database.unchecked_ref();
    database.transaction(stores, IdbTransactionMode::Readwrite, &hints)
}

/// What the event handlers share.
struct Course<T> {
    objects: Objects,
    writes: bool,
    progress: RefCell<Progress<T>>,
}

struct Progress<T> {
    /// The requests that the next step waits for.
    waiting: Option<(Vec<IdbRequest>, Next<T>)>,
    /// The handler of `success`, to be given to the last request of each step.
    on_success: Option<Function>,
    /// The answer that `complete` will give.
    answer: Option<T>,
    /// `commit()` was called: from here on only events tell the outcome.
    committing: bool,
    /// Taken when the future was answered.
    sender: Option<oneshot::Sender<StorageResult<T>>>,
}

impl<T> Course<T> {
    fn settle(&self, result: StorageResult<T>) {
        let sender = self.progress.borrow_mut().sender.take();
        if let Some(sender) = sender {
            // A waiter that has gone away needs no answer.
            let _ = sender.send(result);
        }
    }

    fn take(&self, step: Result<Step<T>, JsValue>) {
        match step {
            Ok(Step::After(requests, next)) => self.wait(requests, next),
            Ok(Step::Commit(answer)) => self.commit(answer),
            Ok(Step::Answer(answer)) => {
                if self.writes {
                    // Lets the next writer in at once. A refusal is of no account: there is nothing to commit.
                    let _ = self.end();
                }
                self.settle(Ok(answer));
            }
            Ok(Step::Undo(answer)) => match self.objects.transaction.abort() {
                Ok(()) => self.settle(Ok(answer)),
                Err(exception) => self.give_up(&exception),
            },
            Err(exception) => self.give_up(&exception),
        }
    }

    /// A request was refused outright: whatever this transaction has asked for so far is undone. One that has ended
    /// already tells why in its event.
    fn give_up(&self, exception: &JsValue) {
        if self.objects.transaction.abort().is_ok() {
            self.settle(Err(from_exception(exception)));
        }
    }

    fn wait(&self, requests: Vec<IdbRequest>, next: Next<T>) {
        let Some(last) = requests.last().cloned() else {
            return self.take(next(&self.objects, Vec::new()));
        };
        let mut progress = self.progress.borrow_mut();
        // Requests of one transaction succeed in their order: the last one speaks for all.
        last.set_onsuccess(progress.on_success.as_ref());
        progress.waiting = Some((requests, next));
    }

    fn commit(&self, answer: T) {
        self.progress.borrow_mut().answer = Some(answer);
        if let Err(exception) = self.end() {
            self.give_up(&exception);
        }
    }

    /// Spares the browser from waiting for more requests: up to a third of a millisecond.
    #[expect(
        deprecated,
        reason = "was taken out of the draft of IndexedDB 2 and came back with 3: every browser has it"
    )]
    fn end(&self) -> Result<(), JsValue> {
        self.objects.transaction.commit()?;
        self.progress.borrow_mut().committing = true;
        Ok(())
    }

    /// One handler for the three events: to make a handler is a good part of what a transaction costs here.
    fn happened(&self, event: &Event) {
        match event.type_().as_str() {
            "success" => self.succeeded(),
            "complete" => self.completed(),
            _ => self.aborted(),
        }
    }

    fn succeeded(&self) {
        let waiting = self.progress.borrow_mut().waiting.take();
        if let Some((requests, next)) = waiting {
            let results: Result<Vec<JsValue>, JsValue> = requests.iter().map(IdbRequest::result).collect();
            self.take(results.and_then(|results| next(&self.objects, results)));
        }
    }

    fn completed(&self) {
        let answer = self.progress.borrow_mut().answer.take();
        if let Some(answer) = answer {
            self.settle(Ok(answer));
        }
    }

    fn aborted(&self) {
        let committing = self.progress.borrow().committing;
        let error = self.objects.transaction.error();
        let (name, message) =
            error.map_or_else(|| ("AbortError".to_owned(), String::new()), |error| (error.name(), error.message()));
        // A browser that loses its storage process aborts what it cannot ask about: it may have been committed.
        let in_doubt = self.writes && committing && matches!(name.as_str(), "AbortError" | "UnknownError");
        let mut error = describe(&name, &message);
        if in_doubt {
            error.outcome = Outcome::Unknown;
        }
        self.settle(Err(error));
    }
}

/// A transaction with its event handlers.
struct Flight<T> {
    course: Rc<Course<T>>,
    receiver: Option<oneshot::Receiver<StorageResult<T>>>,
    _handler: Closure<dyn FnMut(Event)>,
}

impl<T: 'static> Flight<T> {
    fn start(
        transaction: IdbTransaction,
        writes: bool,
        first: impl FnOnce(&Objects) -> Result<Step<T>, JsValue>,
    ) -> Flight<T> {
        let (sender, receiver) = oneshot::channel();
        let progress =
            Progress { waiting: None, on_success: None, answer: None, committing: false, sender: Some(sender) };
        let course = Rc::new(Course { objects: Objects::new(transaction), writes, progress: RefCell::new(progress) });
        let handled = course.clone();
        let handler = Closure::<dyn FnMut(Event)>::new(move |event: Event| handled.happened(&event));
        let function: &Function = handler.as_ref().unchecked_ref();
        course.progress.borrow_mut().on_success = Some(function.clone());
        course.objects.transaction.set_oncomplete(Some(function));
        course.objects.transaction.set_onabort(Some(function));
        let step = first(&course.objects);
        course.take(step);
        Flight { course, receiver: Some(receiver), _handler: handler }
    }

    async fn land(mut self, call: &Call, deadline_ms: u32) -> StorageResult<T> {
        let Some(receiver) = self.receiver.take() else {
            return Err(StorageError::not_applied(Failure::Closed, "transaction was awaited twice"));
        };
        match timeout(call.env(), deadline_ms, receiver).await {
            Ok(Ok(result)) => result,
            Ok(Err(oneshot::Canceled)) | Err(_) => Err(self.expire(deadline_ms)),
        }
    }

    /// Gives up. What was not asked to commit can be taken back for certain; what was, cannot.
    fn expire(&self, deadline_ms: u32) -> StorageError {
        let undone = self.course.objects.transaction.abort().is_ok();
        let message = format!("indexeddb gave no answer within {deadline_ms} ms: another tab may hold it");
        if undone || !self.course.writes {
            StorageError::not_applied(Failure::Timeout, message)
        } else {
            StorageError::unknown(Failure::Timeout, message)
        }
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        let transaction = &self.course.objects.transaction;
        transaction.set_oncomplete(None);
        transaction.set_onabort(None);
        let mut progress = self.course.progress.borrow_mut();
        if let Some((requests, _)) = progress.waiting.take()
            && let Some(last) = requests.last()
        {
            last.set_onsuccess(None);
        }
        progress.on_success = None;
        if progress.sender.is_some() {
            // Nobody waits any more: do not keep other tabs waiting either.
            let _ = transaction.abort();
        }
    }
}

/// Runs a future to its end whatever becomes of the one that waits for it.
pub(super) async fn detached<T: 'static>(work: impl Future<Output = T> + 'static) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    wasm_bindgen_futures::spawn_local(async move {
        let _ = sender.send(work.await);
    });
    receiver.await.ok()
}

fn name_of(exception: &JsValue) -> String {
    exception.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default()
}

/// A call that was refused outright: nothing was applied.
pub(super) fn from_exception(exception: &JsValue) -> StorageError {
    if let Some(exception) = exception.dyn_ref::<DomException>() {
        return describe(&exception.name(), &exception.message());
    }
    if let Some(error) = exception.dyn_ref::<js_sys::Error>() {
        return describe(&String::from(error.name()), &String::from(error.message()));
    }
    describe("Error", &exception.as_string().unwrap_or_default())
}

fn describe(name: &str, message: &str) -> StorageError {
    let first_line = message.lines().next().unwrap_or_default().trim_end_matches('.');
    // After a quota failure, Firefox's next write transaction may only delete, and says so in this way.
    let quota = name == "InvalidStateError" && first_line.contains("did not allow mutations");
    let name = if quota { "QuotaExceededError" } else { name };
    let message = match first_line {
        _ if name == "QuotaExceededError" => "this origin has no room left",
        "" => "no reason given",
        told => told,
    };
    StorageError::from_exception(name, message, false)
}
