// A request to IndexedDB, as a promise.
//
// Not a transaction: whether what was asked for is kept is told by other events.

/** What it answers; rejects with its error. */
export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
