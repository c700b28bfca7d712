import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forecastDisk, usedBytes, withMeasurement, type DiskRecord, type DiskUse } from './disk.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const useOf = (used: number, free?: number): DiskUse => ({
  parts: [
    { part: 'log', bytes: Math.floor(used / 2) },
    { part: 'tables', bytes: Math.ceil(used / 2) },
  ],
  ...(free === undefined ? {} : { free, size: 1e12 }),
})

/** Measures every ten minutes for some time; `used` and `free` by the hours since the begin. */
function measured(hours: number, used: (hour: number) => number, free?: (hour: number) => number): DiskRecord {
  let record: DiskRecord | undefined
  for (let start = 0; start <= hours * HOUR_MS; start += HOUR_MS / 6) {
    const hour = start / HOUR_MS
    record = withMeasurement(
      record,
      'data',
      useOf(Math.round(used(hour)), free && Math.round(free(hour))),
      1e12 + start,
    )
  }
  return record!
}

describe('the forecast of a disk', () => {
  it('is the free bytes at the rate of the last week, for any steady growth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 800 }), fc.integer({ min: 1, max: 1_000 }), (hours, mbPerHour) => {
        const grown = (hour: number): number => 1e9 + hour * mbPerHour * 1e6
        const { bytesPerDay, fullInMs } = forecastDisk(measured(hours, grown, (hour) => 9e11 - grown(hour)))
        expect(bytesPerDay! / (24e6 * mbPerHour)).toBeCloseTo(1, 6)
        expect(fullInMs! / (((9e11 - grown(hours)) / (mbPerHour * 1e6)) * HOUR_MS)).toBeCloseTo(1, 6)
      }),
      { numRuns: 30 },
    )
  })

  it('includes the growth by other writers on the same disk', () => {
    const { bytesPerDay } = forecastDisk(
      measured(
        48,
        () => 1e9,
        (hour) => 1e11 - hour * 1e9,
      ),
    )
    expect(bytesPerDay).toBeCloseTo(24e9, -3)
  })

  it('claims nothing in the first hour, nor where free room is not known or nothing grows', () => {
    expect(
      forecastDisk(
        measured(
          0.5,
          () => 1e9,
          () => 1e9,
        ),
      ),
    ).toMatchObject({ bytesPerDay: null, fullInMs: null })
    expect(forecastDisk(measured(30, (hour) => hour * 1e9))).toMatchObject({ fullInMs: null, isLow: false })
    expect(
      forecastDisk(
        measured(
          30,
          (hour) => 1e9 - hour,
          () => 5e11,
        ),
      ),
    ).toEqual({
      bytesPerDay: 0,
      fullInMs: null,
      isLow: false,
    })
  })

  it('needs attention when little is free, or when it is full within a week by the growth of a day', () => {
    expect(
      forecastDisk(
        measured(
          0,
          () => 1e9,
          () => 4.9e10,
        ),
      ).isLow,
    ).toBe(true)
    const fast = [(hour: number): number => hour * 1e9, (hour: number): number => 1.2e11 - hour * 1e9] as const
    expect(forecastDisk(measured(23, ...fast)).isLow).toBe(false)
    expect(forecastDisk(measured(25, ...fast)).isLow).toBe(true)
  })

  it('keeps a sample of each hour for two weeks, and begins again when the clock was set back', () => {
    const record = measured(1_000, (hour) => hour)
    expect(record.samples).toHaveLength(14 * 24)
    expect(record.samples.every(({ at }, n) => n === 0 || at - record.samples[n - 1]!.at >= HOUR_MS)).toBe(true)
    const back = withMeasurement(record, 'data', useOf(1), record.samples[0]!.at - DAY_MS)
    expect([back.samples.length, usedBytes(back)]).toEqual([1, 1])
  })
})
