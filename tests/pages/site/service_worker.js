// A service worker with the database open: as a module, or bundled by the test into one classic script.
import { open } from '/pkg/index.js'

let opening

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', event => {
  const { pathname, searchParams } = new URL(event.request.url)
  if (pathname === '/notes') event.respondWith(answer(event.request.method, searchParams))
})

async function answer(method, parameters) {
  try {
    opening ??= open({ name: parameters.get('database'), collections: { notes: { key: 'id' } } })
    const notes = (await opening).collection('notes')
    if (method === 'POST') await notes.put({ id: parameters.get('id'), from: 'service worker' })
    return Response.json(await notes.find({}).sort({ id: 1 }).toArray())
  } catch (error) {
    return new Response(String(error?.stack ?? error), { status: 500 })
  }
}
