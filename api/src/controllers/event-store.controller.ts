import type { Readable } from 'node:stream'
import { Controller, Inject, Res } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { FastifyReply } from 'fastify'
import { PutEvents, PutEventsParameters, SessionView, StreamParameters } from '../answers/events/event-store.ts'
import { Endpoint } from '../http/call.ts'
import type { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { prepareEvents } from '../http/event-stream.ts'
import { CurrentApp, LastEventId, PathPart, CurrentClient, ValidQuery } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { EventStoreService } from '../services/event-store.service.ts'
import { LiveService } from '../services/live.service.ts'

const LIVE = '/api/v1/apps/APP/live'
const RESUMES = 'It resumes after the `id` in Last-Event-ID, without gap or repetition; without one it begins now.'

/** The event store at the root of the API: the read key determines the app. */
@Controller()
export class EventStoreController {
  private readonly store: EventStoreService
  private readonly live: LiveService

  constructor(@Inject(EventStoreService) store: EventStoreService, @Inject(LiveService) live: LiveService) {
    this.store = store
    this.live = live
  }

  @Endpoint('GET', 'events', {
    need: 'read',
    ofKey: '/api/v1/apps/APP/events',
    summary: 'The events that came by PUT, in the order of their receipt',
    note:
      'Later events only follow, so an index never shifts. The header `Link: <…>; rel="next"` has the cursor of the ' +
      'next page; an empty page has none: ask again with the same start.',
    query: PutEventsParameters,
    answer: PutEvents,
  })
  async events(
    @CurrentApp() app: App,
    @ValidQuery() parameters: PutEventsParameters,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EncodedAnswer> {
    const { answer, next, completeTo } = await this.store.events(app, parameters, client)
    if (completeTo !== null) void reply.header('x-hopper-complete-to', completeTo)
    const limit = parameters.limit === undefined ? '' : `&limit=${parameters.limit}`
    if (next !== undefined) void reply.header('link', `</events?start=${next}${limit}>; rel="next"`)
    return answer
  }

  @Endpoint('GET', 'eventstream', {
    need: 'read',
    ofKey: LIVE,
    status: 200,
    summary: 'Each event that came by PUT once it is counted, as Server-Sent Events',
    note: `An event has the form of GET /events. ${RESUMES}`,
    query: StreamParameters,
    media: ['text/event-stream'],
  })
  puts(
    @CurrentApp() app: App,
    @LastEventId() after: string | undefined,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return this.stream(app, 'puts', after, client, reply)
  }

  @Endpoint('GET', 'database_events', {
    need: 'read',
    ofKey: LIVE,
    status: 200,
    summary: 'Each event of the app as it is counted, as Server-Sent Events',
    note: `An event has its fate and its position in the log. ${RESUMES}`,
    query: StreamParameters,
    media: ['text/event-stream'],
  })
  all(
    @CurrentApp() app: App,
    @LastEventId() after: string | undefined,
    @CurrentClient() client: Client,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    return this.stream(app, 'events', after, client, reply)
  }

  @Endpoint('GET', 'session/:uuid', {
    need: 'read',
    ofKey: 'a read key, which the settings page of the app creates',
    summary: 'A session: its start, its end, and its events by time',
    answer: SessionView,
  })
  session(@CurrentApp() app: App, @PathPart('uuid') id: string, @CurrentClient() client: Client): Promise<SessionView> {
    return this.store.session(app, id, client)
  }

  private async stream(
    app: App,
    form: 'puts' | 'events',
    after: string | undefined,
    client: Client,
    reply: FastifyReply,
  ): Promise<Readable> {
    const stream = await this.live.listen(app, { form, after }, client)
    prepareEvents(reply)
    return stream
  }
}
