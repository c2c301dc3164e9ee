// The server of the page: www/, the built package under /pkg/, the samples under /data/. For this machine only.
// It has no dependency, and sends the strictest headers under which the package is promised to work.
//   PORT=5000 node www/serve.mjs      begins to look for a free port there [4173]
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const HOST = '127.0.0.1'
const PORT_FIRST = 4173
const PORTS_TRIED = 50

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const FOLDERS = [
  ['/pkg/', join(root, 'pkg')],
  ['/data/', join(root, 'node_modules', 'vega-datasets', 'data')],
  ['/', join(root, 'www')],
]

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm', '.json': 'application/json; charset=utf-8', '.csv': 'text/csv; charset=utf-8', '.svg': 'image/svg+xml',
  '.ts': 'text/plain; charset=utf-8', '.md': 'text/plain; charset=utf-8',
}

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // A build in between must show at the next reload; the file's time answers for the rest.
  'cache-control': 'no-cache',
}

/** The file that a path means, or undefined: nothing outside the folders, nothing hidden. */
function fileOf(path) {
  const [prefix, folder] = FOLDERS.find(([prefix]) => path.startsWith(prefix)) ?? []
  if (prefix === undefined) return undefined
  const file = normalize(join(folder, path.slice(prefix.length) || 'index.html'))
  const isInside = file.startsWith(folder + sep) && !file.includes(`${sep}.`) && !file.includes('\0')
  return isInside ? file : undefined
}

async function answer(request, response) {
  const say = (status, headers = {}) => response.writeHead(status, { ...HEADERS, ...headers })
  if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, { allow: 'GET, HEAD' }).end()
  const file = fileOf(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
  if (!found?.isFile()) return say(404, { 'content-type': TYPES['.md'] }).end('not found\n')
  const tag = `"${found.size.toString(36)}-${Math.trunc(found.mtimeMs).toString(36)}"`
  if (request.headers['if-none-match'] === tag) return say(304, { etag: tag }).end()
  say(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-length': found.size, etag: tag })
  if (request.method === 'HEAD') return response.end()
  createReadStream(file).on('error', () => response.destroy()).pipe(response)
}

/** A server on the first free port. Answers with the server and its address. */
export async function serve(first = Number(process.env.PORT) || PORT_FIRST) {
  const server = createServer((request, response) => {
    // A path that cannot be decoded is a bad request, and no reason to end.
    answer(request, response).catch(() => response.headersSent ? response.destroy() : response.writeHead(400, HEADERS).end())
  })
  for (let port = first; port < first + PORTS_TRIED; port++) {
    const isListening = await new Promise((resolve, reject) => {
      server.once('error', error => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
      server.listen(port, HOST, () => resolve(true))
    })
    if (isListening) return { server, address: `http://${HOST}:${port}/` }
  }
  throw new Error(`no port is free from ${first} to ${first + PORTS_TRIED - 1}: set PORT to another one`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { address } = await serve()
  console.log(`HyphaDB console: ${address}   (end with Ctrl+C)`)
}
