// What pages and workers of the tests do with a database.
import { open } from '/pkg/index.js'

export * from '/pkg/index.js'

export const configuration = name => ({
  name,
  collections: {
    counters: { key: 'id' },
    entries: { key: 'id', indexes: ['round'] },
  },
})

export const openForTest = (name, options = {}) => open({ ...configuration(name), ...options })

export const noise = length => {
  const bytes = new Uint8Array(length)
  for (let start = 0; start < length; start += 65_536) crypto.getRandomValues(bytes.subarray(start, start + 65_536))
  return bytes
}

/** What of an error can cross to the test. */
export const told = error => ({ code: error?.code, message: String(error?.message ?? error), hint: error?.hint, details: error?.details })

/** Raises one counter that all share, one commit at a time. */
export async function raise(name, writer, times, options) {
  const db = await openForTest(name, options)
  const counters = db.collection('counters')
  for (let done = 0; done < times; done++) {
    await counters.updateOne({ id: 'shared' }, { $inc: { total: 1, [writer]: 1 } }, { upsert: true })
  }
  await db.close()
}

/** Transactions of three documents and a counter, acknowledged to the test one by one, until the end comes from outside. */
export async function writeUntilKilled(name, round, durability) {
  const db = await openForTest(name, { durability })
  for (let number = 0; ; number++) {
    const bytes = noise(number % 8 === 7 ? 100_000 : 1_000)
    await db.transaction(async tx => {
      for (let part = 0; part < 3; part++) {
        await tx.collection('entries').insertOne({ id: `${round}-${number}-${part}`, round, number, part, bytes })
      }
      await tx.collection('counters').updateOne({ id: `round ${round}` }, { $inc: { transactions: 1 } }, { upsert: true })
    })
    globalThis.acknowledged(round, number)
  }
}

/** Which transactions of a round are there: by how many of their documents are. */
export async function transactionsOf(name, round) {
  const db = await openForTest(name)
  const parts = {}
  for (const { number, bytes } of await db.collection('entries').find({ round }).toArray()) {
    if (bytes.length >= 1_000) parts[number] = (parts[number] ?? 0) + 1
  }
  const counter = await db.collection('counters').get(`round ${round}`)
  await db.close()
  return { parts, counted: counter?.transactions ?? 0 }
}
