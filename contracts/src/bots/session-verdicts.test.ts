import fc from 'fast-check'
import { expect, it } from 'vitest'
import { limits } from '../limits.ts'
import { SESSION_REACH_MS, SessionVerdict, type SessionEvent } from './session-verdicts.ts'

const HOUR_MS = 3_600_000
const own = fc.constantFrom<SessionEvent['own'][]>(
  undefined,
  undefined,
  undefined,
  'human',
  'webdriver',
  'app_rule',
  'headless',
)
const event: fc.Arbitrary<SessionEvent> = fc.record({
  timestamp: fc.nat(72).map((hour) => hour * HOUR_MS),
  own,
  isAction: fc.boolean(),
})

/** As the documentation says it. */
function naive(events: readonly SessionEvent[], timestamp: number): unknown {
  const near = events
    .filter((other) => Math.abs(other.timestamp - timestamp) <= SESSION_REACH_MS)
    .map((other) => other.own)
  if (near.includes('human')) return undefined
  return (['app_rule', 'webdriver', 'headless'] as const).find((reason) => near.includes(reason))
}

it('follows from the events at most a day away, in any order of arrival', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.array(fc.nat()), (events, picks) => {
      const shuffled = [...events]
      for (const [index, pick] of picks.entries()) {
        const [a, b] = [index % (shuffled.length || 1), pick % (shuffled.length || 1)]
        if (shuffled.length > 0) [shuffled[a], shuffled[b]] = [shuffled[b]!, shuffled[a]!]
      }
      const [verdict, other] = [new SessionVerdict(events), new SessionVerdict(shuffled)]
      for (let timestamp = 0; timestamp <= 72 * HOUR_MS; timestamp += HOUR_MS / 2) {
        expect(verdict.at(timestamp)).toBe(naive(events, timestamp))
        expect(other.at(timestamp)).toBe(verdict.at(timestamp))
      }
    }),
  )
})

it.each([
  [limits.actionsPerMinuteMax, 1, undefined],
  [limits.actionsPerMinuteMax + 1, 1, 'rate'],
  [limits.actionsPerMinuteMax + 1, 59, 'rate'],
  [limits.actionsPerMinuteMax + 1, 60, undefined],
])('of %i actions every %i ms is %s', (number, everyMs, expected) => {
  const events = Array.from({ length: number }, (_, index) => ({
    timestamp: index * everyMs,
    own: undefined,
    isAction: true,
  }))
  expect(new SessionVerdict(events).at(0)).toBe(expected)
  expect(new SessionVerdict(events.map((each) => ({ ...each, isAction: false }))).at(0)).toBeUndefined()
  const allowed = [...events, { timestamp: 0, own: 'human' as const, isAction: false }]
  expect(new SessionVerdict(allowed).at(0)).toBeUndefined()
})
