import type { Readable } from 'node:stream'
import { Controller, Inject, Res } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { FastifyReply } from 'fastify'
import { ChangesParameters } from '../answers/report-parameters.ts'
import { Endpoint } from '../http/call.ts'
import { prepareEvents } from '../http/event-stream.ts'
import { CurrentApp, CurrentClient, LastEventId, ValidQuery } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { sharedChanges } from '../sharing/shared-calls.ts'
import { ChangesService } from '../services/changes.service.ts'

@Controller('api/v1/apps/:app/changes')
export class ChangesController {
  private readonly changes: ChangesService

  constructor(@Inject(ChangesService) changes: ChangesService) {
    this.changes = changes
  }

  @Endpoint('GET', '', {
    need: 'read',
    status: 200,
    summary: 'Which reports have changed, as Server-Sent Events',
    query: ChangesParameters,
    media: ['text/event-stream'],
    shared: sharedChanges,
    note:
      'Events `changes` with `{ reports: [path] }`, at most one in a second: reports over these dates that have ' +
      'other answers than before. After a pause it resumes behind the `id` in Last-Event-ID: if anything has ' +
      'changed since, an event follows at once. Without one it begins now, with the `from` and `to` of that moment. ' +
      'Readers of a shared link get no `id`, and their stream ends with their session.',
  })
  async listen(
    @CurrentApp() app: App,
    @ValidQuery() parameters: ChangesParameters,
    @LastEventId() after: string | undefined,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    const stream = await this.changes.listen(app, parameters, after, client)
    prepareEvents(reply)
    return stream
  }
}
