import { Inject, Injectable } from '@nestjs/common'
import { limits, type App, type Filter } from '@hopper/contracts'
import { hasRareKeys, keysOfColumns, PERSON_KEY, PROPERTY_PREFIX, TRAIT_PREFIX, USER_KEY } from '@hopper/engine'
import type { DateRange } from '../answers/date-range.ts'
import {
  VALUES_DEFAULT,
  VALUES_OF_EACH_DEFAULT,
  type EventKeys,
  type EventKeysParameters,
  type EventValues,
  type KeyValuesParameters,
} from '../answers/events/event-keys.ts'
import { compareTexts, keepLargest } from '../answers/rows.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import { instantRange } from '../query/instant-range.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { AnswerService } from './answer.service.ts'
import { PropertiesService } from './people/properties.service.ts'

type Range = DateRange & Pick<EventKeys, 'meta'>

/** Lists the keys of events and their values, as suggestions for the query form. */
@Injectable()
export class EventKeysService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly properties: PropertiesService

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(PropertiesService) properties: PropertiesService,
  ) {
    this.archived = archived
    this.answers = answers
    this.properties = properties
  }

  async keys(
    app: App,
    { prefix = '', where, limit, ...parameters }: EventKeysParameters,
    client: Client,
  ): Promise<EventKeys> {
    const range = await this.answers.open(app, parameters)
    if (where !== undefined)
      return this.keysWhere(app, range, prefix, filterOf(where), limit ?? VALUES_OF_EACH_DEFAULT, client)
    const { from, to } = instantRange(app, range.from, range.to)
    const keys = new Set<string>()
    const chunks = await this.archived.list({ app: app.id, from, to })
    for (const { columns } of chunks) {
      for (const key of keysOfColumns(Object.keys(columns))) if (key.startsWith(prefix)) keys.add(key)
    }
    for (const key of await this.personKeys(app, range, prefix, client)) keys.add(key)
    if (chunks.some(hasRareKeys)) for (const key of await this.rareKeys(app, range, prefix, client)) keys.add(key)
    return keepLargest(
      [...keys].sort(compareTexts).map((key) => ({ key })),
      range.meta,
    )
  }

  async values(
    app: App,
    key: string,
    { prefix, limit, ...parameters }: KeyValuesParameters,
    client: Client,
  ): Promise<EventValues> {
    const range = await this.answers.open(app, parameters)
    const request = { key, filters: [], limit: limit ?? VALUES_DEFAULT, ...(prefix === undefined ? {} : { prefix }) }
    const [found] = await this.ask(app, range, request, client)
    const more = found?.more ?? false
    return { rows: [...(found?.values ?? [])], more, meta: { ...range.meta, ...(more && { truncated: true }) } }
  }

  private async keysWhere(
    app: App,
    range: Range,
    prefix: string,
    filter: Filter,
    limit: number,
    client: Client,
  ): Promise<EventKeys> {
    const found = await this.ask(app, range, { filters: [filter], keyPrefix: prefix, limit }, client)
    const rows = found
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, values, more }) => ({ key, values: [...values], more }))
    return keepLargest(rows, rows.some(({ more }) => more) ? { ...range.meta, truncated: true } : range.meta)
  }

  private async rareKeys(app: App, range: Range, prefix: string, client: Client): Promise<readonly string[]> {
    const context = contextOf(app, range.meta.complete_to)
    const request = { ...instantRange(app, range.from, range.to), prefix, limit: limits.answerRowsMax + 1 }
    return (await this.archived.ask<'keys'>(app.id, { kind: 'keys', request }, context, client)).result
  }

  /** Lists the person keys with a prefix: the traits that were set in the range, and all computed properties. */
  private async personKeys(app: App, range: Range, prefix: string, client: Client): Promise<string[]> {
    const named = [PERSON_KEY, USER_KEY].filter((key) => key.startsWith(prefix))
    if (startsLike(PROPERTY_PREFIX, prefix))
      named.push(...(await this.properties.list(app)).map(({ name }) => PROPERTY_PREFIX + name))
    if (startsLike(TRAIT_PREFIX, prefix)) {
      const context = contextOf(app, range.meta.complete_to)
      const traitPrefix = prefix.slice(TRAIT_PREFIX.length)
      const request = {
        ...instantRange(app, range.from, range.to),
        prefix: traitPrefix,
        limit: limits.answerRowsMax + 1,
      }
      const { result } = await this.archived.ask<'traits'>(app.id, { kind: 'traits', request }, context, client)
      named.push(...result.map((name) => TRAIT_PREFIX + name))
    }
    return named.filter((key) => key.startsWith(prefix))
  }

  private async ask(
    app: App,
    range: Range,
    parameters: { key?: string; prefix?: string; keyPrefix?: string; filters: Filter[]; limit: number },
    client: Client,
  ) {
    const { from, to } = instantRange(app, range.from, range.to)
    const context = await this.properties.contextOf(app, range.meta.complete_to, parameters)
    const { result } = await this.archived.ask<'values'>(
      app.id,
      { kind: 'values', request: { ...parameters, from, to } },
      context,
      client,
    )
    return result
  }
}

/** Returns whether keys that begin with one text may begin with the other. */
function startsLike(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

/** Builds a filter that also matches the text as a number or boolean, since a URL has no types. */
function filterOf(where: string): Filter {
  const index = where.indexOf(':')
  const [key, text] = [where.slice(0, index), where.slice(index + 1, index + 1 + limits.dataValueCharsMax)]
  const number = Number(text)
  const others =
    text === 'true' || text === 'false'
      ? [text === 'true']
      : text.trim() !== '' && Number.isFinite(number)
        ? [number]
        : []
  return { type: 'in', key, values: [text, ...others] }
}
