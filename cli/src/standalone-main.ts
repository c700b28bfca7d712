import { existsSync } from 'node:fs'
import { access, constants, mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createApi } from '@hopper/api'
import { HopperError } from '@hopper/contracts'
import { ingestPlugin } from '@hopper/ingest'
import { openEmbedded } from '@hopper/storage/embedded'
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { AggregatorThread } from './aggregator-thread.ts'
import type { Config } from './config.ts'
import { demoShop } from './demo-shop.ts'
import type { Welcome } from './greeting.ts'
import { boundClose, listen, portFor } from './listen.ts'
import { metricsText } from './metrics.ts'
import { provisionAll } from './provisioning.ts'

const repository = resolve(import.meta.dirname, '../..')

/** A running standalone product. */
export interface Standalone {
  readonly welcome: Welcome
  /** resolves when a part has failed that the process can not do without */
  readonly failed: Promise<Error>
  /** Takes no more requests, finishes those under way and the batches being counted, closes the files. */
  close(): Promise<void>
}

/** Wires ingest, aggregator and API over the embedded adapters: one server in this thread, the aggregator in another. */
export async function startStandalone(config: Config, logger: Logger): Promise<Standalone> {
  // What was opened last is closed first, also when a later part can not start.
  await using opened = new AsyncDisposableStack()
  await ensureDirectory(config.data)
  const storage = await openEmbedded({ dir: config.data, lanes: config.lanes })
  opened.defer(() => storage.close())
  const { log, reader, lanes, registry, archive } = storage
  const health = (): ReturnType<typeof storage.health> => storage.health()

  const port = await portFor(config)
  const localUrl = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
  const publicUrl = config.publicUrl ?? localUrl
  const { newKeys, loginUrl, demoKey } = await provisionAll(registry, config, publicUrl)

  const aggregator = await AggregatorThread.start({
    dir: config.data, lanes: config.lanes, watermarkCheck: !config.unsafeNoWatermark, logLevel: config.logLevel,
  })
  opened.defer(() => aggregator.close())

  const metrics = new Registry()
  const server = Fastify({ loggerInstance: logger as FastifyBaseLogger, logController: new LogController({ disableRequestLogging: true }), trustProxy: config.trustProxy, forceCloseConnections: 'idle' })
  boundClose(server)
  await server.register(ingestPlugin, {
    log, registry, health, metrics, logger,
    metricsText: () => metricsText(metrics, () => aggregator.metrics()),
    trackerFile: resolve(repository, 'tracker/dist/hopper.js'),
    rate: { requestsPerSecond: config.rate, burstRequests: 2 * config.rate },
  })
  if (demoKey !== undefined) await server.register(demoShop, { key: demoKey })
  const api = await createApi({ log, reader, lanes, ...(archive ? { archive } : {}), registry, health, mode: 'standalone', ...builtDashboard(logger), publicUrl, metrics, logger }, server)
  opened.defer(() => api.close())
  await listen(server, config.host, port)

  const parts = opened.move()
  return {
    welcome: { url: publicUrl, loginUrl, demoUrl: demoKey === undefined ? undefined : `${publicUrl}/demo/`, dataDir: config.data, newKeys },
    failed: aggregator.failed,
    close: () => parts.disposeAsync(),
  }
}

function builtDashboard(logger: Logger): { dashboardDir?: string } {
  const dashboardDir = resolve(repository, 'dashboard/dist')
  if (existsSync(resolve(dashboardDir, 'index.html'))) return { dashboardDir }
  logger.warn('the dashboard is not built, so only the API is served; "npm run build" builds it')
  return {}
}

async function ensureDirectory(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true })
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The data directory ${dir} can not be written: ${(cause as Error).message}.`, { cause })
  }
}
