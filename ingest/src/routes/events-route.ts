import { HopperError } from '@hopper/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { agentOf } from '../agent.ts'
import { answerOf } from '../http/answer.ts'
import { readBatch } from '../batch/batch.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'
import type { DurableLog } from '../durable-log.ts'
import { envelopesOf } from '../batch/envelopes.ts'
import type { Gate } from '../admission/gate.ts'
import { incomingOf } from '../batch/incoming.ts'
import type { Sender } from '../admission/key-check.ts'
import type { Metrics } from '../metrics.ts'
import type { Pipeline } from '../pipeline.ts'
import { costOf } from '../admission/request-cost.ts'

interface Parts {
  readonly gate: Gate
  readonly log: DurableLog
  readonly pipeline: Pipeline
  readonly metrics: Metrics
  readonly clock: () => number
}

/** Serves `POST /v1/events`: answers 202 only after the log has synced the accepted events. */
export function eventsRoute(server: FastifyInstance, { gate, log, pipeline, metrics, clock }: Parts): void {
  const sender = Symbol('sender')
  // Resolved once: these two count nearly every request.
  const taken = metrics.requests.labels('202', '')
  const accepted = metrics.events.labels('accepted', 'new')
  server.decorateRequest(sender)
  onlyMethod(server, 'POST', '/v1/events')
  server.post(
    '/v1/events',
    {
      onRequest: async (request, reply) => {
        allowAnyOrigin(reply)
        request.setDecorator<Sender>(sender, await gate.admit(request, reply))
      },
      onError: async (request, _reply, error) => {
        const admitted = request.getDecorator<Sender | undefined>(sender)
        if (admitted && isRefusedBody(error)) gate.chargeRefused(admitted, request)
      },
    },
    async (request, reply) => {
      const admitted = request.getDecorator<Sender>(sender)
      const body = request.body as ParsedBody | undefined
      const { batch, sent, webdriver, changes } = readBatch(body, admitted.app, clock())
      const agent = agentOf({ userAgent: request.headers['user-agent'], server: isServer(request), webdriver })
      const results = pipeline.run(sent.map((event, index) => incomingOf(batch, index, event)))
      gate.charge(admitted, costOf(results, body!.bytes.length), reply)
      const envelopes = envelopesOf(batch, sent, results, agent, request.headers.referer)
      if (envelopes.length > 0) await log.append(envelopes, sent.length)

      const answer = answerOf(results, changes, agent)
      if (agent.bot === undefined) accepted.inc(answer.accepted)
      else metrics.events.inc({ fate: 'bot', reason: agent.bot }, answer.accepted)
      for (const { reason } of answer.rejected) metrics.events.inc({ fate: 'rejected', reason })
      taken.inc()
      return reply.code(202).type('application/json; charset=utf-8').send(JSON.stringify(answer))
    },
  )
}

function isRefusedBody(error: Error): boolean {
  return error instanceof HopperError && error.status >= 400 && error.status < 500 && error.code !== 'HOP_RATE'
}

/**
 * Returns whether a server sent the request: it has a key in a header, and no page is behind it. A page has an origin
 * in what it posts, and its browser adds `Sec-Fetch-Site`. `Sec-Fetch-Mode` alone proves nothing, as Node's `fetch`
 * sends it too.
 */
function isServer({ headers }: FastifyRequest): boolean {
  const isPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  return !isPage && (headers.authorization !== undefined || headers['x-api-key'] !== undefined)
}
