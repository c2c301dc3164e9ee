// Modules that runtimes and bundlers provide, as far as the entries use them.

declare module '*/engine.wasm' {
  const module: WebAssembly.Module
  export default module
}

declare module '*/engine.wasm?module' {
  const module: WebAssembly.Module
  export default module
}

declare module 'node:fs/promises' {
  export function readFile(file: URL): Promise<Uint8Array>
}
