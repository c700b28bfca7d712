import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { map, type Observable } from 'rxjs'
import { grantedOf } from '../access/caller.ts'
import { callOf } from '../http/call.ts'

/** Leaves out of an answer to readers of a shared link what does not belong to their view. */
@Injectable()
export class SharedInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { need, shared } = callOf(context.getHandler())
    if (need === 'nothing' || !shared?.answer) return next.handle()
    const { scope } = grantedOf(context.switchToHttp().getRequest<FastifyRequest>())
    const { answer } = shared
    return scope ? next.handle().pipe(map((value: unknown) => answer(scope, value as never))) : next.handle()
  }
}
