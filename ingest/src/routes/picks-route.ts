import { HopperError, nameFrom, PickBody, pickOfSubject, strictSchema } from '@hopper/contracts'
import type { Registry, SignedTokens } from '@hopper/storage'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import type { Gate } from '../admission/gate.ts'
import type { Sender } from '../admission/key-check.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'
import { hostOfPage } from '../http/page-host.ts'

const PATH = '/v1/picks'
const SENDER = Symbol('sender of a pick')
const body = Compile(strictSchema(PickBody))

interface Parts {
  readonly gate: Gate
  readonly registry: Registry
  readonly tokens: SignedTokens
}

/**
 * Serves `POST /v1/picks`: a page hands over the element that was picked there, once for each link, to the dashboard,
 * which asks the API for it.
 */
export function picksRoute(server: FastifyInstance, { gate, registry, tokens }: Parts): void {
  onlyMethod(server, 'POST', PATH)
  if (!server.hasRequestDecorator(SENDER)) server.decorateRequest(SENDER)
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    request.setDecorator<Sender>(SENDER, await gate.admit(request))
  }
  server.post(
    PATH,
    {
      config: { access: 'write' },
      onRequest: [
        async (_request, reply) => {
          allowAnyOrigin(reply)
          reply.header('cache-control', 'no-store')
        },
        onRequest,
      ],
    },
    async (request) => {
      const sender = request.getDecorator<Sender>(SENDER)
      const sent = request.body as ParsedBody | undefined
      gate.charge(sender, { events: 1, bytes: sent?.bytes.length ?? 0 })
      if (!body.Check(sent?.value)) throw invalidBody(sent?.value)
      const { token, picked } = sent.value
      const app = sender.app.id
      const verified = await tokens.verify('pick', app, token)
      if ('fault' in verified) throw refused(verified.fault)
      const { id, host } = pickOfSubject(verified.subject)
      if (host !== hostOfPage(request))
        throw new HopperError('HOP_ORIGIN', 'The token of the picker is for a page of another host.')
      const picking = await registry.picks.get(app, id)
      if (!picking || picking.picked) throw refused('used')
      await registry.picks.put(app, id, { ...picking, picked: { ...picked, name: nameFrom(picked.name) } })
      return { taken: true }
    },
  )
}

function refused(reason: string): HopperError {
  return new HopperError('HOP_TOKEN', `The token of the picker is ${reason}.`, { details: { reason } })
}

function invalidBody(value: unknown): HopperError {
  const [first] = body.Errors(value)
  const field = first?.instancePath.slice(1, 100).replaceAll('/', '.') ?? ''
  const what = field === '' ? 'it' : `"${field}"`
  return new HopperError(
    'HOP_BODY_INVALID',
    `The body must be a token and what was picked; ${what} ${first?.message ?? 'is wrong'}.`,
  )
}
