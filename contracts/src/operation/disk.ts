import { Type, type Static } from 'typebox'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Parts of an installation that take disk. */
export const diskParts = ['log', 'archive', 'tables', 'registry', 'spool', 'unused', 'set_aside', 'other'] as const
export type DiskPart = (typeof diskParts)[number]

/** Bytes in use in a place on a disk, by part. */
export interface DiskUse {
  readonly parts: readonly { readonly part: DiskPart; readonly bytes: number }[]
  /** free for Hopper, and the size of the whole disk; missing where an engine does not report it */
  readonly free?: number
  readonly size?: number
}

/** Use of a place at an instant; a sample of each hour is kept. */
export interface DiskSample {
  readonly at: number
  readonly used: number
  /** missing where it is not known */
  readonly free?: number
}

/** The last measurement of a place, and samples of the days before. Written by one process at a time. */
export interface DiskRecord extends DiskUse {
  readonly place: string
  readonly measured_at: number
  /** the oldest first */
  readonly samples: readonly DiskSample[]
}

/** Samples that are kept: one an hour for two weeks. */
const SAMPLE_INTERVAL_MS = HOUR_MS
const SAMPLES_MAX = 14 * 24
/** Growth is taken over the last week, or the time since the first sample. */
const GROWTH_MS = 7 * DAY_MS
/** With less time between two samples, no growth is computed. */
const GROWTH_MS_MIN = HOUR_MS
/** With less time no alarm is raised: a first import would look like the growth of every day. */
const ALARM_MS_MIN = DAY_MS
/** A place that was not measured for this long belongs to a process that is gone. */
export const PLACE_KEPT_MS = 7 * DAY_MS
export const PLACES_MAX = 100
/** Less than this share of the disk, or a forecast below this time, needs attention. */
export const DISK_FREE_SHARE_MIN = 0.05
export const DISK_FULL_MS_MIN = 7 * DAY_MS

/** Returns the record of a place after a measurement; keeps a sample of each hour. */
export function withMeasurement(before: DiskRecord | undefined, place: string, use: DiskUse, now: number): DiskRecord {
  const samples = before?.samples ?? []
  const last = samples.at(-1)
  const isDue = last === undefined || now - last.at >= SAMPLE_INTERVAL_MS || now < last.at
  const sample = { at: now, used: usedBytes(use), ...(use.free === undefined ? {} : { free: use.free }) }
  // a clock that was set back makes later samples useless
  const kept = samples.filter(({ at }) => at < now)
  return { ...use, place, measured_at: now, samples: (isDue ? [...kept, sample] : kept).slice(-SAMPLES_MAX) }
}

/** Returns the bytes of all parts together. */
export function usedBytes({ parts }: Pick<DiskUse, 'parts'>): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0)
}

export interface DiskForecast {
  /** rate at which room is used up, by Hopper or by others; null: not known yet */
  readonly bytesPerDay: number | null
  /** until the disk is full; null: not known, or not at this rate */
  readonly fullInMs: number | null
  /** true: needs attention */
  readonly isLow: boolean
}

/**
 * Forecasts when a disk is full: the free bytes divided by the larger of two rates since the first sample of the last
 * week, that at which Hopper's files grow and that at which the free room shrinks.
 */
export function forecastDisk(record: DiskRecord): DiskForecast {
  const { free, size, measured_at: now, samples } = record
  const isScarce = free !== undefined && size !== undefined && size > 0 && free < size * DISK_FREE_SHARE_MIN
  const first = samples.find(({ at }) => now - at <= GROWTH_MS)
  const spanMs = first === undefined ? 0 : now - first.at
  if (first === undefined || spanMs < GROWTH_MS_MIN) return { bytesPerDay: null, fullInMs: null, isLow: isScarce }
  const shrunk = first.free === undefined || free === undefined ? 0 : first.free - free
  const bytesPerDay = (Math.max(usedBytes(record) - first.used, shrunk, 0) * DAY_MS) / spanMs
  const fullInMs = free === undefined || bytesPerDay === 0 ? null : (free / bytesPerDay) * DAY_MS
  const isSoon = fullInMs !== null && fullInMs < DISK_FULL_MS_MIN && spanMs >= ALARM_MS_MIN
  return { bytesPerDay, fullInMs, isLow: isScarce || isSoon }
}

const bytes = Type.Integer({ minimum: 0 })
const maybeBytes = Type.Union([bytes, Type.Null()], { description: 'null: not known' })

export const DiskPlace = Type.Object({
  place: Type.String({
    description: '`data`: the data directory; `ingest HOST:PORT`: the spool of a process; `cassandra`',
  }),
  measured_at: Type.Integer(),
  parts: Type.Array(Type.Object({ part: Type.Enum([...diskParts]), bytes })),
  used_bytes: bytes,
  free_bytes: maybeBytes,
  size_bytes: maybeBytes,
  bytes_per_day: Type.Union([Type.Number(), Type.Null()], {
    description: 'how fast room is used up, since the first sample of the last week; null: measured for too short',
  }),
  full_in_seconds: Type.Union([Type.Number(), Type.Null()], {
    description: 'free_bytes / bytes_per_day; null: not known, or not at this rate',
  }),
  is_low: Type.Boolean({
    description: 'less than 5 % is free, or it is full within 7 days by the growth of at least a day',
  }),
  samples: Type.Array(Type.Object({ at: Type.Integer(), used_bytes: bytes, free_bytes: maybeBytes }), {
    description: 'one an hour, of the last two weeks',
  }),
})
export type DiskPlace = Static<typeof DiskPlace>

/** `GET /api/v1/disk`. */
export const Disk = Type.Object({ places: Type.Array(DiskPlace) })
export type Disk = Static<typeof Disk>

/** Returns a place as callers see it. */
export function diskPlaceView(record: DiskRecord): DiskPlace {
  const { bytesPerDay, fullInMs, isLow } = forecastDisk(record)
  return {
    place: record.place,
    measured_at: record.measured_at,
    parts: record.parts.map(({ part, bytes }) => ({ part, bytes })),
    used_bytes: usedBytes(record),
    free_bytes: record.free ?? null,
    size_bytes: record.size ?? null,
    bytes_per_day: bytesPerDay,
    full_in_seconds: fullInMs === null ? null : fullInMs / 1_000,
    is_low: isLow,
    samples: record.samples.map(({ at, used, free }) => ({ at, used_bytes: used, free_bytes: free ?? null })),
  }
}
