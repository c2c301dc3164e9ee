// The ways over the boundary that are compared, each in steps that can be timed by themselves.
//
// Not the timing. A way has `pack` (objects to bytes), `take` (bytes to what Rust holds), `give` and `unpack` (the way
// back); one that does without bytes has no `pack` and no `unpack`, and one that Rust does not know no `take` and `give`.
// `rows` is what the engine would have to do next, where `take` does not end in rows. `both` goes there and back in one.
import { Packr } from 'msgpackr'
import { decode, encodeRequest } from '../../../src/facade/codec.ts'
import init, { Collection, Readings, Trees } from 'engine'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const plain = new Packr({ useRecords: false, int64AsType: 'auto' })
const records = new Packr({ int64AsType: 'auto' })

/** The ways, once the wasm is there. */
export async function ways() {
  await init({ module_or_path: '/engine.wasm' })
  const collection = new Collection()
  const rows = trees => trees.rows(collection)
  return {
    hyphadb: {
      pack: docs => encodeRequest({ op: 'insert', docs }),
      take: bytes => collection.rows(bytes),
      give: held => collection.answer(held),
      unpack: decode,
    },
    'serde-wasm-bindgen': { take: docs => Trees.of_objects(docs), rows, give: held => held.objects() },
    'serde-wasm-bindgen, struct': { onlyReadings: true, take: docs => Readings.of_objects(docs), give: held => held.objects() },
    'JSON, serde_json': {
      pack: docs => encoder.encode(JSON.stringify(docs)),
      take: bytes => Trees.of_json(bytes),
      rows,
      give: held => held.json(),
      unpack: bytes => JSON.parse(decoder.decode(bytes)),
    },
    'msgpackr, rmp-serde': {
      // A copy, as of every other way: what `pack` answers is a part of a buffer that it goes on writing to.
      pack: docs => plain.pack(docs).slice(),
      take: bytes => Trees.of_message_pack(bytes),
      rows,
      give: held => held.message_pack(),
      unpack: bytes => plain.unpack(bytes),
    },
    'msgpackr with records': { pack: docs => records.pack(docs).slice(), unpack: bytes => records.unpack(bytes) },
    structuredClone: { both: docs => structuredClone(docs) },
  }
}

/** What documents become on a way there and back. */
export function thereAndBack(way, docs) {
  if (way.both) return way.both(docs)
  const bytes = way.pack ? way.pack(docs) : docs
  if (!way.take) return way.unpack(bytes)
  const back = way.give(way.take(bytes))
  return way.unpack ? way.unpack(back) : back
}
