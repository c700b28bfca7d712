import { HopperError } from '@hopper/contracts'
import type { FastifyInstance } from 'fastify'
import { translatedBatch } from '../batch/batch.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'
import { posthogBatch, posthogKey } from '../translate/posthog-batch.ts'
import { present } from './event-store-routes.ts'
import { writeRoute, type WriteParts } from './write-route.ts'

const calls = ['/batch', '/e', '/i/v0/e', '/capture', '/track', '/engage'] as const

/** Serves the calls that PostHog's clients send events to, on a server that takes their bodies (`unwrapPosthog`). */
export function posthogRoutes(server: FastifyInstance, parts: WriteParts): void {
  for (const url of calls.flatMap((call) => [call, `${call}/`])) {
    onlyMethod(server, 'POST', url)
    writeRoute(server, parts, {
      method: 'POST',
      url,
      read: (body, { app }, receivedAt, query) => {
        const sent = present(body)
        return translatedBatch(sent, posthogBatch(sent.value, query, receivedAt), app, receivedAt)
      },
      answer: ({ answer }) => ({ status: 200, body: { status: 1, ...answer } }),
      keyOf: (body) => posthogKey(body?.value),
    })
  }
  for (const url of ['/s', '/s/'])
    refuse(server, 'POST', url, 'Session recordings are not supported; set disable_session_recording: true.')
  refuse(server, 'GET', '/static/*', 'The scripts of PostHog are not served here; serve those of its package.')
}

/** Refuses a call before its body is read. Clients do not repeat a request that was answered with 4xx. */
function refuse(server: FastifyInstance, method: 'GET' | 'POST', url: string, message: string): void {
  const notSupported = (): never => {
    throw new HopperError('HOP_NOT_SUPPORTED', message)
  }
  onlyMethod(server, method, url)
  server.route({
    method,
    url,
    config: { access: 'nothing' },
    onRequest: async (_request, reply) => {
      allowAnyOrigin(reply)
      notSupported()
    },
    handler: notSupported,
  })
}
