// Times a call many times and prints the least and the median. For the programs of this folder.
const wanted = process.argv[2] ?? ''

/** `usual`: how often, where `ROUNDS` does not say; a word on the command line chooses by name. */
export async function measure(name, usual, call) {
  const rounds = Number(process.env.ROUNDS ?? usual)
  if (!name.includes(wanted)) return
  const times = []
  let answer
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    answer = await call()
    times.push((performance.now() - start) * 1000)
  }
  times.sort((a, b) => a - b)
  const us = at => times[at].toFixed(1).padStart(9)
  console.log(name.padEnd(24), 'min', us(0), 'us   p50', us(rounds >> 1), 'us  ', answer?.length ?? answer?.constructor?.name ?? answer)
}
