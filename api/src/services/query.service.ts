import { Inject, Injectable } from '@nestjs/common'
import {
  pageOf,
  pastXPaths,
  xpathsOf,
  type App,
  type ElementsQuery,
  type EventRequest,
  type Filter,
  type FunnelQuery,
  type FunnelRequest,
  type HesitationQuery,
  type InsteadQuery,
  type JourneyPeopleQuery,
  type Meta,
  type PeopleQuery,
  type PointerType,
  type RetentionRequest,
} from '@hopper/contracts'
import { stepsOfFunnel } from '@hopper/engine'
import { peoplePlace } from '../answers/cursors/people-cursor.ts'
import type { JourneysParameters } from '../answers/report-parameters.ts'
import { invalidFields } from '../http/checked.ts'
import { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { filtersOf, groupsOf } from '../query/filters-parameter.ts'
import { instantRange } from '../query/instant-range.ts'
import type { Query, Results } from '../query/query.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LANES_COUNT } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'
import { ElementsService } from './administration/elements.service.ts'
import { FunnelsService } from './administration/funnels.service.ts'
import { PropertiesService } from './people/properties.service.ts'

/** Rows of a page of people, unless the query says how many. */
const PEOPLE_ROWS_DEFAULT = 100

type BodyOf<T, Ends extends keyof T> = Omit<T, Ends> & Record<Ends, number | string>
export type EventQueryBody = BodyOf<EventRequest, 'start' | 'end'>
export type RetentionQueryBody = BodyOf<RetentionRequest, 'from' | 'to'>
type Answered<K extends keyof Results> = Promise<(Results[K] & { meta: Meta }) | EncodedAnswer>

/** Runs queries over all events, answered from the archive. */
@Injectable()
export class QueryService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly funnels: FunnelsService
  private readonly properties: PropertiesService
  private readonly lanes: number
  private readonly configured: ElementsService

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(FunnelsService) funnels: FunnelsService,
    @Inject(PropertiesService) properties: PropertiesService,
    @Inject(LANES_COUNT) lanes: number,
    @Inject(ElementsService) configured: ElementsService,
  ) {
    this.archived = archived
    this.configured = configured
    this.answers = answers
    this.funnels = funnels
    this.properties = properties
    this.lanes = lanes
  }

  /** Counts the people who reach each step, and the causes of those who drop out. */
  async funnel(app: App, { funnel, steps, ...sent }: FunnelQuery, client: Client): Answered<'funnel'> {
    checkOneOf(steps, funnel)
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    const written = steps ?? (await this.stepsOf(app, funnel!))
    return this.answer(app, dates, { kind: 'funnel', request: { ...sent, from, to, steps: written } }, client)
  }

  /** Answers how people hover over an element, and how those who went on in a funnel differ from those lost. */
  async hesitation(
    app: App,
    { element, funnel, step, pointer = 'mouse', ...sent }: HesitationQuery,
    client: Client,
  ): Answered<'hesitation'> {
    if (step !== undefined && funnel === undefined)
      throw invalidFields([{ field: 'step', message: 'needs a `funnel` of which it is a step' }])
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    const steps = funnel === undefined ? undefined : await this.stepsOf(app, funnel)
    const request = {
      ...sent,
      from,
      to,
      hovers: hoversOf(element === undefined ? undefined : await this.namesOf(app, element), pointer),
      ...(steps ? { steps } : {}),
      ...(step === undefined ? {} : { step }),
    }
    return this.answer(app, dates, { kind: 'hesitation', request }, client)
  }

  /** Answers how people look at each element and click it, and how those who went all the way in a funnel differ. */
  async elements(app: App, { funnel, ...sent }: ElementsQuery, client: Client): Answered<'elements'> {
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    const steps = funnel === undefined ? undefined : await this.stepsOf(app, funnel)
    const actions = { hovers: hoversOf(undefined, 'mouse'), taps: hoversOf(undefined, 'touch') }
    const linked = pastXPaths(await this.configured.list(app))
    const request = { ...sent, ...actions, linked, from, to, ...(steps ? { steps } : {}) }
    return this.answer(app, dates, { kind: 'elements', request }, client)
  }

  /** Answers what those who took a step of a funnel, or did not, did after the last step that they took. */
  async instead(app: App, { funnel, steps, ...sent }: InsteadQuery, client: Client): Answered<'instead'> {
    checkOneOf(steps, funnel)
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    const written = steps ?? (await this.stepsOf(app, funnel!))
    return this.answer(app, dates, { kind: 'instead', request: { ...sent, from, to, steps: written } }, client)
  }

  /** Lists the people behind a number of a funnel, page by page, with what their events say. */
  async people(
    app: App,
    { funnel, steps, cursor, limit = PEOPLE_ROWS_DEFAULT, ...sent }: PeopleQuery,
    client: Client,
  ): Answered<'people'> {
    checkOneOf(steps, funnel)
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    const written = steps ?? (await this.stepsOf(app, funnel!))
    const after = cursor === undefined ? {} : { after: peoplePlace(cursor) }
    const request = { ...sent, from, to, steps: written, limit, lanes: this.lanes, ...after }
    return this.answer(app, dates, { kind: 'people', request }, client)
  }

  /** Sets of events: their number, their distinct values, and the events. */
  async events(app: App, sent: EventQueryBody, client: Client): Answered<'events'> {
    const { from, to, dates } = instantRange(app, sent.start, sent.end, ['start', 'end'])
    return this.answer(app, dates, { kind: 'events', request: { ...sent, start: from, end: to } }, client)
  }

  /** The journeys that people take. */
  async journeys(
    app: App,
    { depth, from, to, start, end, filters, groups, ...parameters }: JourneysParameters,
    client: Client,
  ): Answered<'journeys'> {
    const range = await this.answers.open(app, {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })
    const instants = instantRange(app, range.from, range.to)
    const request = {
      ...parameters,
      ...endsOf(app, { start, end, key: parameters.key }),
      from: instants.from,
      to: instants.to,
      ...(depth === undefined ? {} : { depth }),
      ...(filters === undefined ? {} : { filters: filtersOf('filters', filters) }),
      ...(groups === undefined ? {} : { groups: groupsOf(groups) }),
    }
    return this.answer(app, instants.dates, { kind: 'journeys', request }, client)
  }

  /** Lists the people of a node or a link of journeys, page by page, with what their events say. */
  async journeyPeople(
    app: App,
    { cursor, limit = PEOPLE_ROWS_DEFAULT, start, end, ...sent }: JourneyPeopleQuery,
    client: Client,
  ): Answered<'journey_people'> {
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    const after = cursor === undefined ? {} : { after: peoplePlace(cursor) }
    const places = endsOf(app, { start, end, key: sent.key })
    const request = { ...sent, ...places, from, to, limit, lanes: this.lanes, ...after }
    return this.answer(app, dates, { kind: 'journey_people', request }, client)
  }

  /** Retention: the people who return. */
  async retention(app: App, sent: RetentionQueryBody, client: Client): Answered<'retention'> {
    const { from, to, dates } = instantRange(app, sent.from, sent.to)
    return this.answer(app, dates, { kind: 'retention', request: { ...sent, from, to } }, client)
  }

  /** The steps of a configured funnel. */
  private async stepsOf(app: App, funnel: string): Promise<FunnelRequest['steps']> {
    return stepsOfFunnel(await this.funnels.get(app, funnel), app)
  }

  /** Every XPath by which events name an element. */
  private async namesOf(app: App, xpath: string): Promise<readonly string[]> {
    const element = await this.configured.named(app, xpath)
    return element ? xpathsOf(element) : [xpath]
  }

  private async answer<K extends keyof Results>(
    app: App,
    dates: { from: string; to: string },
    query: Query & { kind: K },
    client: Client,
  ): Answered<K> {
    // Read the proved instant before the archive, so that `complete_to` holds for the answer.
    const { meta } = await this.answers.open(app, dates)
    const { encoded, completeTo } = await this.archived.ask<K>(
      app.id,
      query,
      await this.properties.contextOf(app, meta.complete_to, query.request),
      client,
    )
    const all = {
      ...meta,
      complete_to: meta.complete_to === null ? null : completeTo,
      ...(encoded.isTruncated && { truncated: true }),
    }
    return encoded.isSmall ? { ...encoded.value, meta: all } : EncodedAnswer.withMeta(encoded.json, all)
  }
}

function checkOneOf(steps: unknown, funnel: unknown): void {
  if (steps === undefined && funnel === undefined)
    throw invalidFields([{ field: 'steps', message: 'is required, unless `funnel` names a configured one' }])
  if (steps !== undefined && funnel !== undefined)
    throw invalidFields([{ field: 'funnel', message: 'cannot be sent together with steps; leave one of them out' }])
}

/** Returns the filters that define a hover; see `isByMouse` for events without a pointer type. */
function hoversOf(xpaths: readonly string[] | undefined, pointer: PointerType): Filter[] {
  const named: Filter = { type: 'eq', key: 'pointer', value: pointer }
  const isTouch: Filter = { type: 'in', key: 'device', values: ['mobile', 'tablet'] }
  const isNamed: Filter = { type: 'all', key: 'pointer' }
  const taken: Record<PointerType, Filter | undefined> = {
    mouse: { type: 'not', filter: { type: 'or', filters: [isNamed, isTouch] } },
    touch: { type: 'not', filter: { type: 'or', filters: [isNamed, { type: 'not', filter: isTouch }] } },
    pen: undefined,
  }
  const without = taken[pointer]
  return [
    { type: 'eq', key: 'type', value: 'btn_time' },
    without ? { type: 'or', filters: [named, without] } : named,
    ...(xpaths === undefined ? [] : [{ type: 'in' as const, key: 'target', values: [...xpaths] }]),
  ]
}

interface JourneyEnds {
  readonly start?: string | undefined
  readonly end?: string | undefined
  readonly key?: string | undefined
}

/** Returns the start and end places of the requested journeys, as the archive has them. */
function endsOf(app: App, { start, end, key }: JourneyEnds): { start?: string; end?: string } {
  return {
    ...(start === undefined ? {} : { start: placeOf(app, start, key) }),
    ...(end === undefined ? {} : { end: placeOf(app, end, key) }),
  }
}

/** Converts a place of a journey to its form in the archive; a URL copied from a browser stands for its page. */
function placeOf({ keep_parameters, hash_routing }: App, place: string, key = 'page'): string {
  return key === 'page' && /^https?:\/\//i.test(place) ? pageOf(place, keep_parameters, hash_routing) : place
}
