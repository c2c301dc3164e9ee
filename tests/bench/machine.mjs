// The machine that a run happens on: what it is, and how busy it is with other things.
import { cpus, loadavg, release, totalmem } from 'node:os'

/** Processes that ran or wanted to, on average of the last minute. */
export const load = () => Math.round(loadavg()[0] * 100) / 100

export function machine() {
  const [first] = cpus()
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
  }
}
