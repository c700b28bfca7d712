import { createApi } from '@hopper/api'
import type { Logger } from 'pino'
import { auditsInThread } from '../audit/audit-thread.ts'
import { alertOptions } from './alert-options.ts'
import { oidcOptions } from './oidc-options.ts'
import { builtDashboard, builtTracker } from './built-files.ts'
import type { ConfigOf } from '../config/config.ts'
import { DiskWatch } from '../disk/disk-watch.ts'
import { listen, portFor, urlOf } from '../server/listen.ts'
import { lastProblems } from '../logging/logger.ts'
import { openWithRetries } from './open-with-retries.ts'
import { ProblemReport } from '../logging/problem-report.ts'
import { processMetrics } from '../metrics/process-metrics.ts'
import type { Running } from './run-until-stopped.ts'
import { metricsAccess } from '../server/metrics-access.ts'
import { createServer } from '../server/server.ts'
import { openCluster } from '../installation/open-storage.ts'

/** Reports are read from Cassandra alone. A log that does not report its health has no name of its own yet. */
const LOG_NAMES = ['kafka', 'log']

export async function startApi(config: ConfigOf<'api'>, logger: Logger): Promise<Running> {
  await using opened = new AsyncDisposableStack()
  const port = await portFor(config)
  const { log, reader, writer, lanes, registry, secrets, archive, health, diskUse, close } = await openWithRetries(
    logger,
    () =>
      openCluster(config, {
        onLogUnavailable: (error) =>
          logger.error(
            { err: error },
            'Kafka is unavailable: answers come from the tables and say up to when they are complete',
          ),
      }),
  )
  opened.defer(close)
  const report = new ProblemReport({ registry, name: 'api', problems: lastProblems(logger) })
  opened.defer(() => report.close())
  const metrics = processMetrics()
  if (diskUse) {
    const disk = new DiskWatch({ registry, place: 'cassandra', measure: diskUse, metrics, logger })
    opened.defer(() => disk.close())
  }
  const publicUrl = config.publicUrl ?? urlOf(config.host, port)
  const server = createServer(logger, config.trustedProxies, { connectionsMax: config.connections, metrics })
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
      worksWithout: LOG_NAMES,
      mode: 'cluster',
      startAudit: auditsInThread({ cluster: config }),
      operationRoutes: true,
      ...builtDashboard(logger),
      ...(await builtTracker()),
      publicUrl,
      ...(config.ingestUrl === undefined ? {} : { ingestUrl: config.ingestUrl }),
      ...alertOptions(config),
      ...oidcOptions(config),
      metrics,
      metricsAccess: metricsAccess(config.metricsToken),
      logger,
    },
    server,
  )
  opened.defer(() => api.close())
  await listen(server, config.host, port)
  logger.info({ url: publicUrl }, 'ready')
  const parts = opened.move()
  return { report, close: () => parts.disposeAsync() }
}
