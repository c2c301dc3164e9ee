// Child processes with a deadline, and the one kind of error that is told without a stack trace.
// It knows nothing of what is run.
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { finished } from 'node:stream/promises'

const MINUTE_MS = 60_000
const TAIL_LINES = 15

/** What went wrong and what to do about it: one or two lines for a person. */
export class Failure extends Error {
  constructor(reason, remedy) {
    super(remedy ? `${reason}\n${remedy}` : reason)
    this.name = 'Failure'
    this.reason = reason
    this.remedy = remedy
  }
}

/** Children that are alive now; they end with us. */
const children = new Set()

function end(child, signal) {
  try {
    process.kill(child.leadsGroup ? -child.pid : child.pid, signal)
  } catch {
    // The group has ended by itself.
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of children) end(child, 'SIGTERM')
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })
}
process.once('exit', () => {
  for (const child of children) end(child, 'SIGKILL')
})

function waitFor(child, deadlineMs) {
  return new Promise((resolve, reject) => {
    let late = false
    const timers = []
    if (deadlineMs) {
      timers.push(
        setTimeout(() => {
          late = true
          end(child, 'SIGTERM')
        }, deadlineMs),
      )
      timers.push(setTimeout(() => end(child, 'SIGKILL'), deadlineMs + 5_000))
    }
    const settle = (verb, value) => {
      for (const timer of timers) clearTimeout(timer)
      children.delete(child)
      verb(value)
    }
    child.once('error', error => settle(reject, error))
    child.once('close', (code, signal) => settle(resolve, { code: code ?? 1, signal, late }))
  })
}

/** What has a deadline leads a group of its own, so that its children end with it; what has none ends with our group. */
function start(command, args, { cwd, env, stdio, deadlineMs }) {
  const child = spawn(command, args, { cwd, env, stdio, detached: deadlineMs > 0 })
  child.leadsGroup = deadlineMs > 0
  children.add(child)
  return child
}

function notStarted(command, error) {
  return new Failure(`${command} did not start: ${error.code === 'ENOENT' ? 'not found' : error.message}`)
}

/** Runs with our own output streams. Resolves with the exit code; a missed deadline is a `Failure`. */
export async function stream(command, args, { cwd, env = process.env, deadlineMs = 30 * MINUTE_MS } = {}) {
  const child = start(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'], deadlineMs })
  const outcome = await waitFor(child, deadlineMs).catch(error => {
    throw notStarted(command, error)
  })
  if (outcome.late)
    throw new Failure(`${command} ${args[0] ?? ''} took longer than ${deadlineMs / MINUTE_MS} min and was ended`)
  return outcome.code
}

/** Runs silently. Resolves with `{ code, stdout, stderr }`, code 127 where the command does not exist. */
export async function capture(command, args, { cwd, env = process.env, deadlineMs = MINUTE_MS } = {}) {
  const child = start(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], deadlineMs })
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', part => {
      text[name] += part
    })
  try {
    const outcome = await waitFor(child, deadlineMs)
    return { ...text, code: outcome.late ? 124 : outcome.code }
  } catch (error) {
    return { ...text, code: 127, stderr: error.message }
  }
}

/** Runs with its output in a file, shown only in the `Failure` that a non-zero exit code throws. */
export async function logged(
  command,
  args,
  { cwd, env = process.env, log, remedy, append = false, deadlineMs = 30 * MINUTE_MS },
) {
  await mkdir(dirname(log), { recursive: true })
  const file = createWriteStream(log, { flags: append ? 'a' : 'w' })
  file.write(`$ ${command} ${args.join(' ')}\n`)
  const child = start(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], deadlineMs })
  child.stdout.pipe(file, { end: false })
  child.stderr.pipe(file, { end: false })
  let outcome
  try {
    outcome = await waitFor(child, deadlineMs)
  } catch (error) {
    throw notStarted(command, error)
  } finally {
    file.end()
    await finished(file)
  }
  if (outcome.code === 0 && !outcome.late) return
  const tail = (await readFile(log, 'utf8'))
    .trimEnd()
    .split('\n')
    .slice(-TAIL_LINES)
    .map(line => `  | ${line}`)
    .join('\n')
  const why = outcome.late
    ? `took longer than ${deadlineMs / MINUTE_MS} min`
    : outcome.signal
      ? `was ended by ${outcome.signal}`
      : `ended with code ${outcome.code}`
  throw new Failure(`${command} ${args[0] ?? ''} ${why}; the end of ${log}:\n${tail}`, remedy)
}
