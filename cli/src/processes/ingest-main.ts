import { statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { DiskUse } from '@hopper/contracts'
import { ingestPlugin, OfflineIntake } from '@hopper/ingest'
import { ExternalTopic } from '@hopper/storage/kafka'
import type { Logger } from 'pino'
import { trackerFile } from './built-files.ts'
import type { ConfigOf } from '../config/config.ts'
import { demoShop } from '../demo/demo-shop.ts'
import { DiskWatch } from '../disk/disk-watch.ts'
import { openGeo } from './open-geo.ts'
import { takeMessages } from '../external/external-messages.ts'
import { lastProblems } from '../logging/logger.ts'
import { ProblemReport } from '../logging/problem-report.ts'
import { portFor, serve } from '../server/listen.ts'
import { externalMetrics } from '../metrics/external-metrics.ts'
import { processMetrics } from '../metrics/process-metrics.ts'
import type { Running } from './run-until-stopped.ts'
import { metricsAccess } from '../server/metrics-access.ts'
import { createServer } from '../server/server.ts'
import { spoolMetrics } from '../metrics/spool-metrics.ts'
import { kafkaSettings, openSpooledCluster } from '../installation/open-storage.ts'
import { acknowledgingEarly } from '../logging/unsafe-controls.ts'

export async function startIngest(config: ConfigOf<'ingest'>, logger: Logger): Promise<Running> {
  await using opened = new AsyncDisposableStack()
  const port = await portFor(config)
  const { log, registry, secrets, health, close } = await openSpooledCluster(config, logger)
  opened.defer(close)
  const report = new ProblemReport({ registry, name: 'ingest', problems: lastProblems(logger) })
  opened.defer(() => report.close())
  const metrics = processMetrics()
  spoolMetrics(metrics, () => log.depth)
  const measure = (): Promise<DiskUse> => measureSpool(config.data, log.depth.bytes)
  const disk = new DiskWatch({ registry, place: `ingest ${hostname()}:${port}`, measure, metrics, logger })
  opened.defer(() => disk.close())
  const geo = await openGeo(config.geo, logger)
  if (geo) opened.use(geo)
  const server = createServer(logger, config.trustedProxies, { connectionsMax: config.connections, metrics })
  await server.register(ingestPlugin, {
    log: config.unsafeEarlyAck ? acknowledgingEarly(log) : log,
    registry,
    secrets,
    health,
    metrics,
    metricsAccess: metricsAccess(config.metricsToken),
    logger,
    trackerFile,
    geo,
    answersUnknownPaths: true,
    rates: { requests: config.rate, events: config.eventRate, bytes: config.byteRate },
    sourceSharePercent: config.sourceShare,
  })
  if (config.demoKey !== undefined) await server.register(demoShop, { key: config.demoKey })
  opened.defer(() => server.close())
  await serve(server, { host: config.host, port })
  const topic = config.externalTopic
  const taking = { log, registry, intake: new OfflineIntake(), topic, count: externalMetrics(metrics) }
  const settings = { ...kafkaSettings(config), topic, group: `${config.kafkaGroup}-external` }
  const external = new ExternalTopic(settings, (messages) => takeMessages(taking, messages), logger)
  opened.defer(() => external.close())
  external.start()
  const parts = opened.move()
  return { report, close: () => parts.disposeAsync() }
}

/** Measures what the spool of an ingest process takes, and how much of its disk is free. */
async function measureSpool(dir: string, spooledBytes: number): Promise<DiskUse> {
  const { bsize, blocks, bavail } = await statfs(dir)
  return { parts: [{ part: 'spool', bytes: spooledBytes }], free: bsize * bavail, size: bsize * blocks }
}
