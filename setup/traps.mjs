// A way to hear of what is thrown inside the wasm when the browser, not the facade, has called it: in an event, a timer, a
// microtask. wasm-bindgen calls those through one function.
import { Failure } from './process.mjs'

const INVOKED = 'return f(a, state.b, ...args);\n        } finally {'
const TOLD = 'return f(a, state.b, ...args);\n        } catch (thrown) {\n            onThrow(thrown);\n            throw thrown;\n        } finally {'

/** The script and its types, with an export `on_throw`. */
export function tellOfThrows(script, types) {
  if (script.split(INVOKED).length !== 2) throw new Failure('the glue calls closures in another way', 'look at setup/traps.mjs')
  return {
    script: `${script.replace(INVOKED, TOLD)}\nlet onThrow = () => {};\nexport function on_throw(callback) {\n    onThrow = callback;\n}\n`,
    types: `${types}\n/** Calls \`callback\` with what is thrown in an event, a timer or a microtask of the wasm. */\nexport function on_throw(callback: (thrown: unknown) => void): void;\n`,
  }
}
