import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { agentOf } from '../agent.ts'
import { actionOfRules } from '../ingest-rules.ts'
import { SessionArrivals } from '../source/session-arrivals.ts'
import { startOf } from './text-start.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const TEXTS = 60
const TEXT_BYTES = 1_000_000

/** Returns by how many MB the heap has grown after calls with long texts. */
function growthOf(use: (text: string) => unknown): number {
  collect()
  const before = process.memoryUsage().heapUsed
  for (let number = 0; number < TEXTS; number++)
    use(Buffer.from(`Mozilla/5.0 ${number}`.padEnd(TEXT_BYTES, 'x')).toString('latin1'))
  collect()
  return (process.memoryUsage().heapUsed - before) / 1e6
}

it('is what a slice is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 20 }), (text, charsMax) => {
      expect(startOf(text, charsMax)).toBe(text.slice(0, charsMax))
    }),
  )
  expect(startOf('a\ud83d\ude00', 2)).toBe('a\ud83d')
})

it('keeps only its own characters in memory, and so do the caches of what senders say of themselves', () => {
  const kept: string[] = []
  // the control
  expect(growthOf((text) => kept.push(text.slice(0, 512)))).toBeGreaterThan(TEXTS / 2)
  expect(growthOf((text) => kept.push(startOf(text, 512)))).toBeLessThan(TEXTS / 4)
  expect(growthOf((userAgent) => agentOf({ userAgent, server: false, webdriver: false }))).toBeLessThan(TEXTS / 4)
  const app = { bot_rules: [{ kind: 'user_agent_regex' as const, value: '^curl/', action: 'bot' as const }] }
  expect(growthOf((userAgent) => actionOfRules(app, { userAgent, address: undefined }))).toBeLessThan(TEXTS / 4)
  const arrivals = new SessionArrivals()
  let session = 0
  const remember = (text: string): void =>
    arrivals.set('shop', 'd', `s${session++}`, 0, { channel: 'referral', referrer: text.slice(0, 100) })
  expect(growthOf(remember)).toBeLessThan(TEXTS / 4)
  expect(arrivals.get('shop', 'd', 's0', 0)?.referrer).toHaveLength(100)
})
