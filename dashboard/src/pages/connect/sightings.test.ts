import { expect, it } from 'vitest'
import type { Refusal } from '@hopper/contracts'
import { recentFates, recentRefusals } from './sightings.ts'

const NOW = Date.parse('2026-03-30T00:05:00Z')
const refusal = (more: Partial<Refusal>): Refusal => ({
  date: '2026-03-30',
  code: 'HOP_KEY_UNKNOWN',
  app: null,
  origin: 'https://a.example',
  key_hint: 'Wxyz',
  requests: 1,
  last_at: NOW,
  ...more,
})

it('shows refusals of the app or of no app in the last 24 hours, added up across midnight', () => {
  const rows = [
    refusal({}),
    refusal({ date: '2026-03-29', requests: 4, last_at: NOW - 3_600_000 }),
    refusal({ date: '2026-03-29', origin: 'https://old.example', last_at: NOW - 86_400_001 }),
    refusal({ code: 'HOP_ORIGIN', app: 'mine', key_hint: null, last_at: NOW + 1 }),
    refusal({ code: 'HOP_ORIGIN', app: 'other', key_hint: null }),
  ]
  expect(recentRefusals(rows, 'mine', NOW).map(({ code, requests }) => [code, requests])).toEqual([
    ['HOP_ORIGIN', 1],
    ['HOP_KEY_UNKNOWN', 5],
  ])
})

it('no more refusals are listed than can be read', () => {
  const rows = Array.from({ length: 40 }, (_, n) => refusal({ origin: `https://a${n}.example` }))
  expect(recentRefusals(rows, 'mine', NOW)).toHaveLength(5)
})

it('robots and rejected events of yesterday and today are added up by reason', () => {
  const row = (date: string, fate: string, reason: string, events: number): object => ({ date, fate, reason, events })
  const rows = [
    row('2026-03-28', 'bot', 'headless', 7),
    row('2026-03-29', 'bot', 'headless', 2),
    row('2026-03-30', 'bot', 'headless', 4),
    row('2026-03-30', 'rejected', 'too_old', 9),
    row('2026-03-30', 'accepted', 'new', 5),
    row('2026-03-30', 'bot', 'rate', 0),
  ] as Parameters<typeof recentFates>[0]['rows']
  expect(recentFates({ from: '2026-03-01', to: '2026-03-30', rows })).toEqual([
    { fate: 'rejected', reason: 'too_old', events: 9 },
    { fate: 'bot', reason: 'headless', events: 6 },
  ])
})
