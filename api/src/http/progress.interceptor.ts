import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { HopperError } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { firstValueFrom, from, type Observable } from 'rxjs'
import { LOGGER } from '../tokens.ts'
import { callOf } from './call.ts'
import { clientOf, type HttpClient } from './client.ts'
import { acceptsEventStream, EventStream, prepareEvents } from './event-stream.ts'

const PROGRESS_INTERVAL_MS = 100

/**
 * Streams the progress of a query and finally its answer to clients that accept events. A failure before the first
 * progress is an ordinary error.
 */
@Injectable()
export class ProgressInterceptor implements NestInterceptor {
  private readonly logger: Logger

  constructor(@Inject(LOGGER) logger: Logger) {
    this.logger = logger
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const reply = context.switchToHttp().getResponse<FastifyReply>()
    if (!callOf(context.getHandler()).progress || !acceptsEventStream(request.headers.accept)) return next.handle()
    const stream = new EventStream()
    const started = firstProgress(clientOf(request, reply), stream)
    return from(this.streamed(firstValueFrom(next.handle() as Observable<unknown>), started, stream, reply))
  }

  private async streamed(
    answer: Promise<unknown>,
    started: Promise<void>,
    stream: EventStream,
    reply: FastifyReply,
  ): Promise<EventStream> {
    await Promise.race([started, answer])
    prepareEvents(reply)
    answer
      .then(
        (value) => stream.send('answer', value),
        (error: unknown) => {
          const known = error instanceof HopperError ? error : new HopperError('HOP_INTERNAL')
          if (known.status >= 500) this.logger.error({ err: error }, 'a query failed')
          stream.send('error', known.toBody())
        },
      )
      .finally(() => stream.end())
    return stream
  }
}

/** Resolves with the first progress; later ones are sent at limited frequency. */
function firstProgress(client: HttpClient, stream: EventStream): Promise<void> {
  let last = -Infinity
  return new Promise((resolve) => {
    client.progress = (progress) => {
      const now = performance.now()
      if (now - last < PROGRESS_INTERVAL_MS) return
      last = now
      stream.send('progress', progress)
      resolve()
    }
  })
}
