import type { Readable } from 'node:stream'
import { Controller, Inject, Res } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { FastifyReply } from 'fastify'
import { Endpoint } from '../http/call.ts'
import { prepareEvents } from '../http/event-stream.ts'
import { CurrentApp, TheClient } from '../http/parameters.ts'
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
    media: ['text/event-stream'],
    note:
      'Events `event` with the event, its fate and its position in the log; ' +
      '`passed_over` with { messages } when messages were skipped because too many arrived at once.',
  })
  listen(
    @CurrentApp() app: App,
    @TheClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Readable {
    const stream = this.live.listen(app, client)
    prepareEvents(reply)
    return stream
  }
}
