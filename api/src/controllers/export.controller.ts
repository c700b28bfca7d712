import type { Readable } from 'node:stream'
import { Controller, Inject, Res } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { exportFormats } from '@hopper/engine'
import type { FastifyReply } from 'fastify'
import { ExportParameters } from '../answers/events/events.ts'
import { Endpoint } from '../http/call.ts'
import { ValidQuery, CurrentApp, CurrentClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { ExportService } from '../services/export.service.ts'

@Controller('api/v1/apps/:app/export')
export class ExportController {
  private readonly exports: ExportService

  constructor(@Inject(ExportService) exports: ExportService) {
    this.exports = exports
  }

  @Endpoint('GET', '', {
    need: 'read',
    status: 200,
    summary: 'All events of a range, streamed',
    query: ExportParameters,
    media: Object.values(exportFormats).map(({ mediaType }) => mediaType),
    note:
      'In csv, texts that a spreadsheet would run as a formula get a leading apostrophe. ' +
      'If the connection is closed before the end, the rest could not be read.',
  })
  async export(
    @CurrentApp() app: App,
    @ValidQuery() parameters: ExportParameters,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    const { parts, mediaType, fileName, meta } = await this.exports.export(app, parameters, client)
    void reply.headers({
      'content-type': mediaType,
      'content-disposition': `attachment; filename="${fileName}"`,
      ...(meta.complete_to !== null && { 'x-hopper-complete-to': meta.complete_to }),
    })
    return parts
  }
}
