// `npm run cases -- [parts] [--seed n] [--count n]`: random cases against references, as many as are promised, or as one likes.
//
// Not other tests: `npm test` runs the same ones at smaller counts. What differs is printed with its seed; the same seed runs
// it again.
import { build } from './build.mjs'
import { environment, root } from './environment.mjs'
import { Failure, stream } from './process.mjs'
import { command, ensure } from './step.mjs'
import { BUILD_STEPS, steps } from './steps.mjs'

const PARTS = {
  plans: { about: 'finds, whatever the plan, beside a search from front to back', count: 200_000, native: 'documents_plans::', env: ['HYPHADB_SEED', 'HYPHADB_CASES'] },
  live: { about: 'live results beside fresh ones, after every commit', count: 100_000, native: 'live::what', env: ['HYPHADB_SEED', 'HYPHADB_LIVE_COMMITS'] },
  filters: { about: 'filters and updates beside mingo', count: 20_000, file: 'mingo', env: ['SEED', 'COUNT'] },
  pipelines: { about: 'pipelines beside mingo', count: 20_000, file: 'aggregate_differential', env: ['SEED', 'PIPELINES'] },
}

const usage = `usage: npm run cases -- [${Object.keys(PARTS).join(' | ')}] [--seed n] [--count n]`

command(async args => {
  const [names, given] = [[], {}]
  while (args.length) {
    const word = args.shift()
    if (word in PARTS) names.push(word)
    else if (['--seed', '--count'].includes(word) && /^\d+$/.test(args[0])) given[word.slice(2)] = args.shift()
    else throw new Failure(`\`${word}\` is not known`, usage)
  }
  for (const [name, part] of Object.entries(PARTS).filter(([name]) => !names.length || names.includes(name))) {
    const count = given.count ?? String(part.count)
    console.log(`${name}: ${count} ${part.about}`)
    const env = environment()
    if (given.seed) env[part.env[0]] = given.seed
    env[part.env[1]] = count
    let code
    if (part.native) {
      await ensure(steps, ['rust'])
      code = await stream('cargo', ['test', '--quiet', '--features', 'simulation', '--test', 'native', '--', part.native, '--nocapture'], { cwd: root, env, deadlineMs: 0 })
    } else {
      await ensure(steps, BUILD_STEPS)
      await build()
      code = await stream(process.execPath, ['--test', '--test-reporter=spec', `tests/js/${part.file}.test.mjs`], { cwd: root, env, deadlineMs: 0 })
    }
    if (code !== 0) return code
  }
  return 0
})
