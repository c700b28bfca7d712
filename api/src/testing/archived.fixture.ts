import type { ArchivedEvent } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import type { Storage } from '@hopper/storage'

/** A short description of an archived event, for tests. */
export interface Sketch {
  readonly device: string
  /** the user in effect */
  readonly user?: string
  /** ms since the epoch */
  readonly time: number
  readonly data: Readonly<Record<string, string | number | boolean>>
  readonly bot?: boolean
  /** name of the event; default: test */
  readonly name?: string
  /** an identify of `user`, with `data` as traits, instead of a custom event */
  readonly identify?: boolean
}

/** Builds the event of a sketch at its position in the lane. */
export function archivedEvent(
  { device, user = '', time, data, bot, name, identify }: Sketch,
  position: number,
): ArchivedEvent {
  const base = { event_id: `${device}-${position}`, timestamp: time, seq: 0, data: { ...data } }
  return {
    event: identify
      ? { ...base, type: 'identify', user_id: user }
      : { ...base, type: 'custom', name: name ?? 'test', ...(user === '' ? {} : { user_id: user }) },
    device_id: device,
    user,
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux', ...(bot ? { bot: 'webdriver' as const } : {}) },
    received_at: time,
    position,
    index: 0,
  }
}

/** Appends one span to a lane's archive, its positions from `first` on. */
export async function archiveSketches(
  storage: Storage,
  app: string,
  lane: number,
  date: string,
  first: number,
  sketches: readonly Sketch[],
): Promise<void> {
  const lease = await storage.lanes.acquire(lane, 'test')
  const rows = sketches.map((sketch, i) => archivedEvent(sketch, first + i))
  await storage.archive!.append(
    lease,
    encodeChunks(rows, { app, date, lane, first_position: first, last_position: first + rows.length - 1 }),
  )
  await storage.lanes.release(lease)
}
