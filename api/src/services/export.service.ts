import type { Readable } from 'node:stream'
import { Inject, Injectable } from '@nestjs/common'
import type { App, Meta } from '@hopper/contracts'
import { exportFormats } from '@hopper/engine'
import type { Logger } from 'pino'
import type { ExportParameters } from '../answers/events/events.ts'
import { invalidFields } from '../http/checked.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import { instantRange } from '../query/instant-range.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LOGGER } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

const BYTE_ORDER_MARK = Buffer.from('\ufeff')

export interface Exported {
  readonly parts: Readable
  readonly mediaType: string
  readonly fileName: string
  readonly meta: Meta
}

/** Exports all events of a range, as fast as the client reads them. */
@Injectable()
export class ExportService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly logger: Logger

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.archived = archived
    this.answers = answers
    this.logger = logger
  }

  async export(app: App, { format, bom, ...parameters }: ExportParameters, client: Client): Promise<Exported> {
    if (bom === '1' && format !== 'csv')
      throw invalidFields([{ field: 'bom', message: 'is only valid with format=csv' }])
    const { from, to, meta } = await this.answers.open(app, parameters)
    const instants = instantRange(app, from, to)
    const context = contextOf(app, meta.complete_to)
    const parts = await this.archived.export(app.id, { format, from: instants.from, to: instants.to }, context, client)
    // The status has been sent by then, so the client only sees a closed connection.
    parts.on('error', (error) => {
      if (!client.signal.aborted)
        this.logger.error({ err: error, app: app.id }, 'an export was truncated: the rest could not be read')
    })
    if (bom === '1') parts.unshift(BYTE_ORDER_MARK)
    const { mediaType, extension } = exportFormats[format]
    return { parts, mediaType, fileName: `hopper-${app.id}-${from}-${to}.${extension}`, meta }
  }
}
