import { Readable } from 'node:stream'
import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { map, type Observable } from 'rxjs'
import { grantedOf } from '../access/caller.ts'
import { SharedSessions } from '../access/shared-sessions.ts'
import { callOf } from '../http/call.ts'

/** Interval at which a reader of a stream is identified again. */
const CHECK_INTERVAL_MS = 5_000

/**
 * Leaves out of an answer to readers of a shared link what does not belong to their view, and ends a stream with its
 * link.
 */
@Injectable()
export class SharedInterceptor implements NestInterceptor {
  private readonly sessions: SharedSessions

  constructor(@Inject(SharedSessions) sessions: SharedSessions) {
    this.sessions = sessions
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { need, shared } = callOf(context.getHandler())
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const scope = need === 'nothing' ? undefined : grantedOf(request).scope
    if (!scope) return next.handle()
    return next.handle().pipe(
      map((value: unknown) => {
        if (value instanceof Readable) this.endWithLink(value, request)
        return shared?.answer ? shared.answer(scope, value as never) : value
      }),
    )
  }

  /** A stream whose reader cannot be identified any more is cut; the next call says why. */
  private endWithLink(stream: Readable, request: FastifyRequest): void {
    const check = (): void => void this.sessions.identify(request).catch(() => stream.destroy())
    const timer = setInterval(check, CHECK_INTERVAL_MS)
    timer.unref()
    stream.once('close', () => clearInterval(timer))
  }
}
