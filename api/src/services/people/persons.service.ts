import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type App } from '@hopper/contracts'
import type { EventLog } from '@hopper/storage'
import { eventView, PAGE_EVENTS_DEFAULT } from '../../answers/events/events.ts'
import {
  PERSONS_DEFAULT,
  type Person,
  type PersonParameters,
  type Persons,
  type PersonsParameters,
} from '../../answers/people.ts'
import { eventPlace, personPlace, personsCursor, timelineCursor } from '../../answers/cursors/persons-cursor.ts'
import { filtersOf } from '../../query/filters-parameter.ts'
import { ArchiveQueries } from '../../query/archive-queries.ts'
import { contextOf } from '../../query/context-of.ts'
import { instantRange } from '../../query/instant-range.ts'
import type { Client } from '../../query/sharing/shared-runs.ts'
import { LOG } from '../../tokens.ts'
import { AnswerService } from '../answer.service.ts'
import { PropertiesService } from './properties.service.ts'

const ORDER_DEFAULT = '-last_seen'

/** Lists persons, and returns the details of one. */
@Injectable()
export class PersonsService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly properties: PropertiesService
  private readonly lanes: number

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(PropertiesService) properties: PropertiesService,
    @Inject(LOG) log: EventLog,
  ) {
    this.archived = archived
    this.answers = answers
    this.properties = properties
    this.lanes = log.lanes
  }

  async list(
    app: App,
    { search, filter, order = ORDER_DEFAULT, cursor, limit = PERSONS_DEFAULT, ...parameters }: PersonsParameters,
    client: Client,
  ): Promise<Persons> {
    const range = await this.answers.open(app, parameters)
    const { from, to } = instantRange(app, range.from, range.to)
    const request = {
      from,
      to,
      filters: filtersOf('filter', filter),
      order: order.replace(/^-/, ''),
      descending: order.startsWith('-'),
      limit,
      lanes: this.lanes,
      ...(search === undefined ? {} : { search }),
      ...(cursor === undefined ? {} : { after: personPlace(cursor, order) }),
    }
    const context = await this.properties.within(app, contextOf(app, range.meta.complete_to))
    const { result } = await this.archived.ask<'persons'>(app.id, { kind: 'persons', request }, context, client)
    return {
      persons: result.persons.map((person) => ({
        ...person,
        users: [...person.users],
        traits: { ...person.traits },
        properties: { ...person.properties },
      })),
      ...(result.next ? { next: personsCursor(order, result.next) } : {}),
      meta: range.meta,
    }
  }

  /** Returns devices, traits, computed properties and timeline of a person. */
  async one(
    app: App,
    id: string,
    { limit = PAGE_EVENTS_DEFAULT, cursor, ...parameters }: PersonParameters,
    client: Client,
  ): Promise<Person> {
    const range = await this.answers.open(app, parameters)
    const { from, to } = instantRange(app, range.from, range.to)
    const [kind, name] = /^[ud]:/.test(id)
      ? [id.startsWith('d:') ? ('device' as const) : ('user' as const), id.slice(2)]
      : ['user' as const, id]
    const before = cursor === undefined ? {} : { before: eventPlace(cursor) }
    const request = { kind, id: name, from, to, lanes: this.lanes, limit, ...before }
    const context = await this.properties.within(app, contextOf(app, range.meta.complete_to))
    const { result } = await this.archived.ask<'person'>(app.id, { kind: 'person', request }, context, client)
    if (result.events === 0)
      throw new HopperError(
        'HOP_NOT_FOUND',
        `No person with this id has events from ${range.from} to ${range.to}; widen from and to if they are older.`,
      )
    const { users, devices, traits, properties, events, timeline, more } = result
    const last = timeline.at(-1)
    return {
      id: `${kind === 'user' ? 'u' : 'd'}:${name}`,
      users: [...users],
      devices: [...devices],
      traits: { ...traits },
      properties: { ...properties },
      events,
      timeline: timeline.map(eventView),
      ...(more && last ? { next: timelineCursor(last) } : {}),
      meta: range.meta,
    }
  }
}
