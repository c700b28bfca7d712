import { ingestPlugin, OfflineIntake } from '@hopper/ingest'
import { ExternalTopic } from '@hopper/storage/kafka'
import type { Logger } from 'pino'
import { trackerFile } from './built-files.ts'
import type { ConfigOf } from '../config/config.ts'
import { demoShop } from '../demo/demo-shop.ts'
import { takeMessages } from '../external/external-messages.ts'
import { portFor, serve } from '../server/listen.ts'
import { externalMetrics } from '../metrics/external-metrics.ts'
import { processMetrics } from '../metrics/process-metrics.ts'
import type { Running } from './run-until-stopped.ts'
import { createServer } from '../server/server.ts'
import { spoolMetrics } from '../metrics/spool-metrics.ts'
import { kafkaSettings, openSpooledCluster } from '../installation/open-storage.ts'
import { acknowledgingEarly } from './unsafe-controls.ts'

export async function startIngest(config: ConfigOf<'ingest'>, logger: Logger): Promise<Running> {
  await using opened = new AsyncDisposableStack()
  const port = await portFor(config)
  const { log, registry, health, close } = await openSpooledCluster(config, logger)
  opened.defer(close)
  const metrics = processMetrics()
  spoolMetrics(metrics, () => log.depth)
  const server = createServer(logger, config.trustProxy)
  await server.register(ingestPlugin, {
    log: config.unsafeEarlyAck ? acknowledgingEarly(log) : log,
    registry,
    health,
    metrics,
    logger,
    trackerFile,
    answersUnknownPaths: true,
    rates: { requests: config.rate, events: config.eventRate, bytes: config.byteRate },
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
  return { close: () => parts.disposeAsync() }
}
