// A server of one folder, for this machine only; it remembers what it was asked for.
//
// Invariants: the port stays the same, because the origin is the key to a browser's data; pages are isolated from other
// origins, so that clocks are exact to 5 us; files may be cached, as those of a real site are.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.wasm': 'application/wasm' }
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}

export async function startServer(folder) {
  const asked = new Set()
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const name = pathname === '/' ? '/index.html' : pathname
    const file = normalize(join(folder, name))
    const content = file.startsWith(folder + sep) ? await readFile(file).catch(() => undefined) : undefined
    if (content === undefined) return response.writeHead(404).end()
    asked.add(name)
    const caching = extname(name) === '.html' ? 'no-cache' : 'public, max-age=86400'
    response.writeHead(200, { ...HEADERS, 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'cache-control': caching })
    response.end(content)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${server.address().port}`
  return {
    url: path => origin + path,
    /** What was asked for since the last call. */
    takeAsked() {
      const names = [...asked].sort()
      asked.clear()
      return names
    },
    close() {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    },
  }
}
