import { HopperError, type App } from '@hopper/contracts'
import type { SignedTokens } from '@hopper/storage'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Gate } from '../admission/gate.ts'
import type { Sender } from '../admission/key-check.ts'
import { isId } from '../batch/batch.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { allowAnyOrigin, onlyMethods } from '../http/cors.ts'
import { hostOfPage } from '../http/page-host.ts'

const PATH = '/v1/link'
const TOKEN_MS = 120_000
const SENDER = Symbol('sender of a link')

/**
 * Serves `POST /v1/link` and `GET /v1/link`: a token that hands the device of a visitor from one host of an app to
 * another one in a link. It is valid for two minutes.
 */
export function linkRoutes(server: FastifyInstance, { gate, tokens }: { gate: Gate; tokens: SignedTokens }): void {
  onlyMethods(server, ['GET', 'POST'], PATH)
  server.decorateRequest(SENDER)
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    allowAnyOrigin(reply)
    reply.header('cache-control', 'no-store')
    const sender = await gate.admit(request)
    assertLinked(sender.app, request)
    request.setDecorator<Sender>(SENDER, sender)
  }

  server.post(PATH, { config: { access: 'write' }, onRequest }, async (request) => {
    const sender = request.getDecorator<Sender>(SENDER)
    const body = request.body as ParsedBody | undefined
    gate.charge(sender, { events: 1, bytes: body?.bytes.length ?? 0 })
    const { token } = await tokens.sign('link', sender.app.id, deviceIn(body?.value), TOKEN_MS)
    return { token }
  })

  server.get(PATH, { config: { access: 'write' }, onRequest }, async (request) => {
    const { app } = request.getDecorator<Sender>(SENDER)
    const { token } = request.query as { token?: unknown }
    const verified = await tokens.verify('link', app.id, typeof token === 'string' ? token : '')
    if ('fault' in verified)
      throw new HopperError('HOP_TOKEN', `The token of the link is ${verified.fault}.`, {
        details: { reason: verified.fault },
      })
    return { device_id: verified.subject }
  })
}

function deviceIn(body: unknown): string {
  const { device_id } = (typeof body === 'object' && body !== null ? body : {}) as { device_id?: unknown }
  if (!isId(device_id)) throw new HopperError('HOP_BODY_INVALID', 'The field "device_id" must be the id of a device.')
  return device_id
}

/** @throws HopperError HOP_ORIGIN unless the request comes from a page of a host that shares devices in this app */
function assertLinked({ tracker, origins }: App, request: FastifyRequest): void {
  const linked = tracker?.cross_domains ?? []
  if (linked.length === 0) throw new HopperError('HOP_ORIGIN', 'The app lists no hosts in "cross_domains".')
  const host = hostOfPage(request)
  const allowed = origins.map((origin) => URL.parse(origin)?.host)
  if (host === undefined || !(linked.includes(host) || allowed.includes(host)))
    throw new HopperError('HOP_ORIGIN', `The app shares no devices with ${host ?? 'a page that names no origin'}.`)
}
