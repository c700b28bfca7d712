import { setImmediate as pause } from 'node:timers/promises'
import {
  decodeEnvelope,
  deviceHash,
  encodeEnvelope,
  laneOf,
  type ChunkSummary,
  type RetentionPart,
} from '@hopper/contracts'
import { keyOf } from '@hopper/engine'
import { placeOf, withoutExpired, type EventLog, type ForgottenEvents, type LogMessage } from '@hopper/storage'
import { fetchColumns } from '../forget/forgotten-rows.ts'
import type { RewritableStore } from '../lane/rewritable-lane.ts'
import type { RetentionTask } from './retention-task.ts'

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }
/** Devices to look for in the archive at a time; about 100 bytes each. */
const DEVICES_PER_READ = 50_000
/** Devices whose identities are removed while batches wait. */
const REMOVALS_PER_BATCH = 100
const REMOVALS_IN_FLIGHT = 16

/** Dependencies of the removal of identities. */
export interface IdentityContext {
  readonly store: RewritableStore
  readonly log: EventLog
  /** events of the app that were forgotten */
  readonly forgotten: ForgottenEvents | undefined
  /** stores the part and lets later batches be judged with its generation */
  readonly save: (part: RetentionPart) => Promise<void>
}

/**
 * Removes the identities of devices of a lane that have no event left, since nothing needs them any more. The archive
 * has no expired events any more. May be interrupted anywhere and run again.
 */
export async function expireIdentities(
  context: IdentityContext,
  task: RetentionTask,
  before: RetentionPart,
): Promise<RetentionPart> {
  const { app, lane } = task
  const { store, log } = context
  let part = before
  let batch: string[] = []
  for await (const devices of store.writer.devicesWithIdentities(lane, app.id)) {
    batch.push(...devices.filter((device) => laneOf(app.id, device, log.lanes) === lane))
    if (batch.length < DEVICES_PER_READ) continue
    part = await expireSome(context, task, part, batch)
    batch = []
  }
  return expireSome(context, task, part, batch)
}

async function expireSome(
  context: IdentityContext,
  task: RetentionTask,
  before: RetentionPart,
  devices: readonly string[],
): Promise<RetentionPart> {
  const { app, owned, assertOwned } = task
  const absent = new AbsentDevices(app.id, devices)
  await absent.removePresent(context.store, task)
  const gone = absent.devices
  let part = before
  for (let start = 0; start < gone.length; start += REMOVALS_PER_BATCH) {
    assertOwned()
    const batch = gone.slice(start, start + REMOVALS_PER_BATCH)
    part = await withGeneration(context, task, part, batch)
    const removed = await owned.paused(async () => {
      // Some of them may have sent something since.
      await owned.archive()
      const still = new AbsentDevices(app.id, batch)
      await still.removePresent(context.store, task, absent.seen)
      await removeIdentities(context, task, part, still.devices)
      owned.clearVisitorCache()
      return still.devices.length
    })
    part = { ...part, tally: { ...part.tally, devices: part.tally.devices + removed } }
    await pause()
  }
  return part
}

/** Stores a generation that is higher than that of any of the devices, before they lose their identities. */
async function withGeneration(
  { store: { writer }, save }: IdentityContext,
  { app, lane }: RetentionTask,
  part: RetentionPart,
  devices: readonly string[],
): Promise<RetentionPart> {
  const highest = (await writer.generationOf?.(lane, app.id, devices)) ?? -1
  if (highest < part.generation) return part
  const next = { ...part, generation: highest + 1 }
  await save(next)
  return next
}

/** Removes identities, those that messages of the log still name first. */
async function removeIdentities(
  { store: { reader, writer }, log, forgotten }: IdentityContext,
  { app, lane, owned }: RetentionTask,
  { generation }: RetentionPart,
  devices: readonly string[],
): Promise<void> {
  if (log.rewrite) {
    const positions = new Set<number>()
    for (const device of devices)
      for (const { place } of await reader.identitiesOf(app.id, device))
        positions.add(Math.floor(place / placeOf(1, 0)))
    const changed: LogMessage[] = []
    for (const position of positions) {
      const [message] = await log.read(lane, position, 1)
      if (message?.position !== position || message.isDamaged) continue
      const sent = decodeEnvelope(message.value)
      const after = withoutExpired(app, sent)
      if (after !== sent) changed.push({ position, value: encodeEnvelope(after) })
    }
    if (changed.length > 0) await log.rewrite(lane, changed)
  }
  const ranges = [[0, Number.MAX_SAFE_INTEGER]] as const
  for (let start = 0; start < devices.length; start += REMOVALS_IN_FLIGHT) {
    await Promise.all(
      devices.slice(start, start + REMOVALS_IN_FLIGHT).map((device) => {
        const times = generation + (forgotten?.generationOf(device) ?? 0)
        const removed = { app: app.id, device, ranges, generation: times }
        return writer.removeIdentities(owned.currentLease(), removed)
      }),
    )
  }
}

/** Devices of which no inspected chunk has an event. */
class AbsentDevices {
  readonly #devices = new Map<number, string[]>()
  /** names of the inspected chunks */
  readonly seen = new Set<string>()

  constructor(app: string, devices: readonly string[]) {
    for (const device of devices) {
      const { high, low } = deviceHash(app, device)
      const key = keyOf(high, low)
      const known = this.#devices.get(key)
      if (known) known.push(device)
      else this.#devices.set(key, [device])
    }
  }

  get devices(): readonly string[] {
    return [...this.#devices.values()].flat()
  }

  /** Drops devices that have events in the archive, without the chunks that `except` names. */
  async removePresent(
    { archive }: RewritableStore,
    { app, lane, assertOwned }: RetentionTask,
    except: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    if (this.#devices.size === 0) return
    for (const summary of await archive.list({ app: app.id, lane, ...ALL })) {
      assertOwned()
      if (this.#devices.size === 0) return
      if (except.has(nameOf(summary))) continue
      const runs = (await fetchColumns(archive, summary, ['runs'])).runs()
      for (const key of runs.keys) this.#devices.delete(key)
      this.seen.add(nameOf(summary))
    }
  }
}

function nameOf({ date, first_position, last_position, part, rows }: ChunkSummary): string {
  return [date, first_position, last_position, part, rows].join(' ')
}
