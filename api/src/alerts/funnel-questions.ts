import { Inject, Injectable } from '@nestjs/common'
import type { App, FunnelAnswer, FunnelQuery } from '@hopper/contracts'
import { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { QueryService } from '../services/query.service.ts'

/** Queries funnels for the checks of alerts, as one caller with its own share of the query threads. */
@Injectable()
export class FunnelQuestions {
  private readonly queries: QueryService

  constructor(@Inject(QueryService) queries: QueryService) {
    this.queries = queries
  }

  async ask(app: App, query: FunnelQuery, signal: AbortSignal): Promise<FunnelAnswer> {
    const answer = await this.queries.funnel(app, query, clientOf(signal))
    return answer instanceof EncodedAnswer ? (JSON.parse(answer.toBuffer().toString()) as FunnelAnswer) : answer
  }
}

/** The client as which alerts ask. */
export function clientOf(signal: AbortSignal): Client {
  return { signal, caller: 'alerts' }
}
