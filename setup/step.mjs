// One step of the set-up and how steps are carried out: check, do, verify. The steps themselves are in steps.mjs.
//
// A step is { name, lane, needs, why, takes, check, act }:
//   lane   steps of one lane run one after another, lanes side by side (downloads beside compilation)
//   check  true when nothing is to be done; must answer in milliseconds
//   act    makes it so; afterwards `check` has to be true
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { inCache } from './environment.mjs'
import { Failure } from './process.mjs'

const LOCK_DEADLINE_MS = 3_600_000

export const seconds = since => `${((performance.now() - since) / 1000).toFixed(1)} s`

export function say(name, text) {
  console.log(`setup  ${name}: ${text}`)
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** A link appears whole or not at all, so whoever finds the lock also finds its owner in it. */
async function tryLock(file) {
  const ours = `${file}.${process.pid}`
  await writeFile(ours, String(process.pid))
  try {
    await link(ours, file)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  } finally {
    await rm(ours, { force: true })
  }
}

/** Runs `work` while no other process of this machine does the same; a dead process's lock is taken over. */
export async function exclusively(name, work) {
  const file = inCache('lock', name)
  await mkdir(inCache('lock'), { recursive: true })
  const deadline = Date.now() + LOCK_DEADLINE_MS
  for (let told = false; !(await tryLock(file)); await sleep(250)) {
    const owner = Number(await readFile(file, 'utf8').catch(() => '')) || undefined
    if (Date.now() > deadline)
      throw new Failure(`process ${owner} has held ${file} for an hour`, 'end it, or remove the file')
    if (owner && !isAlive(owner)) await rm(file, { force: true })
    else if (owner && !told) {
      told = true
      say(name, `waiting for process ${owner}, which is doing this already`)
    }
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function carryOut(step) {
  if (await step.check()) return
  await exclusively(step.name, async () => {
    if (await step.check()) return
    say(step.name, `${step.why} (${step.takes})`)
    const start = performance.now()
    await step.act()
    if (!(await step.check()))
      throw new Failure(
        `${step.name} ended without an error but is not in place`,
        'run the command again; if it stays so, report it',
      )
    say(step.name, `done in ${seconds(start)}`)
  })
}

/** The named steps and everything they need, each once, needs first. */
function closure(steps, names) {
  const found = new Map()
  const visit = name => {
    if (found.has(name)) return
    const step = steps.find(candidate => candidate.name === name)
    if (!step) throw new Error(`no step is called ${name}`)
    for (const need of step.needs ?? []) visit(need)
    found.set(name, step)
  }
  names.forEach(visit)
  return [...found.values()]
}

/**
 * Brings every named step about. Resolves with a map from step name to the `Failure` that stopped it;
 * an empty map means that everything is in place. A step whose need failed fails with the need's reason.
 */
export async function attempt(steps, names) {
  const failures = new Map()
  const lanes = new Map()
  const running = new Map()
  for (const step of closure(steps, names)) {
    const lane = lanes.get(step.lane) ?? Promise.resolve()
    const ready = Promise.all([lane, ...(step.needs ?? []).map(need => running.get(need))])
    const work = ready
      .then(async () => {
        const broken = (step.needs ?? []).map(need => failures.get(need)).find(Boolean)
        if (broken) throw broken
        await carryOut(step)
      })
      .catch(error => {
        if (!(error instanceof Failure)) throw error
        failures.set(step.name, error)
      })
    running.set(step.name, work)
    lanes.set(step.lane, work)
  }
  await Promise.all(running.values())
  return failures
}

/** Like `attempt`, but the first failure is thrown. */
export async function ensure(steps, names) {
  for (const failure of (await attempt(steps, names)).values()) throw failure
}

/** Runs a command's main function; a `Failure` is told in its own words, anything else is a bug and keeps its trace. */
export async function command(main) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`\nerror: ${error.message}`)
    process.exitCode = 1
  }
}
