import { parentPort, threadId, workerData } from 'node:worker_threads'
import { Aggregator } from '@hopper/aggregator'
import type { PartHealth } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import type { AggregatorThreadOptions, FromAggregator, ToAggregator } from './aggregator-thread.ts'
import { createLogger, lastProblems } from '../logging/logger.ts'
import { ProblemReport } from '../logging/problem-report.ts'

/**
 * The aggregator thread, with its own storage handle and its own metrics. An unhandled error ends the thread, and with
 * it the process.
 */
const { dir, lanes, watermarkCheck, logLevel, memoryMb } = workerData as AggregatorThreadOptions
const port = parentPort!
const metrics = new Registry()
const logger = createLogger(logLevel, 'aggregator')
const storage = await openEmbedded({ dir, lanes, exclusive: false, logger })
const report = new ProblemReport({ registry: storage.registry, name: 'aggregator', problems: lastProblems(logger) })
const aggregator = new Aggregator({
  log: storage.log,
  writer: storage.writer,
  reader: storage.reader,
  lanes: storage.lanes,
  registry: storage.registry,
  ...(storage.archive ? { archive: storage.archive } : {}),
  forgets: { scrub: storage.scrub },
  retention: {},
  bots: {},
  owner: `${process.pid}-${threadId}`,
  metrics,
  logger,
  watermarkCheck,
  ...(memoryMb > 0 ? { memoryBytes: memoryMb * 1_000_000 } : {}),
  memoryUsed,
})
await aggregator.start()

/** Counts this thread alone: the process has others. */
function memoryUsed(): number {
  const { heapTotal, external } = process.memoryUsage()
  return heapTotal + external
}

/** The main thread knows the health of its own handle; a lane that cannot be read shows in this one only. */
async function health(): Promise<readonly PartHealth[]> {
  return [aggregator.health(), ...(await storage.health()).filter(({ healthy }) => !healthy)]
}

const say = (message: FromAggregator): void => port.postMessage(message)
const close = async (): Promise<void> => {
  await aggregator.close()
  await report.close()
  await storage.close()
  port.close()
}
port.on('message', (message: ToAggregator) => {
  if (message === 'close') return void close()
  if (message === 'health') return void health().then((parts) => say({ health: parts }))
  void metrics.getMetricsAsJSON().then((figures) => say({ metrics: figures }))
})
say('ready')
