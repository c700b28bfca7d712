import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type { Observable } from 'rxjs'
import { Type, type TObject } from 'typebox'
import { callOf, parametersOf, type Call } from './call.ts'
import { checkedBody, checkedQuery } from './checked.ts'
import { isCredential } from './credential.ts'

const nothing = Type.Object({})

interface Checked {
  readonly query: unknown
  readonly body: unknown
}
const results = new WeakMap<FastifyRequest, Checked>()

/** Checks query and body of every call before its handler runs; what a call does not know is refused by name. */
@Injectable()
export class CheckInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const call = callOf(context.getHandler())
    if (!call.lenient) results.set(request, { query: queryOf(call, request), body: bodyOf(call, request) })
    else results.set(request, { query: lenientQuery(call, request), body: undefined })
    return next.handle()
  }
}

/** What the interceptor has let through. */
export function checkedParts(request: FastifyRequest): Checked {
  const parts = results.get(request)
  if (!parts) throw new TypeError('a request that was not checked')
  return parts
}

function queryOf(call: Call, request: FastifyRequest): unknown {
  const { key, ...others } = request.query as Record<string, unknown>
  const isParameter = key !== undefined && !isCredential(call, key)
  return checkedQuery(parametersOf(call) ?? nothing, isParameter ? { ...others, key } : others)
}

/** A call that takes no body takes an empty one as well: clients name a content type by habit. */
function bodyOf({ body }: Call, request: FastifyRequest): unknown {
  if (body) return checkedBody(body, request.body)
  return request.body === undefined || request.body === null ? undefined : checkedBody(nothing, request.body)
}

/** Only the parameters that the call knows: probes and links carry others, which mean nothing to us. */
function lenientQuery({ query }: Call, request: FastifyRequest): unknown {
  const known = Object.keys(query?.properties ?? {})
  const sent = Object.entries(request.query as Record<string, unknown>).filter(([name]) => known.includes(name))
  return checkedQuery((query ?? nothing) as TObject, Object.fromEntries(sent))
}
