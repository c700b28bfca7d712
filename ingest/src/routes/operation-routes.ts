import { HopperError } from '@hopper/contracts'
import type { FastifyInstance } from 'fastify'
import type { IngestOptions } from '../options.ts'

/** Serves `/healthcheck` (the process is alive), `/ready` (it can do its work, or why not) and `/metrics`. */
export function operationRoutes(
  server: FastifyInstance,
  {
    health,
    metrics,
    metricsText,
    metricsAccess,
  }: Pick<IngestOptions, 'health' | 'metrics' | 'metricsText' | 'metricsAccess'>,
): void {
  server.get('/healthcheck', { config: { access: 'nothing' } }, (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send('OK'),
  )

  server.get('/ready', { config: { access: 'nothing' } }, async (_request, reply) => {
    const engines = await health().catch((error: Error) => [{ name: 'health', healthy: false, detail: error.message }])
    const reasons = engines
      .filter(({ healthy }) => !healthy)
      .map(({ name, detail }) => `${name}: ${detail ?? 'does not answer'}`)
    // A healthy component may still have something to report: events wait in the spool, keys come from a snapshot.
    const components = engines.some(({ healthy, detail }) => !healthy || detail !== undefined)
      ? { components: engines }
      : {}
    reply.header('cache-control', 'no-store')
    if (reasons.length === 0) return { ready: true, reasons, ...components }
    const error = new HopperError('HOP_STORE_UNAVAILABLE')
    return reply
      .code(error.status)
      .header('retry-after', 1)
      .send({ ready: false, reasons, ...components, ...error.toBody() })
  })

  server.get('/metrics', { config: { access: 'operator' } }, async (request, reply) => {
    metricsAccess?.(request)
    return reply.type(metrics.contentType).send(await (metricsText ? metricsText() : metrics.metrics()))
  })
}
