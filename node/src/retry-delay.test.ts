import { expect, it } from 'vitest'
import { readRetryAfter, retryDelay } from './retry-delay.ts'

const backoff = { retryBaseMs: 500, retryMaxMs: 30_000 }

it('doubles the bound of the pause with each failure, up to a maximum', () => {
  const bounds = Array.from({ length: 9 }, (_, failures) => retryDelay(failures + 1, backoff, () => 1))
  expect(bounds).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  expect(retryDelay(10_000, backoff, () => 1)).toBe(30_000)
})

it('takes the whole range below the bound', () => {
  expect([0, 0.25, 0.5].map((random) => retryDelay(2, backoff, () => random))).toEqual([0, 250, 500])
})

it('reads Retry-After as seconds or as a date, at most an hour', () => {
  const now = Date.parse('2026-01-31T12:00:00Z')
  const delayOf = (header: string | null): number | undefined => readRetryAfter(header, now)
  expect(['7', ' 0 ', '86400'].map(delayOf)).toEqual([7_000, 0, 3_600_000])
  expect(['Sat, 31 Jan 2026 12:00:30 GMT', 'Sat, 31 Jan 2026 11:00:00 GMT'].map(delayOf)).toEqual([30_000, 0])
  expect([null, '', 'soon'].map(delayOf)).toEqual([undefined, undefined, undefined])
})
