import { expect } from 'vitest'
import type { Cluster } from '../cluster.ts'
import { groundTruth, type GroundTruth } from '../ground-truth.ts'
import { counted } from '../product.ts'
import { randomTraffic } from '../random-traffic.ts'
import { datesAround, readArchive, readTables, sorted, type ArchivedEvents, type StoredRows } from '../stored.ts'
import { app, keys, timezone } from './app.ts'
import { Sending } from './sending.ts'

const COUNTED_MS = 90_000

export interface Load {
  readonly devices: number
  readonly eventsPerDevice: number
  readonly perSecond: number
  readonly seed: number
}

/** What was sent through a fault, and what is stored after it. */
export interface Endured {
  readonly truth: GroundTruth
  readonly found: StoredRows
  /** undefined where the storage keeps no archive */
  readonly archived: ArchivedEvents | undefined
  readonly ids: ReadonlySet<string>
  readonly sending: Sending
  readonly deadLetters: number
}

/** Sends a load through a cluster that runs, while `faults` happen to it; answers when all of it is counted and every process has ended. */
export async function endure(product: Cluster, load: Load, faults: (sending: Sending) => Promise<void>): Promise<Endured> {
  const now = Date.now()
  const traffic = randomTraffic({ ...load, now })
  const sending = new Sending(product.ingestUrl, traffic, load.perSecond, load.seed)
  await Promise.all([faults(sending), sending.done])
  await counted(product, keys.read, COUNTED_MS)
  expect(await product.stop('SIGTERM')).toBe(0)
  const storage = await product.openStorage()
  try {
    return {
      truth: groundTruth(traffic, timezone, now),
      found: await readTables(storage.reader, app, datesAround(now)),
      archived: storage.archive && (await readArchive(storage.archive, app)),
      ids: new Set(traffic.flat().flatMap(({ events }) => events.map(({ event_id }) => event_id))),
      sending,
      deadLetters: await storage.reader.deadLetters(),
    }
  } finally {
    await storage.close()
  }
}

/** Nothing acknowledged is lost, nothing counts twice, in no table and not in the archive. */
export function expectExact({ truth, found, archived, ids, sending }: Endured): void {
  expect(sorted(found.counters)).toEqual(sorted(truth.counters))
  expect(sorted(found.persons)).toEqual(sorted(truth.persons))
  expect(sorted(found.devices)).toEqual(sorted(truth.devices))
  expect({ accepted: found.fates.get('accepted'), late: found.fates.get('late'), bot: found.fates.get('bot') }).toEqual(truth.fates)
  expect(found.fates.get('rejected')).toBeUndefined()
  // What was taken but whose answer was lost is sent again too.
  expect(found.fates.get('duplicate') ?? 0).toBeGreaterThanOrEqual(sending.repeatedEvents)
  if (!archived) return
  expect([...archived.times.keys()].sort()).toEqual([...ids].sort())
  expect([...archived.times].filter(([, times]) => times !== 1)).toEqual([])
  expect(archived.bots).toBe(truth.fates.bot)
}

/** Counter rows that say more than was sent. */
export function countedTwice({ truth, found }: Endured): number {
  return sorted(found.counters).filter(([row, values]) => values.some((value, at) => value > (truth.counters.get(row)?.[at] ?? 0))).length
}
