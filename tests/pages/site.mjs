// A tiny static server: the package under /pkg/, the pages of the tests under /.
//
// Not for anything else: it serves files of these two folders, and names no other. The policy is the strictest that
// the package promises to live under.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const FOLDERS = { pkg: join(HERE, '../../pkg'), site: join(HERE, 'site') }
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm' }
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src data:"

function locate(path) {
  const inPackage = path.startsWith('/pkg/')
  const folder = inPackage ? FOLDERS.pkg : FOLDERS.site
  const name = inPackage ? path.slice('/pkg/'.length) : path === '/' ? 'index.html' : path.slice(1)
  const file = normalize(join(folder, name))
  return file.startsWith(folder + sep) ? file : undefined
}

/** Serves until `close`; the port stays the same, because the origin is the key to the browser's data. */
export async function startSite(extra = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const content = extra[pathname] ?? await readFile(locate(pathname) ?? '').catch(() => undefined)
    if (content === undefined) return response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': TYPES[extname(pathname) || '.html'] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
    })
    response.end(content)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${server.address().port}`
  return {
    origin,
    url: path => origin + path,
    close() {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    },
  }
}
