import { Inject, Injectable } from '@nestjs/common'
import type { App, Funnel, StageConversion, StageGraph, StageTime, StageUsers } from '@hopper/contracts'
import type { TableReader } from '@hopper/storage'
import type { StageTimeAsked, StagesAsked } from '../answers/asked.ts'
import { largest, newest, ratio, sumBy } from '../answers/rows.ts'
import { READER } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'
import { FunnelsService } from './funnels.service.ts'

/** Questions about the stages that a funnel has now; a stage without data is a row of zeros. */
@Injectable()
export class StagesService {
  private readonly reader: TableReader
  private readonly answers: AnswerService
  private readonly funnels: FunnelsService

  constructor(@Inject(READER) reader: TableReader, @Inject(AnswerService) answers: AnswerService, @Inject(FunnelsService) funnels: FunnelsService) {
    this.reader = reader
    this.answers = answers
    this.funnels = funnels
  }

  /** Unique users per date and stage. */
  async users(app: App, asked: StagesAsked): Promise<StageUsers> {
    const funnel = await this.funnels.chosen(app, asked.funnel)
    const { dates, meta } = await this.answers.open(app, asked)
    if (!funnel) return { rows: [], meta }
    const counted = await this.reader.uniques({
      table: 'stage_users_by_date', app: app.id, dates, prefix: [funnel.id], groupBy: ['date', 'stage'], countBy: asked.count_by ?? 'person',
    })
    const users = new Map(counted.map((row) => [row.group.join(' '), row.users]))
    const rows = dates.flatMap((date) => funnel.stages.map(({ id, name }) => ({ date, stage: id, name, users: users.get(`${date} ${id}`) ?? 0 })))
    return newest(rows, meta)
  }

  /** Unique users per stage over the whole range, against all users of the range. */
  async conversion(app: App, asked: StagesAsked): Promise<StageConversion> {
    const funnel = await this.funnels.chosen(app, asked.funnel)
    const { dates, meta } = await this.answers.open(app, asked)
    const of = { app: app.id, dates, countBy: asked.count_by ?? 'person' } as const
    const [all, counted] = await Promise.all([
      this.reader.uniques({ ...of, table: 'users_by_date', prefix: [], groupBy: [] }),
      funnel ? this.reader.uniques({ ...of, table: 'stage_users_by_date', prefix: [funnel.id], groupBy: ['stage'] }) : [],
    ])
    const total = all[0]?.users ?? 0
    const users = new Map(counted.map((row) => [row.group[0], row.users]))
    const rows = stagesOf(funnel).map(({ id, name }) => ({ stage: id, name, users: users.get(id) ?? 0, rate: ratio(users.get(id) ?? 0, total) }))
    return { total_users: total, rows, meta }
  }

  /** Time from entering a stage to leaving it, over those who left it. */
  async time(app: App, asked: StageTimeAsked): Promise<StageTime> {
    const funnel = await this.funnels.chosen(app, asked.funnel)
    const { dates, meta } = await this.answers.open(app, asked)
    if (!funnel) return { rows: [], meta }
    const counted = await this.reader.counters('stage_time_by_date', app.id, dates, [funnel.id])
    const sums = new Map(sumBy(counted, ({ key }) => [key[1]!]).map(({ key, counters }) => [key[0], counters]))
    const rows = funnel.stages.map(({ id, name }) => {
      const [elapsed = 0, hits = 0] = sums.get(id) ?? []
      return { stage: id, name, elapsed_ms: elapsed, hits, average_seconds: ratio(elapsed / 1000, hits) }
    })
    return { rows, meta }
  }

  /** Unique users per move from stage to stage, between stages that the funnel has. */
  async graph(app: App, asked: StagesAsked): Promise<StageGraph> {
    const funnel = await this.funnels.chosen(app, asked.funnel)
    const { dates, meta } = await this.answers.open(app, asked)
    if (!funnel) return { rows: [], meta }
    const counted = await this.reader.uniques({
      table: 'stage_edges_by_date', app: app.id, dates, prefix: [funnel.id], groupBy: ['from_stage', 'to_stage'], countBy: asked.count_by ?? 'person',
    })
    const known = new Set(funnel.stages.map(({ id }) => id))
    const edges = counted.map(({ group, users }) => ({ from: group[0] === -1 ? null : Number(group[0]), to: Number(group[1]), users }))
    return largest(edges.filter(({ from, to }) => known.has(to) && (from === null || known.has(from))), meta)
  }
}

function stagesOf(funnel: Funnel | undefined): Funnel['stages'] {
  return funnel?.stages ?? []
}
