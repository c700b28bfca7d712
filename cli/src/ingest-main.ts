import { ingestPlugin } from '@hopper/ingest'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { trackerFile } from './built-files.ts'
import type { ConfigOf } from './config.ts'
import { demoShop } from './demo-shop.ts'
import { listen, portFor, urlOf } from './listen.ts'
import type { Running } from './run-until-stopped.ts'
import { createServer } from './server.ts'
import { spoolMetrics } from './spool-metrics.ts'
import { openSpooledCluster } from './storage-main.ts'

export async function startIngest(config: ConfigOf<'ingest'>, logger: Logger): Promise<Running> {
  await using opened = new AsyncDisposableStack()
  const { log, registry, health, close } = await openSpooledCluster(config, logger)
  opened.defer(close)
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  spoolMetrics(metrics, () => log.depth)
  const server = createServer(logger, config.trustProxy)
  await server.register(ingestPlugin, {
    log, registry, health, metrics, logger, trackerFile, answersUnknownPaths: true,
    rate: { requestsPerSecond: config.rate, burstRequests: 2 * config.rate },
  })
  if (config.demoKey !== undefined) await server.register(demoShop, { key: config.demoKey })
  opened.defer(() => server.close())
  const port = await portFor(config)
  await listen(server, config.host, port)
  logger.info({ url: urlOf(config.host, port) }, 'ready')
  const parts = opened.move()
  return { close: () => parts.disposeAsync() }
}
