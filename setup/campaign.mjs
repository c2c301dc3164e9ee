// `npm run campaign -- [--seed n] [--minutes n]`: the simulator for as long as one likes, on the host.
import { environment, root } from './environment.mjs'
import { stream } from './process.mjs'
import { command, ensure } from './step.mjs'
import { steps } from './steps.mjs'

command(async args => {
  await ensure(steps, ['rust'])
  const run = ['run', '--quiet', '--profile', 'sim', '--features', 'simulation', '--example', 'campaign', '--', ...args]
  return stream('cargo', run, { cwd: root, env: environment(), deadlineMs: 0 })
})
