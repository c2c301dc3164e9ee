// A thread of Node as a worker of a browser.
import { Worker } from 'node:worker_threads'

export function makeWorker() {
  const worker = new Worker(new URL('worker_thread.mjs', import.meta.url))
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    addEventListener: (type, listener) => worker.on(type, (data) => listener(type === 'message' ? { data } : data)),
    terminate: () => worker.terminate(),
  }
}
