import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { Aggregator, defaultMemoryBytes, guardedLog, heapNeeded } from '@hopper/aggregator'
import { operationRoutes } from '@hopper/ingest'
import type { Logger } from 'pino'
import type { ConfigOf } from '../config/config.ts'
import { portFor, serve } from '../server/listen.ts'
import { assertLogReaches } from '../installation/assert-log-reaches.ts'
import { lastProblems } from '../logging/logger.ts'
import { openWithRetries } from './open-with-retries.ts'
import { ProblemReport } from '../logging/problem-report.ts'
import { processMetrics } from '../metrics/process-metrics.ts'
import type { Running } from './run-until-stopped.ts'
import { metricsAccess } from '../server/metrics-access.ts'
import { createServer } from '../server/server.ts'
import { assertExactTimes, openCluster } from '../installation/open-storage.ts'
import { failingAtPoison, withoutLeaseCheck } from '../logging/unsafe-controls.ts'

export async function startAggregator(config: ConfigOf<'aggregator'>, logger: Logger): Promise<Running> {
  await using opened = new AsyncDisposableStack()
  const port = await portFor(config)
  const memoryBytes = config.memoryMb > 0 ? config.memoryMb * 1_000_000 : defaultMemoryBytes()
  warnOfSmallHeap(memoryBytes, logger)
  const { log, writer, reader, lanes, registry, archive, health, close } = await openWithRetries(logger, async () => {
    await assertExactTimes(config, logger)
    return openCluster(config, { memoryBytes, logger })
  })
  opened.defer(close)
  const report = new ProblemReport({ registry, name: 'aggregator', problems: lastProblems(logger) })
  opened.defer(() => report.close())
  await assertLogReaches({ log, lanes, registry }, config.acceptLoss, logger)
  const metrics = processMetrics()
  const guarded = guardedLog(log, { lanes, logger, metrics })
  const aggregator = new Aggregator({
    log: config.unsafeNoDeadLetters ? failingAtPoison(guarded.log) : guarded.log,
    writer: config.unsafeNoLease ? withoutLeaseCheck(writer) : writer,
    reader,
    lanes,
    registry,
    ...(archive ? { archive, archiveMs: config.archiveMs } : {}),
    forgets: {},
    retention: {},
    bots: {},
    metrics,
    logger,
    memoryBytes,
    watermarkCheck: !config.unsafeNoWatermark,
    // A restarted process is another owner, even with the same process id: batches that the old one had in flight may
    // still be applied.
    owner: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
  })
  await aggregator.start()
  opened.defer(() => aggregator.close())

  const server = createServer(logger, 0, { connectionsMax: config.connections, metrics })
  operationRoutes(server, {
    health: async () => [...(await health()), guarded.health(), aggregator.health()],
    metrics,
    metricsAccess: metricsAccess(config.metricsToken),
  })
  opened.defer(() => server.close())
  await serve(server, { host: config.host, port })
  const parts = opened.move()
  return { report, close: () => parts.disposeAsync() }
}

/** The JavaScript heap has its own limit, at which the process dies before its memory is used up. */
function warnOfSmallHeap(memoryBytes: number, logger: Logger): void {
  const [limit, needed] = [getHeapStatistics().heap_size_limit, heapNeeded(memoryBytes)]
  if (limit >= needed) return
  const megabytes = Math.ceil(needed / 1_048_576)
  logger.warn(
    { memoryBytes, heapLimit: limit },
    `the heap is too small for HOPPER_MEMORY_MB: set NODE_OPTIONS=--max-old-space-size=${megabytes}`,
  )
}
