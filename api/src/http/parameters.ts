import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { grantedOf, type Caller } from '../access/caller.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { checkedParts } from './check.interceptor.ts'
import { clientOf } from './client.ts'

const requestOf = (context: ExecutionContext): FastifyRequest => context.switchToHttp().getRequest<FastifyRequest>()

/** Injects the app in the path, or that of the key. */
export const CurrentApp = createParamDecorator(
  (_: unknown, context: ExecutionContext): App => grantedOf(requestOf(context)).app!,
)

export const CurrentCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller => grantedOf(requestOf(context)).caller,
)

/** Injects the parameters, validated against the call's schema. */
export const ValidQuery = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => checkedParts(requestOf(context)).query,
)

/** Injects the body, validated against the call's schema. */
export const ValidBody = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => checkedParts(requestOf(context)).body,
)

/** Injects the client, which waits for the answer and may disconnect before it comes. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client =>
  clientOf(requestOf(context), context.switchToHttp().getResponse<FastifyReply>()),
)

/**
 * Injects the id after which a stream of events resumes. The header is what a reconnecting browser sends, so it takes
 * precedence over the address, which stays the same.
 */
export const LastEventId = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => {
  const request = requestOf(context)
  const header = request.headers['last-event-id']
  if (typeof header === 'string' && header !== '') return header
  return (checkedParts(request).query as { lastEventId?: string }).lastEventId
})

/** Injects a named segment of the path. */
export const PathPart = createParamDecorator(
  (name: string, context: ExecutionContext): string => (requestOf(context).params as Record<string, string>)[name]!,
)
