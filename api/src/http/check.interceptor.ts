import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { HopperError } from '@hopper/contracts'
import type { FastifyRequest } from 'fastify'
import type { Observable } from 'rxjs'
import { Type, type TObject } from 'typebox'
import { grantedOf } from '../access/caller.ts'
import { callOf, parametersOf, type Call } from './call.ts'
import { checkedBody, checkedQuery } from './checked.ts'
import { isCredential } from './credential.ts'

const nothing = Type.Object({})

interface Checked {
  readonly query: unknown
  readonly body: unknown
  /** the requested CSV format */
  readonly style: { readonly bom?: string; readonly decimal?: string }
}
const parameterSchemas = new WeakMap<Call, TObject>()
const results = new WeakMap<FastifyRequest, Checked>()

/**
 * Validates parameters and body of every call before its handler runs; unknown ones are refused by name. The question
 * of a reader of a shared link becomes the one of its view.
 */
@Injectable()
export class CheckInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const call = callOf(context.getHandler())
    if (call.lenient) results.set(request, { query: lenientQuery(call, request), body: undefined, style: {} })
    else results.set(request, sharedQuestion(call, request, { ...queryOf(call, request), body: bodyOf(call, request) }))
    return next.handle()
  }
}

function sharedQuestion({ need, shared }: Call, request: FastifyRequest, parts: Checked): Checked {
  if (need === 'nothing' || need === 'shared') return parts
  const { caller, scope } = grantedOf(request)
  if (caller.kind !== 'shared') return parts
  if (!shared || !scope) throw new HopperError('HOP_SHARED_VIEW')
  return { ...parts, ...shared.ask(scope, parts) }
}

/** Returns the validated parts of a request. */
export function checkedParts(request: FastifyRequest): Checked {
  const parts = results.get(request)
  if (!parts) throw new TypeError('this request has not been validated')
  return parts
}

function queryOf(call: Call, request: FastifyRequest): Pick<Checked, 'query' | 'style'> {
  const { key, ...others } = request.query as Record<string, unknown>
  const isParameter = key !== undefined && !isCredential(call, key)
  const query = checkedQuery(parametersOfCall(call), isParameter ? { ...others, key } : others) as Record<
    string,
    unknown
  >
  if (!call.csv) return { query, style: {} }
  const { bom, decimal, ...own } = query
  return { query: own, style: { bom, decimal } as Checked['style'] }
}

/** Returns one schema object per call, so that it is compiled only once. */
function parametersOfCall(call: Call): TObject {
  let parameters = parameterSchemas.get(call)
  if (!parameters) parameterSchemas.set(call, (parameters = parametersOf(call) ?? nothing))
  return parameters
}

/** Treats an empty body as absent for calls without a body: many clients send a content type by default. */
function bodyOf({ body }: Call, request: FastifyRequest): unknown {
  if (body) return checkedBody(body, request.body)
  return request.body === undefined || request.body === null ? undefined : checkedBody(nothing, request.body)
}

/** Drops parameters that the call does not know: probes and links add their own. */
function lenientQuery({ query }: Call, request: FastifyRequest): unknown {
  const known = Object.keys(query?.properties ?? {})
  const sent = Object.entries(request.query as Record<string, unknown>).filter(([name]) => known.includes(name))
  return checkedQuery(query ?? nothing, Object.fromEntries(sent))
}
