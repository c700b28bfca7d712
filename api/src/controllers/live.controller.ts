import type { Readable } from 'node:stream'
import { Controller, Inject, Res } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { FastifyReply } from 'fastify'
import { LiveParameters } from '../answers/events/event-store.ts'
import { Endpoint } from '../http/call.ts'
import { prepareEvents } from '../http/event-stream.ts'
import { CurrentApp, LastEventId, CurrentClient, ValidQuery } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LiveService } from '../services/live.service.ts'

@Controller('api/v1/apps/:app/live')
export class LiveController {
  private readonly live: LiveService

  constructor(@Inject(LiveService) live: LiveService) {
    this.live = live
  }

  @Endpoint('GET', '', {
    need: 'read',
    status: 200,
    summary: 'Each event as it is counted, as Server-Sent Events',
    query: LiveParameters,
    media: ['text/event-stream'],
    note:
      'Events `event` with the event, its fate and its position in the log. ' +
      'It resumes after the `id` in Last-Event-ID, without gap or repetition; without one it begins now.',
  })
  async listen(
    @CurrentApp() app: App,
    @ValidQuery() { bots }: LiveParameters,
    @LastEventId() after: string | undefined,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    const stream = await this.live.listen(app, { form: bots === '1' ? 'all' : 'events', name: 'event', after }, client)
    prepareEvents(reply)
    return stream
  }
}
