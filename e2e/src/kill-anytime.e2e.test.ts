import { counterTables } from '@hopper/storage'
import { afterEach, expect, it } from 'vitest'
import { sendUntilAcknowledged } from './traffic/send-until-acknowledged.ts'
import { groundTruth, type GroundTruth } from './traffic/ground-truth.ts'
import { whenCounted, type Installation } from './installations/installation.ts'
import { mulberry32, randomTraffic, type RandomRequest } from './traffic/random-traffic.ts'
import {
  datesAround,
  readArchive,
  readTables,
  sorted,
  type ArchivedEvents,
  type StoredRows,
} from './traffic/stored-rows.ts'
import { forEachInstallation, type OpenInstallation } from './installations/for-each-installation.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const timezone = 'Asia/Kathmandu'
const keys = { write: 'hw_kill_0123456789abcdef', read: 'hr_kill_0123456789abcdef' }
const provision = {
  organizations: [
    { id: 'o', name: 'O', apps: [{ id: 'kill', name: 'Kill', timezone, write_key: keys.write, read_key: keys.read }] },
  ],
}
const KILLS = repetitions(12)
const SENDERS = 16
let installation: Installation
afterEach(() => installation?.dispose())

/**
 * Sends the traffic with random repetitions, and kills one process after the other, each time a share of it has been
 * sent.
 */
async function sendAndKill(
  traffic: readonly (readonly RandomRequest[])[],
  kills: number,
  seed: number,
): Promise<number> {
  const random = mulberry32(seed)
  const total = traffic.reduce((sum, requests) => sum + requests.length, 0)
  const queue = traffic.map((requests) => [...requests])
  let sent = 0
  let killed = 0
  let repeated = 0
  let restarting: Promise<void> | undefined
  const kill = async (): Promise<void> => {
    const service = installation.services[killed++ % installation.services.length]!
    await service.stop('SIGKILL')
    await service.start()
    restarting = undefined
  }
  const sender = async (): Promise<void> => {
    for (let requests = queue.shift(); requests; requests = queue.shift()) {
      for (const request of requests) {
        await sendUntilAcknowledged(installation.ingestUrl, keys.write, request)
        sent++
        if (random() < 0.15) {
          await sendUntilAcknowledged(installation.ingestUrl, keys.write, request)
          repeated += request.events.length
        }
        if (killed < kills && sent >= ((killed + 0.3 + 0.6 * random()) * total) / kills) {
          // In a cluster the others continue meanwhile; the next kill must not come after the last request.
          await restarting
          if (killed < kills) restarting ??= kill()
        }
      }
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
  await restarting
  expect(killed).toBe(kills)
  return repeated
}

interface Run {
  truth: GroundTruth
  found: StoredRows
  /** undefined where the storage has no archive */
  archived: ArchivedEvents | undefined
  /** the ids of all events sent */
  ids: ReadonlySet<string>
  repeated: number
}

async function run(
  open: OpenInstallation,
  options: { devices: number; eventsPerDevice: number; kills: number; seed: number; env?: Record<string, string> },
): Promise<Run> {
  const now = Date.now()
  const traffic = randomTraffic({ ...options, now })
  const truth = groundTruth(traffic, timezone, now)
  installation = await open({ provision, env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false', ...options.env } })
  await installation.start()
  const repeated = await sendAndKill(traffic, options.kills, options.seed)
  await whenCounted(installation, keys.read)
  expect(await installation.stop('SIGTERM')).toEqual([])
  const storage = await installation.openStorage()
  try {
    const ids = new Set(traffic.flat().flatMap(({ events }) => events.map(({ event_id }) => event_id)))
    return {
      truth,
      found: await readTables(storage.reader, 'kill', datesAround(now)),
      archived: storage.archive && (await readArchive(storage.archive, 'kill')),
      ids,
      repeated,
    }
  } finally {
    await storage.close()
  }
}

forEachInstallation((open) => {
  it('counts and archives 20,000 events exactly, with kills of each process and repeated batches', async () => {
    const { truth, found, archived, ids, repeated } = await run(open, {
      devices: 500,
      eventsPerDevice: 40,
      kills: KILLS,
      seed: 20_261_121,
    })
    expect(sorted(found.counters)).toEqual(sorted(truth.counters))
    expect(sorted(found.persons)).toEqual(sorted(truth.persons))
    expect(sorted(found.devices)).toEqual(sorted(truth.devices))
    expect({
      accepted: found.fates.get('accepted'),
      late: found.fates.get('late'),
      bot: found.fates.get('bot'),
    }).toEqual(truth.fates)
    expect(found.fates.get('rejected')).toBeUndefined()
    if (archived) {
      expect([...archived.times.keys()].sort()).toEqual([...ids].sort())
      expect([...archived.times].filter(([, times]) => times !== 1)).toEqual([])
      expect(archived.bots).toBe(truth.fates.bot)
    }
    // Acknowledged requests whose answer was lost are sent again too, so there are at least the intended repetitions.
    expect(found.fates.get('duplicate')).toBeGreaterThanOrEqual(repeated)
    expect(
      Object.keys(counterTables).every(
        (table) => table === 'fates_by_date' || [...found.counters.keys()].some((row) => row.startsWith(table)),
      ),
    ).toBe(true)
  }, 240_000)

  it('control: without the watermark check, the same traffic is counted wrongly', async () => {
    const { truth, found } = await run(open, {
      devices: 200,
      eventsPerDevice: 30,
      kills: 5,
      seed: 7,
      env: { HOPPER_UNSAFE_NO_WATERMARK: '1' },
    })
    const excess = sorted(found.counters).filter(([row, values]) =>
      values.some((value, index) => value > (truth.counters.get(row)?.[index] ?? 0)),
    )
    expect(excess.length).toBeGreaterThan(0)
    // Sets need no watermark, so they are correct nevertheless.
    expect(sorted(found.persons)).toEqual(sorted(truth.persons))
  }, 180_000)
})
