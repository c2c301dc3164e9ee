// `npm start`: sets up what a build needs, builds the package and serves the demo page.
// What follows `--` goes to the server (www/serve.mjs), but for `--dev`, which makes the build a quick one.
import { environment, inProject, root } from './environment.mjs'
import { build } from './build.mjs'
import { stream } from './process.mjs'
import { command, ensure } from './step.mjs'
import { BUILD_STEPS, steps } from './steps.mjs'

command(async args => {
  await ensure(steps, BUILD_STEPS)
  await build({ mode: args.includes('--dev') ? 'dev' : 'release', slim: false })
  const rest = args.filter(arg => arg !== '--dev')
  return stream(process.execPath, [inProject('www/serve.mjs'), ...rest], {
    cwd: root,
    env: environment(),
    deadlineMs: 0,
  })
})
