// `node --import` this: then `hyphadb` is the package with its engines in threads.
import { register } from 'node:module'

const hooks = `
export const resolve = (specifier, context, next) =>
  specifier === 'hyphadb' ? { url: ${JSON.stringify(new URL('in_worker.mjs', import.meta.url).href)}, shortCircuit: true } : next(specifier, context)
`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
