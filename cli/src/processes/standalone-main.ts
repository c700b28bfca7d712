import { createApi } from '@hopper/api'
import { isLoopback, sourceOf } from '@hopper/contracts'
import { ingestPlugin, OfflineIntake } from '@hopper/ingest'
import type { PartHealth } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import type { Logger } from 'pino'
import { AggregatorRegistry, Registry, type MetricObject } from 'prom-client'
import { auditsInThread } from '../audit/audit-thread.ts'
import { AggregatorThread } from './aggregator-thread.ts'
import { alertOptions } from './alert-options.ts'
import { oidcOptions } from './oidc-options.ts'
import { builtDashboard, builtTracker, trackerFile } from './built-files.ts'
import type { ConfigOf } from '../config/config.ts'
import { ensureDemoKey } from '../demo/demo-key.ts'
import { demoShop } from '../demo/demo-shop.ts'
import { DiskWatch } from '../disk/disk-watch.ts'
import { openGeo } from './open-geo.ts'
import { ExternalFiles } from '../external/external-files.ts'
import type { Welcome } from './greeting.ts'
import { lastProblems } from '../logging/logger.ts'
import { ProblemReport } from '../logging/problem-report.ts'
import { listen, portFor, urlOf } from '../server/listen.ts'
import { externalMetrics } from '../metrics/external-metrics.ts'
import { provisionAll } from './provisioning.ts'
import { metricsAccess } from '../server/metrics-access.ts'
import { createServer } from '../server/server.ts'

/** A running standalone product. */
export interface Standalone {
  readonly welcome: Welcome
  /** resolves when an essential part has failed */
  readonly failed: Promise<Error>
  readonly report: ProblemReport
  /** Accepts no more requests, finishes the requests and batches in flight, and closes the files. */
  readonly close: () => Promise<void>
}

/**
 * Connects ingest, aggregator and API to the embedded adapters: one server in this thread, the aggregator in another.
 */
export async function startStandalone(config: ConfigOf<'start'>, logger: Logger): Promise<Standalone> {
  // Resources are closed in reverse order, also when a later part cannot start.
  await using opened = new AsyncDisposableStack()
  const port = await portFor(config)
  const storage = await openEmbedded({ dir: config.data, lanes: config.lanes, acceptLoss: config.acceptLoss, logger })
  opened.defer(() => storage.close())
  const { log, reader, writer, lanes, registry, secrets, archive } = storage

  const publicUrl = config.publicUrl ?? urlOf(config.host, port)
  const demoKey = hasDemo(config) ? await ensureDemoKey(config.data) : undefined
  const source = { file: config.provision, demoKey, isDemoPublic: !isLocalOnly(config) }
  const { newKeys, loginUrl } = await provisionAll(registry, source, publicUrl)

  const aggregator = await AggregatorThread.start({
    dir: config.data,
    lanes: config.lanes,
    watermarkCheck: !config.unsafeNoWatermark,
    logLevel: config.logLevel,
    memoryMb: config.memoryMb,
  })
  opened.defer(() => aggregator.close())
  const health = async (): Promise<readonly PartHealth[]> => {
    const [own, counting] = await Promise.all([storage.health(), aggregator.health()])
    return [...own.filter(({ name }) => counting.every((part) => part.name !== name)), ...counting]
  }

  const report = new ProblemReport({ registry, name: 'hopper', problems: lastProblems(logger) })
  opened.defer(() => report.close())
  const metrics = new Registry()
  const disk = new DiskWatch({ registry, place: 'data', measure: () => storage.diskUse!(), metrics, logger })
  opened.defer(() => disk.close())
  const geo = await openGeo(config.geo, logger)
  if (geo) opened.use(geo)
  const server = createServer(logger, config.trustedProxies, { connectionsMax: config.connections, metrics })
  await server.register(ingestPlugin, {
    log,
    registry,
    secrets,
    health,
    metrics,
    metricsAccess: metricsAccess(config.metricsToken),
    logger,
    metricsText: () => metricsText(metrics, () => aggregator.metrics()),
    trackerFile,
    geo,
    rates: { requests: config.rate, events: config.eventRate, bytes: config.byteRate },
    sourceSharePercent: config.sourceShare,
  })
  if (demoKey !== undefined) await server.register(demoShop, { key: demoKey })
  const api = await createApi(
    {
      log,
      reader,
      writer,
      lanes,
      ...(archive ? { archive } : {}),
      registry,
      secrets,
      health,
      mode: 'standalone',
      startAudit: auditsInThread({ dir: config.data, lanes: config.lanes }),
      ...builtDashboard(logger),
      publicUrl,
      ...(await builtTracker()),
      ...alertOptions(config),
      ...oidcOptions(config),
      metrics,
      logger,
    },
    server,
  )
  opened.defer(() => api.close())
  await listen(server, config.host, port)
  if (config.external !== undefined) {
    const count = externalMetrics(metrics)
    const files = new ExternalFiles(config.external, { log, registry, intake: new OfflineIntake(), count }, logger)
    opened.defer(() => files.close())
    files.start()
  }

  const parts = opened.move()
  return {
    welcome: {
      url: publicUrl,
      loginUrl,
      demoUrl: demoKey === undefined ? undefined : `${publicUrl}/demo/`,
      dataDir: config.data,
      newKeys,
    },
    failed: aggregator.failed,
    report,
    close: () => parts.disposeAsync(),
  }
}

/** By default only for this machine: everybody who opens the demo shop can read its key. */
function hasDemo(config: ConfigOf<'start'>): boolean {
  return config.demo ?? isLocalOnly(config)
}

function isLocalOnly({ host, publicUrl, trustedProxies }: ConfigOf<'start'>): boolean {
  const isLocal = host === 'localhost' || isLoopback(sourceOf(host))
  return isLocal && publicUrl === undefined && trustedProxies === 0
}

/**
 * Returns the metrics of the whole process in the Prometheus format: those of this thread, and those of other threads,
 * fetched at each scrape.
 */
async function metricsText(own: Registry, others: () => Promise<readonly MetricObject[]>): Promise<string> {
  const all = await Promise.all([own.getMetricsAsJSON(), others()])
  return AggregatorRegistry.aggregate(all).metrics()
}
