import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { HopperError, toCsv, type CsvStyle } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { map, type Observable } from 'rxjs'
import { callOf, tableOfCall, type Call } from '../call.ts'
import { checkedParts } from '../check.interceptor.ts'
import { columnsOf, prefersCsv, acceptsOnlyCsv } from './csv.ts'
import { EncodedAnswer } from './encoded-answer.ts'
import { EventStream } from '../event-stream.ts'

type Body = { readonly meta?: { readonly complete_to: number | null; readonly truncated?: boolean } }

/** Answers rows as CSV if the client prefers it. The `meta` of the JSON answer is then sent in headers. */
@Injectable()
export class CsvInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const call = callOf(context.getHandler())
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const reply = context.switchToHttp().getResponse<FastifyReply>()
    const { accept } = request.headers
    const table = tableOfCall(call)
    if (!table) {
      refuseCsvOnly(call, accept)
      return next.handle()
    }
    void reply.header('vary', 'accept')
    if (!prefersCsv(accept)) return next.handle()
    const style = styleOf(request)
    return next.handle().pipe(
      map((answer: Body | EncodedAnswer | EventStream) => {
        // a client that also accepts events gets progress and answer as events
        if (answer instanceof EventStream) return answer
        const body = answer instanceof EncodedAnswer ? decodeAnswer(answer) : answer
        void reply
          .header('content-type', 'text/csv; charset=utf-8')
          .header('content-disposition', 'attachment; filename="hopper.csv"')
        const known = body.meta?.complete_to ?? undefined
        if (known !== undefined) void reply.header('x-hopper-complete-to', known)
        if (body.meta?.truncated) void reply.header('x-hopper-truncated', 'true')
        const rows = table.rows(body as never)
        return toCsv(columnsOf(table, rows), rows, style)
      }),
    )
  }
}

/** Refuses a client that accepts only CSV before the call does any work. */
function refuseCsvOnly({ media, answer, lenient }: Call, accept: string | undefined): void {
  if (media || lenient || !answer || !acceptsOnlyCsv(accept)) return
  throw new HopperError(
    'HOP_NOT_ACCEPTABLE',
    'This answer is not a table, so it is not available as CSV; ask for application/json.',
  )
}

function styleOf(request: FastifyRequest): CsvStyle {
  const { bom, decimal } = checkedParts(request).style
  return { bom: bom === '1', decimalComma: decimal === 'comma' }
}

/** Decodes an answer that a query thread encoded as JSON; its bounds keep it small enough to parse here. */
function decodeAnswer(answer: EncodedAnswer): Body {
  return JSON.parse(answer.toBuffer().toString('utf8')) as Body
}
