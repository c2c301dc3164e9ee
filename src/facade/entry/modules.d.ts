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

// What is used of React. Its own types would be a package more for everyone who builds this one.
declare module 'react' {
  export function useMemo<T>(make: () => T, deps: readonly unknown[]): T
  export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, state: () => T, serverState: () => T): T
}
