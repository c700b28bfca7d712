import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { grantedOf, type Caller } from '../access/caller.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { checkedParts } from './check.interceptor.ts'
import { clientOf } from './client.ts'

const requestOf = (context: ExecutionContext): FastifyRequest => context.switchToHttp().getRequest<FastifyRequest>()

/** The app that the path names. */
export const CurrentApp = createParamDecorator(
  (_: unknown, context: ExecutionContext): App => grantedOf(requestOf(context)).app!,
)

export const TheCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller => grantedOf(requestOf(context)).caller,
)

/** The query, checked against the call's schema. */
export const ValidQuery = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => checkedParts(requestOf(context)).query,
)

/** The body, checked against the call's schema. */
export const ValidBody = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => checkedParts(requestOf(context)).body,
)

/** Who waits for the answer, and may leave before it comes. */
export const TheClient = createParamDecorator((_: unknown, context: ExecutionContext): Client =>
  clientOf(requestOf(context), context.switchToHttp().getResponse<FastifyReply>()),
)

/** A named part of the path. */
export const PathPart = createParamDecorator(
  (name: string, context: ExecutionContext): string => (requestOf(context).params as Record<string, string>)[name]!,
)
