import { HopperError } from '@hopper/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Gate } from '../admission/gate.ts'
import type { Sender } from '../admission/key-check.ts'
import type { Quotas } from '../admission/quotas.ts'
import type { ReadBatch } from '../batch/batch.ts'
import { arrivedBytes, type ParsedBody } from '../http/body-parser.ts'
import { allowAnyOrigin } from '../http/cors.ts'
import type { Intake, Taken } from '../intake.ts'
import type { Metrics } from '../metrics.ts'

/** Dependencies of the routes that receive events. */
export interface WriteParts {
  readonly gate: Gate
  readonly quotas: Quotas
  readonly intake: Intake
  readonly metrics: Metrics
  /** ms since the epoch */
  readonly clock: () => number
}

/** Answer of a route: its status and its body. */
export interface WriteAnswer {
  readonly status: number
  readonly body: object
}

/** Parameters of the address, as they were sent. */
export type Query = Readonly<Record<string, unknown>>

/** Call that takes events in a shape of its own, translates it into a batch, and answers as its clients expect. */
export interface WriteCall {
  readonly method: 'POST' | 'PUT'
  readonly url: string
  /** @throws HopperError HOP_BODY_INVALID or HOP_BODY_TOO_LARGE, when no event can be read on its own */
  readonly read: (body: ParsedBody | undefined, sender: Sender, receivedAt: number, query: Query) => ReadBatch
  readonly answer: (taken: Taken, body: ParsedBody | undefined) => WriteAnswer
  /** finds a key in the body, for requests without one in headers and address */
  readonly keyOf?: (body: ParsedBody | undefined) => string | undefined
}

const SENDER = Symbol('sender')

/** Registers a call that takes events. It answers only after the log has synced the accepted ones. */
export function writeRoute(
  server: FastifyInstance,
  { gate, quotas, intake, metrics, clock }: WriteParts,
  call: WriteCall,
): void {
  if (!server.hasRequestDecorator(SENDER)) server.decorateRequest(SENDER)
  const counted = new Map<number, ReturnType<Metrics['requests']['labels']>>()
  const count = (status: number): void => {
    let entry = counted.get(status)
    if (!entry) counted.set(status, (entry = metrics.requests.labels(String(status), '')))
    entry.inc()
  }
  server.route({
    method: call.method,
    url: call.url,
    config: { access: 'write' },
    onRequest: async (request, reply) => {
      allowAnyOrigin(reply)
      if (call.keyOf && !gate.hasKey(request)) return gate.admitSource(request)
      const sender = await gate.admit(request)
      // before the body is read, too
      await quotas.assertRoom(sender.app)
      request.setDecorator<Sender>(SENDER, sender)
    },
    onError: async (request, _reply, error) => {
      const sender = request.getDecorator<Sender | undefined>(SENDER)
      if (!isRefusedBody(error)) return
      if (sender) gate.chargeRefused(sender, arrivedBytes(request))
      else gate.chargeSource(request, arrivedBytes(request))
    },
    handler: async (request, reply) => {
      const body = request.body as ParsedBody | undefined
      const known = request.getDecorator<Sender | undefined>(SENDER)
      const sender = known ?? (await admitByBody(request, body))
      const read = call.read(body, sender, clock(), request.query as Query)
      const sent = {
        headers: request.headers,
        sender,
        address: request.ip,
        bytes: body?.bytes.length ?? 0,
        keyAnywhere: known === undefined,
      }
      const { status, body: answer } = call.answer(await intake.take(read, sent), body)
      count(status)
      return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(answer))
    },
  })

  async function admitByBody(request: FastifyRequest, body: ParsedBody | undefined): Promise<Sender> {
    const sender = await gate.admitLate(call.keyOf?.(body), request)
    request.setDecorator<Sender>(SENDER, sender)
    return sender
  }
}

function isRefusedBody(error: Error): boolean {
  return error instanceof HopperError && error.status >= 400 && error.status < 500 && error.code !== 'HOP_RATE'
}
