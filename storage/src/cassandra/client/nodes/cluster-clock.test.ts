import type { Client } from 'cassandra-driver'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ClusterClock, type ClockLogger } from './cluster-clock.ts'

const DAY_MS = 86_400_000

/** Returns the timestamp of the next write, microseconds since the epoch. */
const next = (clock: ClusterClock): number => Number(clock.next({} as Client))

it('timestamps only grow, whatever times the nodes report', () => {
  const measurement = fc.record({ shift: fc.integer({ min: -DAY_MS, max: DAY_MS }), roundTrip: fc.nat(900) })
  fc.assert(
    fc.property(fc.array(measurement), (measurements) => {
      const clock = new ClusterClock()
      let last = 0
      for (const { shift, roundTrip } of measurements) {
        const now = performance.now()
        clock.recordTime(Date.now() + shift, now - roundTrip, now)
        const timestamp = next(clock)
        expect(timestamp).toBeGreaterThan(last)
        last = timestamp
      }
    }),
  )
})

it('the driver sends no timestamp before a node has reported its time', () => {
  expect(new ClusterClock().next({} as Client)).toBeNull()
})

it('timestamps follow the cluster, not the time of day of this machine', () => {
  const clock = new ClusterClock()
  const now = performance.now()
  clock.recordTime(Date.now() + DAY_MS, now - 2, now)
  expect(Math.abs(next(clock) / 1_000 - Date.now() - DAY_MS)).toBeLessThan(1_000)
})

it('a slow answer does not replace a precise one', () => {
  const clock = new ClusterClock()
  const now = performance.now()
  clock.recordTime(Date.now(), now - 2, now)
  clock.recordTime(Date.now() + DAY_MS, now - 800, now)
  expect(Math.abs(next(clock) / 1_000 - Date.now())).toBeLessThan(1_000)
})

it('a clock that differs is reported once, and once when it agrees again', () => {
  const lines: string[] = []
  const add = (details: object, message: string): unknown => lines.push(`${JSON.stringify(details)} ${message}`)
  const clock = new ClusterClock({ warn: add, info: add } satisfies ClockLogger)
  for (const shift of [0, DAY_MS, DAY_MS, 0, 4_000]) {
    const now = performance.now()
    clock.recordTime(Date.now() + shift, now - 1, now)
  }
  expect(lines).toEqual([
    '{"seconds":-86400} the clock of this machine and that of Cassandra differ; one of them is wrong',
    '{} the clock of this machine and that of Cassandra agree again',
  ])
})
