// A dedicated worker that raises the counter.
import { raise } from './work.js'

onmessage = async ({ data: { name, writer, times } }) => {
  try {
    await raise(name, writer, times)
    postMessage({ done: true })
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) })
  }
}
