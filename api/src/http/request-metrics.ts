import type { FastifyInstance } from 'fastify'
import { Histogram, type Registry } from 'prom-client'
import { isApiPath } from './secure-headers.ts'

/** Measures seconds per API call. The label is the route's pattern, so that the number of series stays small. */
export function measureRequests(fastify: FastifyInstance, registry: Registry): void {
  const seconds = new Histogram({
    name: 'hopper_api_request_seconds',
    help: 'Time to answer a call of the dashboard API',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  })
  fastify.addHook('onResponse', (request, reply, done) => {
    if (isApiPath(request.url)) {
      const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')
      seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    }
    done()
  })
}
