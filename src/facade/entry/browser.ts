// The entry for browsers: the wasm lies beside the scripts.
export * from '../index.js'
