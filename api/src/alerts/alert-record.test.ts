import type { Alert, Delivery } from '@hopper/contracts'
import type { AlertRecord } from '@hopper/storage'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { afterAttempt, afterCheck, hasDue, isFiring, withDelivery } from './alert-record.ts'
import type { CheckResult } from './check.ts'

const alert: Alert = {
  id: 'a',
  app: 'shop',
  name: 'A',
  quiet: { minutes: 30 },
  webhook: { url: 'https://hooks.example/' },
  created_at: 0,
  changed_at: 0,
  secret_number: 1,
}
const { quiet: _, ...rest } = alert
const fall: Alert = { ...rest, fall: { funnel: 'checkout' } }
const message = { title: 'T', lines: ['L'], details: {}, page: 'live' }
const write = (): { text: string; body: string } => ({ text: 'text', body: '{}' })
const empty: AlertRecord = { id: 'a', notices: [] }
const result = (check: CheckResult['check'], period?: string): CheckResult => ({
  check,
  detail: 'D',
  ...(check === 'ok' || check === 'firing' ? { message } : {}),
  ...(period === undefined ? {} : { period }),
})

it('a spell without events is reported once, and its end is reported once', () => {
  const checks = ['ok', 'firing', 'firing', 'behind', 'failed', 'firing', 'ok', 'ok', 'firing'] as const
  const seen = checks.reduce((record, check, i) => afterCheck(alert, record, result(check), i, write), empty)
  expect(seen.notices.map(({ id, kind }) => [id, kind])).toEqual([
    ['a-8', 'fired'],
    ['a-recovered-1', 'recovered'],
    ['a-1', 'fired'],
  ])
  expect(isFiring(seen)).toBe(true)
  expect(seen.state).toMatchObject({ check: 'firing', fired_at: 8, recovered_at: 6 })
})

it('a fall is reported once for each period, whatever was checked in between', () => {
  let record = afterCheck(fall, empty, result('firing', 'p1'), 1, write)
  record = afterCheck({ ...fall, changed_at: 2 }, record, result('firing', 'p1'), 3, write)
  expect(record.notices.map(({ id }) => id)).toEqual(['a-p1'])
  record = afterCheck(fall, record, result('firing', 'p2'), 4, write)
  record = afterCheck(fall, record, result('ok', 'p3'), 5, write)
  expect(record.notices.map(({ id }) => id)).toEqual(['a-recovered-1', 'a-p2', 'a-p1'])
  expect(record.decided).toBe('p3 0')
})

it('never reports the same spell or period twice, in any order of checks', () => {
  const check = fc.constantFrom('ok', 'firing', 'few', 'behind', 'failed') as fc.Arbitrary<CheckResult['check']>
  const step = fc.record({ check, period: fc.constantFrom('p1', 'p2', 'p3') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, hasPeriods) => {
      let record = empty
      const ids: string[] = []
      steps
        .sort((a, b) => (a.period < b.period ? -1 : a.period > b.period ? 1 : 0))
        .forEach(({ check, period }, index) => {
          const before = record
          record = afterCheck(
            hasPeriods ? fall : alert,
            record,
            result(check, hasPeriods ? period : undefined),
            index,
            write,
          )
          if (record.notices.length > before.notices.length) ids.push(record.notices[0]!.id)
          expect(record.notices.length - before.notices.length).toBeLessThanOrEqual(1)
        })
      expect(new Set(ids).size).toBe(ids.length)
    }),
  )
})

it('a silenced alert records what happens and sends nothing', () => {
  const silenced = { ...alert, silenced_until: 100 }
  const record = afterCheck(silenced, empty, result('firing'), 99, write)
  expect(record.notices).toEqual([{ id: 'a-99', kind: 'fired', at: 99, title: 'T', silenced: true, deliveries: [] }])
  expect(hasDue(record, 1_000)).toBe(false)
  expect(hasDue(afterCheck(silenced, empty, result('firing'), 100, write), 100)).toBe(true)
})

it('a delivery is tried six times within six hours, and pauses longer each time', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
      let delivery: Delivery = { channel: 'webhook', state: 'pending', attempts: 0, next_at: 0 }
      const pauses: number[] = []
      for (let now = 0; delivery.state === 'pending'; now = delivery.next_at ?? now) {
        delivery = afterAttempt(delivery, { isDelivered: false, fault: 'timeout' }, now, random)
        if (delivery.next_at !== undefined) pauses.push(delivery.next_at - now)
      }
      expect(delivery).toMatchObject({ state: 'failed', attempts: 6, fault: 'timeout' })
      expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
      expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(7 * 3_600_000)
    }),
  )
})

it('the text is kept until no channel needs it, and an outcome is stored with its delivery', () => {
  const both = { ...alert, email: { to: ['a@b.example'] } }
  const record = afterCheck(both, empty, result('firing'), 1, write)
  const [first, second] = record.notices[0]!.deliveries as [Delivery, Delivery]
  const once = withDelivery(record, 'a-1', afterAttempt(first, { isDelivered: true, status: 200 }, 2, 0))
  expect(once.notices[0]).toMatchObject({ text: 'text', body: '{}' })
  const final = afterAttempt(second, { isDelivered: false, fault: 'mail_refused', isFinal: true }, 3, 0)
  expect(withDelivery(once, 'a-1', final).notices).toEqual([
    {
      id: 'a-1',
      kind: 'fired',
      at: 1,
      title: 'T',
      deliveries: [
        { channel: 'webhook', state: 'delivered', attempts: 1, at: 2, status: 200 },
        { channel: 'email', state: 'failed', attempts: 1, at: 3, fault: 'mail_refused' },
      ],
    },
  ])
})

it('keeps the last twenty notices, and older ones that are still to be sent', () => {
  let record = empty
  for (let i = 0; i < 30; i++) record = afterCheck(fall, record, result('firing', `p${i}`), i, write)
  expect(record.notices).toHaveLength(30)
  for (const { id, deliveries } of record.notices)
    record = withDelivery(record, id, afterAttempt(deliveries[0]!, { isDelivered: true }, 50, 0))
  expect(afterCheck(fall, record, result('firing', 'p30'), 60, write).notices).toHaveLength(20)
})
