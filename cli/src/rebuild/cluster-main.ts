import type { AggregatorLogger } from '@hopper/aggregator'
import { backfillId, botReviewId, HopperError } from '@hopper/contracts'
import {
  copyBackfills,
  withOverrides,
  type EventLog,
  type Identity,
  type Storage,
  type TableWriter,
} from '@hopper/storage'
import { openStaging, type Staging } from '@hopper/storage/cassandra/staging'
import { KafkaEventLog } from '@hopper/storage/kafka'
import { LaneLease } from '../installation/lane-lease.ts'
import { openInstallation, type InstallationConfig } from '../installation/open-installation.ts'
import { cassandraSettings, kafkaSettings } from '../installation/open-storage.ts'
import { basisOf } from './basis.ts'
import { countAll, type Progress } from './count-all.ts'
import { replaceLane } from './replace-lane.ts'

/** The id of the record in the staging keyspace that names the basis. */
const BASIS = 'basis'

/**
 * Rebuilds a cluster whose aggregators are stopped. It brings the cluster to the end of the log, recounts the log up to
 * there in a staging keyspace, and replaces each partition of the tables and each month of the archive by its staged
 * version. Readers see a partition either before or after its replacement.
 */
export async function rebuildCluster(
  config: InstallationConfig,
  app: string | undefined,
  report: { readonly logger: AggregatorLogger; readonly progress: Progress },
): Promise<void> {
  if (app !== undefined) {
    throw new HopperError(
      'HOP_CONFIG',
      'In a cluster all apps are rebuilt together; "hopper audit --app ID --repair" corrects the tables of one.',
    )
  }
  await using opened = new AsyncDisposableStack()
  const storage = await openInstallation(config)
  opened.defer(() => storage.close())
  await assertWholeLog(storage.log)
  // Fails immediately when an aggregator is alive.
  await (await leaseAllLanes(storage))[Symbol.asyncDispose]()
  await countAll(storage, report.logger, () => undefined)
  const lanes = await leaseAllLanes(storage)
  opened.use(lanes)
  const ends = await storage.lanes.positions()
  const staging = await stagingOf(config, storage)
  // Uses its own group, so that an aggregator started meanwhile takes no lanes from this count.
  const log = await new KafkaEventLog({ ...kafkaSettings(config), group: `${config.kafkaGroup}-rebuild` }).connect()
  try {
    const { backfills, botReviews } = staging.storage.registry
    const apps = await storage.registry.apps.list()
    const keeping = new Set(apps.filter(({ kept_from }) => kept_from !== undefined).map(({ id }) => id))
    const writer = alsoInto(storage.writer, staging.storage.writer, lanes.held, keeping)
    await copyBackfills(storage.registry, backfills)
    const registry = withOverrides(storage.registry, { backfills, botReviews })
    await countAll({ ...staging.storage, log: upTo(log, ends), writer, registry }, report.logger, report.progress)
    for (const held of lanes.held) await replaceLane(storage, { ...staging.storage, log }, held, apps)
    for (const { id } of apps) {
      for (const each of await backfills.list(id)) await storage.registry.backfills.put(id, backfillId(each), each)
      for (const each of await botReviews.list(id)) await storage.registry.botReviews.put(id, botReviewId(each), each)
    }
  } catch (error) {
    await staging.storage.close()
    throw error
  } finally {
    await log.close()
  }
  await staging.drop()
  await lanes[Symbol.asyncDispose]()
  await countAll(storage, report.logger, () => undefined)
}

/**
 * Throws HOP_CONFIG when a lane of the log has lost its beginning, because the tables' share of it could not be
 * recounted.
 */
async function assertWholeLog(log: EventLog): Promise<void> {
  for (let lane = 0; lane < log.lanes; lane++) {
    const [first] = await log.read(lane, 0, 1)
    if (first && first.position > 0) {
      const start = `The log of lane ${lane} begins at position ${first.position}`
      const lost = `${start}: the messages before it cannot be recounted.`
      throw new HopperError('HOP_CONFIG', `${lost} "hopper audit --repair" corrects the tables from the archive.`)
    }
  }
}

/** Opens the keyspace of an earlier attempt on the same basis, else an empty one. */
async function stagingOf(config: InstallationConfig, { registry }: Storage): Promise<Staging> {
  const settings = cassandraSettings(config)
  const basis = await basisOf(registry)
  let staging = await openStaging(settings, config.lanes)
  if ((await staging.storage.registry.imports.get('', BASIS))?.dump === basis) return staging
  await staging.drop()
  staging = await openStaging(settings, config.lanes)
  await staging.storage.registry.imports.put('', BASIS, { dump: basis, appended: 0, pending: 0, ends: [] })
  return staging
}

interface AllLanes extends AsyncDisposable {
  /** indexed by lane */
  readonly held: readonly LaneLease[]
}

/** Takes every lane. When one has another owner, releases those already taken. */
async function leaseAllLanes({ lanes, log }: Storage): Promise<AllLanes> {
  const stack = new AsyncDisposableStack()
  const takes = await Promise.allSettled(
    Array.from({ length: log.lanes }, (_, lane) => LaneLease.take(lanes, lane, `rebuild-${process.pid}`)),
  )
  const held = takes.flatMap((take) => (take.status === 'fulfilled' ? [stack.use(take.value)] : []))
  const failed = takes.find((take) => take.status === 'rejected')
  if (failed) {
    await stack.disposeAsync()
    throw failed.reason
  }
  return { held, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Wraps the log as if each lane ended at a position. */
function upTo(log: EventLog, ends: readonly number[]): EventLog {
  return withOverrides(log, {
    ends: async () => ends,
    subscribe: (consumer) =>
      log.subscribe({
        assigned: (lane) => consumer.assigned(lane),
        revoked: (lane) => consumer.revoked(lane),
        batch: async (lane, messages, signal) => {
          const included = messages.filter(({ position }) => position < ends[lane]!)
          if (included.length > 0) await consumer.batch(lane, included, signal)
        },
      }),
  })
}

/**
 * Wraps the staged writer so that it also writes to the readers' tables what is idempotent and not partitioned by date:
 * seen ids, identities, sessions, dead letters.
 */
function alsoInto(
  readers: TableWriter,
  staged: TableWriter,
  lanes: readonly LaneLease[],
  keeping: ReadonlySet<string>,
): TableWriter {
  return withOverrides(staged, {
    // Identities may come from expired events, which a recount does not judge.
    identities: async (app, devices, before) => {
      const [known, own] = await Promise.all([
        keeping.has(app) ? readers.identities(app, devices, before) : new Map<string, Identity>(),
        staged.identities(app, devices, before),
      ])
      return new Map([...own, ...known])
    },
    async *identifiedDevices(lane, app) {
      yield* staged.identifiedDevices!(lane, app)
      if (keeping.has(app)) yield* readers.identifiedDevices!(lane, app)
    },
    replayed: async (lane) => (await readers.replayed?.(lane)) ?? [],
    apply: async (lease, batch) => {
      const seen = []
      for (const { app, date, rows } of batch.seen) {
        const known = await readers.firstPositions(
          batch.lane,
          { app, date },
          rows.map(({ event_id }) => event_id),
        )
        const missing = rows.filter(({ event_id, position }) => known.get(event_id) !== position)
        if (missing.length > 0) seen.push({ app, date, rows: missing })
      }
      await readers.apply(lanes[batch.lane]!.lease, { ...batch, counters: [], visitors: [], seen })
      await staged.apply(lease, batch)
    },
  })
}
