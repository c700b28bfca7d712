import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { map, type Observable } from 'rxjs'
import { callOf } from './call.ts'
import { csvShape, prefersCsv, toCsv } from './csv.ts'

/** Answers the rows of a report as CSV to whoever prefers that. What JSON says in `meta` stands in headers then. */
@Injectable()
export class CsvInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { csv, answer } = callOf(context.getHandler())
    if (!csv || !answer) return next.handle()
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const reply = context.switchToHttp().getResponse<FastifyReply>()
    void reply.header('vary', 'accept')
    if (!prefersCsv(request.headers.accept)) return next.handle()
    const { list, columns } = csvShape(answer)
    return next.handle().pipe(
      map((body: { meta: { complete_to: number; truncated?: boolean } } & Record<string, unknown>) => {
        void reply.header('content-type', 'text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="hopper.csv"')
        void reply.header('x-hopper-complete-to', body.meta.complete_to)
        if (body.meta.truncated) void reply.header('x-hopper-truncated', 'true')
        return toCsv(columns, body[list] as Record<string, string | number | null>[])
      }),
    )
  }
}
