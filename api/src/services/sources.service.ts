import { Inject, Injectable } from '@nestjs/common'
import type { App, Meta, SourceOrder, SourcePlace } from '@hopper/contracts'
import {
  SOURCES_DEFAULT,
  type LossAnswer,
  type LossParameters,
  type SourcesAnswer,
  type SourcesParameters,
} from '../answers/report-parameters.ts'
import { sourcePlace, sourcesCursor } from '../answers/cursors/sources-cursor.ts'
import { ArchiveQueries, type Answer } from '../query/archive-queries.ts'
import { filtersOf } from '../query/filters-parameter.ts'
import { instantRange } from '../query/instant-range.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { AnswerService } from './answer.service.ts'
import { PropertiesService } from './people/properties.service.ts'

const ORDER_DEFAULT = '-users'

/** Where visitors come from, and which events of theirs never arrive: reports that the archive answers. */
@Injectable()
export class SourcesService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly properties: PropertiesService

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(PropertiesService) properties: PropertiesService,
  ) {
    this.archived = archived
    this.answers = answers
    this.properties = properties
  }

  /** Users and sessions by a part of their source. */
  async sources(app: App, parameters: SourcesParameters, client: Client): Promise<SourcesAnswer> {
    const { by, filters, search, order = ORDER_DEFAULT, cursor, limit = SOURCES_DEFAULT, count_by } = parameters
    const range = await this.answers.open(app, parameters)
    const { from, to } = instantRange(app, range.from, range.to)
    const after: SourcePlace | undefined = cursor === undefined ? undefined : sourcePlace(cursor, `${by} ${order}`)
    const request = {
      from,
      to,
      by,
      filters: filtersOf('filters', filters),
      count_by: count_by ?? 'person',
      order: order.replace(/^-/, '') as SourceOrder,
      descending: order.startsWith('-'),
      limit,
      ...(search === undefined ? {} : { search }),
      ...(after === undefined ? {} : { after }),
    }
    const context = await this.properties.contextOf(app, range.meta.complete_to, request)
    const answer = await this.archived.ask<'sources'>(app.id, { kind: 'sources', request }, context, client)
    const { total_users, rows, next } = answer.result
    return {
      total_users,
      rows: [...rows],
      ...(next && { next: sourcesCursor(`${by} ${order}`, next) }),
      meta: metaOf(range.meta, answer),
    }
  }

  /** Events that trackers have numbered and that never arrived. */
  async loss(app: App, { by = 'day', filters, ...parameters }: LossParameters, client: Client): Promise<LossAnswer> {
    const range = await this.answers.open(app, parameters)
    const { from, to } = instantRange(app, range.from, range.to)
    const request = { from, to, by, filters: filtersOf('filters', filters) }
    const context = await this.properties.contextOf(app, range.meta.complete_to, request)
    const answer = await this.archived.ask<'loss'>(app.id, { kind: 'loss', request }, context, client)
    const { open_sessions, rows } = answer.result
    return { open_sessions, rows: [...rows], meta: metaOf(range.meta, answer) }
  }
}

function metaOf(meta: Meta, { encoded, completeTo }: Answer): Meta {
  return {
    ...meta,
    complete_to: meta.complete_to === null ? null : completeTo,
    ...(encoded.isTruncated && { truncated: true }),
  }
}
