import type { AuditRun, Disk, Status } from '@hopper/contracts'
import { describe, expect, it } from 'vitest'
import { verdictOf, type Verdict } from './verdict.ts'

const NOW = Date.parse('2026-03-30T15:03:20Z')
const DAY = 86_400

const status: Status = {
  version: '1',
  mode: 'standalone',
  started_at: 0,
  complete_to: NOW,
  events_per_second: 1,
  lag: { messages: 0, events: 0, seconds: 0, remaining_seconds: 0 },
  fates: [],
  lanes: [{ lane: 0, next: 5, done: 5, lag: 0 }],
  dead_letters: 0,
  engines: [{ name: 'sqlite', healthy: true }],
}
const place: Disk['places'][number] = {
  place: 'data',
  measured_at: NOW,
  parts: [],
  used_bytes: 112e6,
  free_bytes: 38e9,
  size_bytes: 50e9,
  bytes_per_day: 1,
  full_in_seconds: 3 * 365.25 * DAY,
  is_low: false,
  samples: [],
}
const audit: AuditRun = {
  id: 'a',
  state: 'finished',
  started_at: NOW - 5 * 3_600_000,
  started_by: 'Ann',
  finished_at: NOW - 4 * 3_600_000,
  lane: 8,
  lanes: 8,
  partitions: 1_284,
  differing_partitions: 0,
  differing: 0,
  repaired: 0,
  skipped: 0,
}

function verdict(more: Partial<Status> = {}, disk: Partial<typeof place> = {}, audits: AuditRun[] = [audit]): Verdict {
  const clock = (at: number): string => new Date(at).toISOString().slice(11, 19)
  return verdictOf({
    status: { ...status, ...more },
    disk: { places: [{ ...place, ...disk }] },
    audits,
    now: NOW,
    clock,
  })
}

describe('the sentence of the system', () => {
  it('says that all is well, how full the disk is, and what the last audit found', () => {
    const { level, problems, facts } = verdict()
    expect([level, problems]).toEqual(['healthy', []])
    expect(facts.join(' ')).toBe(
      'All events received until 15:03:20 are counted. 112.0 MB used, 38.0 GB free: full in 3 years at this rate. ' +
        'Last audit 4 h ago: 0 of 1,284 partitions differ.',
    )
  })

  it('is behind without needing attention while events are counted, and needs it when they are not', () => {
    const lag = { messages: 9, events: 1_312, seconds: 70.4, remaining_seconds: 12 }
    expect(verdict({ lag })).toMatchObject({ level: 'behind', problems: [] })
    expect(verdict({ lag }).facts[0]).toBe('1,312 events wait to be counted, the oldest for 1 min 10 s.')
    expect(verdict({ lag: { ...lag, remaining_seconds: null } }).level).toBe('attention')
    expect(verdict({ lag: { ...lag, seconds: 10, remaining_seconds: null } }).level).toBe('behind')
    expect(verdict({ lag: { ...lag, seconds: 2 } }).level).toBe('healthy')
  })

  it('needs attention for an engine, a lost log, a full disk, drift, and dead letters', () => {
    for (const [found, text] of [
      [
        verdict({ engines: [{ name: 'kafka', healthy: false, detail: 'no broker' }] }),
        'kafka is not healthy: no broker.',
      ],
      [verdict({ lanes: [{ lane: 3, next: 9, done: 1, lag: 8, lost: { first: 1, next: 6 } }] }), 'Lane 3 is stopped'],
      [verdict({}, { is_low: true, full_in_seconds: 2 * DAY }), 'nearly full: 38.0 GB free, full in 2 days.'],
      [verdict({}, {}, [{ ...audit, differing: 12, repaired: 2 }]), '10 rows that differ'],
      [verdict({ dead_letters: 1 }), 'One message could not be counted'],
    ] as const) {
      expect(found.level).toBe('attention')
      expect(found.problems).toEqual([expect.stringContaining(text)])
    }
  })

  it('distinguishes repaired drift, a running audit, and an interrupted one', () => {
    expect(verdict({}, {}, [{ ...audit, differing: 2, repaired: 2, differing_partitions: 1 }]).level).toBe('healthy')
    const drift = { ...audit, differing: 7 }
    const ofPart = { ...audit, app: 'blog' }
    expect(verdict({}, {}, [ofPart, drift]).problems).toEqual([expect.stringContaining('7 rows that differ')])
    expect(verdict({}, {}, [ofPart, audit, drift]).problems).toEqual([])
    const under = [
      { ...audit, state: 'running' as const },
      { ...audit, state: 'interrupted' as const },
    ]
    expect(verdict({}, {}, [...under, audit]).facts[2]).toContain('Last audit 4 h ago')
    expect(verdict({}, {}, under).facts[2]).toBe('No audit has run yet.')
  })

  it('names the facts that are not known', () => {
    expect(verdict({ complete_to: null }).facts[0]).toBe('It is not known how far counting is.')
    expect(verdict({}, { bytes_per_day: null }).facts[1]).toContain('the forecast needs an hour of measurements')
    expect(verdict({}, { full_in_seconds: null }).facts[1]).toContain('38.0 GB free: not growing.')
    expect(verdict({}, { free_bytes: null }).facts[1]).toBe('112.0 MB used; how much is free is not known.')
  })
})
