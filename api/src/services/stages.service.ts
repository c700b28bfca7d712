import { Inject, Injectable } from '@nestjs/common'
import {
  stageNumber,
  type App,
  type Funnel,
  type StageConversion,
  type StageGraph,
  type StageTime,
  type StageUsers,
} from '@hopper/contracts'
import type { TableReader } from '@hopper/storage'
import type { StageTimeParameters, StagesParameters } from '../answers/report-parameters.ts'
import { keepLargest, keepNewest, ratio, sumBy } from '../answers/rows.ts'
import { READER } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'
import { FunnelsService } from './administration/funnels.service.ts'

/** The origin of people who enter a funnel. */
const OUTSIDE = -1

/** Reports on the current stages of a funnel; a stage without data is a row of zeros. */
@Injectable()
export class StagesService {
  private readonly reader: TableReader
  private readonly answers: AnswerService
  private readonly funnels: FunnelsService

  constructor(
    @Inject(READER) reader: TableReader,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(FunnelsService) funnels: FunnelsService,
  ) {
    this.reader = reader
    this.answers = answers
    this.funnels = funnels
  }

  /** Unique users per date and stage. */
  async users(app: App, parameters: StagesParameters): Promise<StageUsers> {
    const funnel = await this.funnels.chosen(app, parameters.funnel)
    const { dates, meta } = await this.answers.open(app, parameters)
    if (!funnel) return { rows: [], meta }
    const counted = await this.reader.uniques({
      table: 'stage_users_by_date',
      app: app.id,
      dates,
      prefix: [funnel.id],
      groupBy: ['date', 'stage'],
      countBy: parameters.count_by ?? 'person',
    })
    const users = new Map(counted.map((row) => [row.group.join(' '), row.users]))
    const rows = dates.flatMap((date) =>
      funnel.stages.map((stage) => ({
        date,
        stage: stage.id,
        name: stage.name,
        users: users.get(`${date} ${stageNumber(stage)}`) ?? 0,
      })),
    )
    return keepNewest(rows, meta)
  }

  /** Unique users per stage over the whole range, relative to all users of the range. */
  async conversion(app: App, parameters: StagesParameters): Promise<StageConversion> {
    const funnel = await this.funnels.chosen(app, parameters.funnel)
    const { dates, meta } = await this.answers.open(app, parameters)
    const scope = { app: app.id, dates, countBy: parameters.count_by ?? 'person' } as const
    const [all, counted] = await Promise.all([
      this.reader.uniques({ ...scope, table: 'users_by_date', prefix: [], groupBy: [] }),
      funnel
        ? this.reader.uniques({ ...scope, table: 'stage_users_by_date', prefix: [funnel.id], groupBy: ['stage'] })
        : [],
    ])
    const total = all[0]?.users ?? 0
    const users = new Map(counted.map((row) => [row.group[0], row.users]))
    const rows = stagesOf(funnel).map((stage) => {
      const entered = users.get(stageNumber(stage)) ?? 0
      return { stage: stage.id, name: stage.name, users: entered, rate: ratio(entered, total) }
    })
    return { total_users: total, rows, meta }
  }

  /** Time between entering and leaving a stage, over those who left it. */
  async time(app: App, parameters: StageTimeParameters): Promise<StageTime> {
    const funnel = await this.funnels.chosen(app, parameters.funnel)
    const { dates, meta } = await this.answers.open(app, parameters)
    if (!funnel) return { rows: [], meta }
    const counted = await this.reader.counters('stage_time_by_date', app.id, dates, [funnel.id])
    const sums = new Map(sumBy(counted, ({ key }) => [key[1]!]).map(({ key, counters }) => [key[0], counters]))
    const rows = funnel.stages.map((stage) => {
      const [elapsed = 0, hits = 0] = sums.get(stageNumber(stage)) ?? []
      return {
        stage: stage.id,
        name: stage.name,
        elapsed_ms: elapsed,
        hits,
        average_seconds: ratio(elapsed / 1000, hits),
      }
    })
    return { rows, meta }
  }

  /** Unique users per transition between the current stages of the funnel. */
  async graph(app: App, parameters: StagesParameters): Promise<StageGraph> {
    const funnel = await this.funnels.chosen(app, parameters.funnel)
    const { dates, meta } = await this.answers.open(app, parameters)
    if (!funnel) return { rows: [], meta }
    const counted = await this.reader.uniques({
      table: 'stage_edges_by_date',
      app: app.id,
      dates,
      prefix: [funnel.id],
      groupBy: ['from_stage', 'to_stage'],
      countBy: parameters.count_by ?? 'person',
    })
    const ids = new Map(funnel.stages.map((stage) => [stageNumber(stage), stage.id]))
    const edges = counted.flatMap(({ group, users }) => {
      const [from, to] = [group[0] === OUTSIDE ? null : ids.get(Number(group[0])), ids.get(Number(group[1]))]
      return from === undefined || to === undefined ? [] : [{ from, to, users }]
    })
    return keepLargest(edges, meta)
  }
}

function stagesOf(funnel: Funnel | undefined): Funnel['stages'] {
  return funnel?.stages ?? []
}
