import type { Readable } from 'node:stream'
import { Inject, Injectable } from '@nestjs/common'
import type { App, Meta } from '@hopper/contracts'
import { exportFormats } from '@hopper/engine'
import type { ExportAsked } from '../answers/events.ts'
import { ArchiveQuestions } from '../query/archive-questions.ts'
import { instantRange } from '../query/instant-range.ts'
import type { Client } from '../query/shared-runs.ts'
import { AnswerService } from './answer.service.ts'

export interface Exported {
  readonly parts: Readable
  readonly mediaType: string
  readonly fileName: string
  readonly meta: Meta
}

/** All events of a range, handed out as fast as the client takes them. */
@Injectable()
export class ExportService {
  private readonly archived: ArchiveQuestions
  private readonly answers: AnswerService

  constructor(@Inject(ArchiveQuestions) archived: ArchiveQuestions, @Inject(AnswerService) answers: AnswerService) {
    this.archived = archived
    this.answers = answers
  }

  async export(app: App, { format, ...asked }: ExportAsked, client: Client): Promise<Exported> {
    const { from, to, meta } = await this.answers.open(app, asked)
    const instants = instantRange(app, from, to)
    const context = { timezone: app.timezone, completeTo: meta.complete_to }
    const parts = await this.archived.export(app.id, { format, from: instants.from, to: instants.to }, context, client)
    const { mediaType, extension } = exportFormats[format]
    return { parts, mediaType, fileName: `hopper-${app.id}-${from}-${to}.${extension}`, meta }
  }
}
