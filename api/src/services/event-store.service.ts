import { setTimeout as pause } from 'node:timers/promises'
import { Inject, Injectable } from '@nestjs/common'
import { keptFromInstant, HopperError, limits, type App } from '@hopper/contracts'
import type { EventLog, TableReader } from '@hopper/storage'
import { SESSION_EVENTS_MAX, type PutEventsParameters, type SessionView } from '../answers/events/event-store.ts'
import { PAGE_EVENTS_DEFAULT } from '../answers/events/events.ts'
import { pageCursor, pageStart } from '../answers/events/page-cursor.ts'
import { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import type { PutsHead, PutsRequest } from '../query/query.ts'
import type { Headed } from '../query/result.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { CLOCK, LOG, READER, type Clock } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

/**
 * Time from the receipt of an event until the log has it. The order of events that were received longer ago is final,
 * unless ingest could not reach the log for that long.
 */
const APPEND_MS_MAX = 1_000

export interface PutPage {
  readonly answer: EncodedAnswer
  /** cursor of the next page; absent for an empty page, after which the caller's own start remains valid */
  readonly next?: string
  readonly completeTo: number | null
}

/** Reads the events received by `PUT /events`, and sessions, as the event store returns them. */
@Injectable()
export class EventStoreService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly reader: TableReader
  private readonly clock: Clock
  private readonly lanes: number

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(READER) reader: TableReader,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOG) log: EventLog,
  ) {
    this.archived = archived
    this.answers = answers
    this.reader = reader
    this.clock = clock
    this.lanes = log.lanes
  }

  async events(
    app: App,
    { start, limit = PAGE_EVENTS_DEFAULT }: PutEventsParameters,
    client: Client,
  ): Promise<PutPage> {
    const { starts: places, skip } = pageStart(start, this.lanes)
    const request = { from: keptFromInstant(app), to: Number.MAX_SAFE_INTEGER, places, skip, limit }
    let page = await this.page(app, request, client)
    // The caller expects events that are counted already; within a second, their order is final.
    const known = page.completeTo ?? 0
    const waitMs = known + APPEND_MS_MAX + 1 - this.clock()
    if (waitMs > 0 && (page.head.excluded ?? Infinity) <= known) {
      await pause(waitMs, undefined, { signal: client.signal }).catch(() => undefined)
      page = await this.page(app, request, client)
    }
    const { head, body, completeTo } = page
    return {
      answer: new EncodedAnswer([body], head.digest),
      ...(head.events > 0 && { next: pageCursor(head.next) }),
      completeTo,
    }
  }

  async session(app: App, id: string, client: Client): Promise<SessionView> {
    const { complete_to } = (await this.answers.open(app, {})).meta
    const known = await this.reader.session(app.id, id)
    if (!known || known.end < keptFromInstant(app))
      throw new HopperError('HOP_NOT_FOUND', 'No event of this app names this session; check the id and the key.')
    const { end } = known
    const start = Math.max(known.start, keptFromInstant(app))
    const { result } = await this.archived.ask<'session'>(
      app.id,
      { kind: 'session', request: { id, from: start, to: end + 1, limit: SESSION_EVENTS_MAX } },
      contextOf(app, complete_to),
      client,
    )
    const isOver = complete_to !== null && complete_to >= end + limits.sessionPauseMs
    return {
      type: 'SESSION',
      start: result.started ?? start,
      end: result.ended ?? (isOver ? end : null),
      children: result.children.map((child) => ({ type: 'EVENT', ...child })),
      ...(result.hasMore && { truncated: true }),
    }
  }

  private async page(
    app: App,
    request: Omit<PutsRequest, 'before'>,
    client: Client,
  ): Promise<Headed<PutsHead> & { readonly completeTo: number | null }> {
    // read the proved instant before the archive, so that everything received before it is there
    const { complete_to: completeTo } = (await this.answers.open(app, {})).meta
    // while no instant is proved, no order is certain
    const before = completeTo === null ? 0 : completeTo - APPEND_MS_MAX
    const { result } = await this.archived.ask<'puts'>(
      app.id,
      { kind: 'puts', request: { ...request, before } },
      contextOf(app, 0),
      client,
    )
    return { ...result, completeTo }
  }
}
