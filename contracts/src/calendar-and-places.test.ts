import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketBounds, durationBucket } from './events/duration-bucket.ts'
import { decodeEnvelope, encodeEnvelope } from './events/envelope.ts'
import { laneOf } from './lane.ts'
import { pageOf } from './stages/page-url.ts'
import { timeZone } from './time-zone.ts'

const HOUR_MS = 3_600_000

describe('time zone', () => {
  it.each([
    ['2026-03-29', 23],
    ['2026-10-25', 25],
    ['2026-07-01', 24],
  ])('has on %s in Berlin a day of %i hours', (date, hours) => {
    const zone = timeZone('Europe/Berlin')
    const start = zone.startOf(date)
    expect(zone.hourOf(start + hours * HOUR_MS - 1)).toBe(hours - 1)
    expect(zone.dateOf(start + hours * HOUR_MS - 1)).toBe(date)
    expect(zone.dateOf(start + hours * HOUR_MS)).not.toBe(date)
    expect(zone.dateOf(start - 1)).not.toBe(date)
  })
  it('starts a date in Kathmandu at 18:15 UTC', () => {
    expect(timeZone('Asia/Kathmandu').startOf('2026-01-02')).toBe(Date.parse('2026-01-01T18:15:00Z'))
  })
})

it('puts every duration into the bucket whose bounds contain it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 366 * 24 * HOUR_MS }), (ms) => {
      const { from_ms, to_ms } = bucketBounds(durationBucket(ms))
      // buckets 1..3 contain no whole ms, so 1 ms is at the end of bucket 0
      return from_ms <= ms && (ms < to_ms || ms === 1)
    }),
  )
})

it.each([
  ['https://shop.example/products/?b=2&a=1#x', ['b', 'a'], 'shop.example/products?a=1&b=2'],
  ['https://shop.example/', [], 'shop.example/'],
  ['/cart/?x=1', [], '/cart'],
  ['', [], ''],
])('stores the page of %s', (url, keep, page) => expect(pageOf(url, keep)).toBe(page))

it.each([
  ['shop', 'd1', 7],
  ['shop', 'd2', 11],
  ['café', '設備', 4],
])('always assigns %s %s to lane %i of 12', (app, device, lane) => {
  expect(laneOf(app, device, 12)).toBe(lane)
})

it('decodes an encoded envelope', () => {
  const envelope = {
    version: 1,
    app: 'a',
    device_id: 'd',
    received_at: 1,
    context: { device: 'unknown', browser: '', os: '' },
    events: [],
  } as const
  expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope)
})
