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
        void context
          .switchToHttp()
          .getResponse<FastifyReply>()
          .header('content-type', 'application/json; charset=utf-8')
        return answer.toBuffer()
      }),
    )
  }
}
