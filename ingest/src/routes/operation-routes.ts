import { HopperError } from '@hopper/contracts'
import type { FastifyInstance } from 'fastify'
import type { IngestOptions } from '../options.ts'

/** `/healthcheck` (the process lives), `/ready` (it can do its work, or why not) and `/metrics`. */
export function operationRoutes(server: FastifyInstance, { health, metrics, metricsText }: Pick<IngestOptions, 'health' | 'metrics' | 'metricsText'>): void {
  server.get('/healthcheck', (_request, reply) => reply.type('text/plain; charset=utf-8').send('OK'))

  server.get('/ready', async (_request, reply) => {
    const reasons = await health().then(
      (engines) => engines.filter(({ healthy }) => !healthy).map(({ name, detail }) => `${name}: ${detail ?? 'does not answer'}`),
      (error: Error) => [error.message],
    )
    reply.header('cache-control', 'no-store')
    if (reasons.length === 0) return { ready: true, reasons }
    const error = new HopperError('HOP_STORE_UNAVAILABLE')
    return reply.code(error.status).header('retry-after', 1).send({ ready: false, reasons, ...error.toBody() })
  })

  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await (metricsText ? metricsText() : metrics.metrics())))
}
