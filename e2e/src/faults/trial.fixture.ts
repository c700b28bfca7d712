import { expect } from 'vitest'
import type { Cluster } from '../installations/cluster.ts'
import { groundTruth, type GroundTruth } from '../traffic/ground-truth.ts'
import { whenCounted, stopAll } from '../installations/installation.ts'
import type { Service } from '../installations/service.ts'
import {
  datesAround,
  readArchive,
  readTables,
  sorted,
  type ArchivedEvents,
  type StoredRows,
} from '../traffic/stored-rows.ts'
import { timezone, type FaultApp } from './apps.fixture.ts'
import { Sending, type Sent } from './sending.fixture.ts'

const COUNT_TIMEOUT_MS = 90_000
const OUTPUT_CHARS = 3_000

export interface Trial {
  readonly installation: Cluster
  readonly app: FaultApp
  /** replaces the aggregators of the installation */
  readonly aggregators?: readonly Service[]
  readonly seed: number
  /** requests per second */
  readonly perSecond?: number
}

/** The traffic sent through faults, and the data stored after them. */
export interface TrialResult {
  readonly truth: GroundTruth
  readonly found: StoredRows
  /** undefined where the storage has no archive */
  readonly archived: ArchivedEvents | undefined
  readonly ids: ReadonlySet<string>
  readonly sending: Sending
  readonly deadLetters: number
}

/**
 * Starts every process, sends traffic for the duration of `faults`, waits until all of it is counted, stops every
 * process and reads the stored data.
 */
export async function runTrial(trial: Trial, faults: (sending: Sending) => Promise<void>): Promise<TrialResult> {
  const { installation, app, seed, perSecond = 40, aggregators = installation.aggregators } = trial
  const services = [installation.ingest, installation.api, ...aggregators]
  await installation.migrate()
  await Promise.all(services.map((service) => service.start()))
  const sending = new Sending({ ingestUrl: installation.ingestUrl, key: app.write, perSecond, seed })
  const traffic = await sendDuring(sending, faults, () => whenCounted(installation, app.read, COUNT_TIMEOUT_MS)).catch(
    async (cause: unknown) => {
      await stopAll(services, 'SIGKILL')
      throw new Error(
        `${String(cause)}\n${services.map(({ name, output }) => `${name}: ${output.slice(-OUTPUT_CHARS)}`).join('\n')}`,
        { cause },
      )
    },
  )
  expect(await stopAll(services, 'SIGTERM')).toEqual([])
  const storage = await installation.openStorage()
  try {
    return {
      truth: groundTruth(traffic, timezone, sending.now),
      found: await readTables(storage.reader, app.id, datesAround(sending.now)),
      archived: storage.archive && (await readArchive(storage.archive, app.id)),
      ids: new Set(traffic.flat().flatMap(({ events }) => events.map(({ event_id }) => event_id))),
      sending,
      deadLetters: await storage.reader.deadLetters(),
    }
  } finally {
    await storage.close()
  }
}

async function sendDuring(
  sending: Sending,
  faults: (sending: Sending) => Promise<void>,
  allCounted: () => Promise<void>,
): Promise<Sent> {
  await faults(sending)
  const traffic = await sending.finish()
  await allCounted()
  return traffic
}

/** Expects that no acknowledged event is lost or counted twice, in the tables and in the archive. */
export function expectExact({ truth, found, archived, ids, sending }: TrialResult): void {
  expect(sorted(found.counters)).toEqual(sorted(truth.counters))
  expect(sorted(found.persons)).toEqual(sorted(truth.persons))
  expect(sorted(found.devices)).toEqual(sorted(truth.devices))
  expect({ accepted: found.fates.get('accepted'), late: found.fates.get('late'), bot: found.fates.get('bot') }).toEqual(
    truth.fates,
  )
  expect(found.fates.get('rejected')).toBeUndefined()
  // Accepted requests whose answer was lost are sent again too.
  expect(found.fates.get('duplicate') ?? 0).toBeGreaterThanOrEqual(sending.repeatedEvents)
  if (!archived) return
  expect([...archived.times.keys()].sort()).toEqual([...ids].sort())
  expect([...archived.times].filter(([, times]) => times !== 1)).toEqual([])
  expect(archived.bots).toBe(truth.fates.bot)
}

/** Returns the number of counter rows that exceed the traffic sent. */
export function rowsCountedTwice({ truth, found }: TrialResult): number {
  return sorted(found.counters).filter(([row, values]) =>
    values.some((value, index) => value > (truth.counters.get(row)?.[index] ?? 0)),
  ).length
}

/** Returns the number of counter rows that are missing or below the traffic sent. */
export function missingRows({ truth, found }: Pick<TrialResult, 'truth' | 'found'>): number {
  return sorted(truth.counters).filter(([row, values]) =>
    values.some((value, index) => value > (found.counters.get(row)?.[index] ?? 0)),
  ).length
}
