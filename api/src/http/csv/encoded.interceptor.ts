import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { map, type Observable } from 'rxjs'
import { EncodedAnswer } from './encoded-answer.ts'

/** Sends answers that are already encoded as JSON. */
@Injectable()
export class EncodedInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map((answer: unknown) => {
        if (!(answer instanceof EncodedAnswer)) return answer
        const reply = context.switchToHttp().getResponse<FastifyReply>()
        void reply.header('content-type', 'application/json; charset=utf-8')
        if (answer.tag !== undefined) void reply.header('etag', answer.tag)
        return answer.toBuffer()
      }),
    )
  }
}
