import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

const module = new URL('./bounded-garbage.ts', import.meta.url).href

/** Returns the largest heap, in MB, of a process that keeps 20 MB and makes much more garbage. */
function heapOf(begin: string): number {
  const code = `
    ${begin}
    const kept = []
    let largest = 0
    for (let at = 0; at < 1_500_000; at++) {
      kept[at % 60_000] = JSON.parse('{"a":[1,2,3],"b":{"c":"dddddddd"},"e":' + at + '}')
      if (at % 20_000 === 0) largest = Math.max(largest, process.memoryUsage().heapTotal)
    }
    console.log(Math.round(largest / 1e6))`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }))
}

it('garbage does not make the heap grow', () => {
  const bounded = heapOf(`import { boundGarbage } from ${JSON.stringify(module)}; boundGarbage()`)
  // the control: V8 as it is
  expect([bounded < 100, heapOf('') > bounded * 1.5]).toEqual([true, true])
}, 120_000)
