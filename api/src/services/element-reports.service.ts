import { Inject, Injectable } from '@nestjs/common'
import {
  HopperError,
  pastXPaths,
  xpathsOf,
  type App,
  type Element,
  type ElementActions,
  type ElementDurations,
} from '@hopper/contracts'
import { actionHistogram, type ActionCounts } from '@hopper/engine'
import type { CounterRow, Registry, TableReader } from '@hopper/storage'
import type { ElementParameters, ElementsParameters } from '../answers/report-parameters.ts'
import { durationCorrelation } from '../answers/correlation.ts'
import { compareTexts, keepLargest, ratio, sumBy } from '../answers/rows.ts'
import { invalidFields } from '../http/checked.ts'
import { READER, REGISTRY } from '../tokens.ts'
import { xpathProblem } from '../validation/xpath.ts'
import { AnswerService } from './answer.service.ts'

/** Reports on interesting elements: those configured, and those that events were counted for. */
@Injectable()
export class ElementReportsService {
  private readonly reader: TableReader
  private readonly registry: Registry
  private readonly answers: AnswerService

  constructor(
    @Inject(READER) reader: TableReader,
    @Inject(REGISTRY) registry: Registry,
    @Inject(AnswerService) answers: AnswerService,
  ) {
    this.reader = reader
    this.registry = registry
    this.answers = answers
  }

  /**
   * Counts how often each element was left and clicked after hovering, and how long that took. An element without a
   * name is shown by its XPath.
   */
  async actions(app: App, parameters: ElementsParameters): Promise<ElementActions> {
    const { dates, meta } = await this.answers.open(app, parameters)
    const configured = await this.configured(app, parameters.xpath)
    const names = new Map(configured.map(({ xpath, name }) => [xpath, name]))
    const current = new Map(pastXPaths(configured))
    const prefixes =
      parameters.xpath === undefined ? [[]] : xpathsToRead(parameters.xpath, configured).map((xpath) => [xpath])
    const read = (prefix: string[]): Promise<readonly CounterRow[]> =>
      this.reader.counters('element_actions_by_date', app.id, dates, prefix)
    const counted = (await Promise.all(prefixes.map(read))).flat()
    const sums = new Map(configured.map(({ xpath }) => [xpath, [0, 0, 0, 0, 0]]))
    const currentXPath = (xpath: string): string => current.get(xpath) ?? xpath
    for (const { key, counters } of sumBy(counted, ({ key }) => [currentXPath(String(key[0]))]))
      sums.set(String(key[0]), counters)
    if (parameters.xpath !== undefined && sums.size === 0) throw unknownElement(parameters.xpath)
    const rows = [...sums].map(([xpath, counters]) => actionsRow(xpath, names.get(xpath) ?? xpath, counters))
    return keepLargest(
      rows.sort((a, b) => b.hits - a.hits || compareTexts(a.xpath, b.xpath)),
      meta,
    )
  }

  /** All configured elements, or the one that has an XPath or had it. */
  private async configured(app: App, named: string | undefined): Promise<readonly Element[]> {
    const all = await this.registry.elements.list(app.id)
    return named === undefined ? all : all.filter((element) => xpathsOf(element).includes(named))
  }

  /** Hover durations before either action, in log-scaled buckets from the shortest to the longest seen. */
  async durations(app: App, parameters: ElementParameters): Promise<ElementDurations> {
    const { dates, meta } = await this.answers.open(app, parameters)
    const configured = await this.configured(app, parameters.xpath)
    const read = (xpath: string): Promise<readonly CounterRow[]> =>
      this.reader.counters('element_durations_by_date', app.id, dates, [xpath])
    const counted = (await Promise.all(xpathsToRead(parameters.xpath, configured).map(read))).flat()
    if (counted.length === 0 && configured.length === 0) throw unknownElement(parameters.xpath)
    const counts = countsByBucket(sumBy(counted, ({ key }) => [key[1]!, key[2]!]))
    const buckets = [...counts].map(([bucket, actions]) => ({ bucket, ...actions }))
    return { buckets: actionHistogram(counts), correlation: durationCorrelation(buckets), meta }
  }
}

/** Returns the XPaths under which the element with an XPath was counted. */
function xpathsToRead(xpath: string, configured: readonly Element[]): readonly string[] {
  const [element] = configured
  return element ? xpathsOf(element) : [xpath]
}

/**
 * Creates the error for an unknown element. Elements named by events are always shown; only an unknown one is checked
 * for a valid XPath.
 */
function unknownElement(xpath: string): HopperError {
  const message = xpathProblem(xpath)
  return message === undefined ? new HopperError('HOP_ELEMENT_UNKNOWN') : invalidFields([{ field: 'xpath', message }])
}

function actionsRow(xpath: string, name: string, counters: readonly number[]): ElementActions['rows'][number] {
  const [hover_leave = 0, elapsed_leave_ms = 0, hover_click = 0, elapsed_click_ms = 0, hits = 0] = counters
  return {
    xpath,
    name,
    hover_leave,
    elapsed_leave_ms,
    hover_click,
    elapsed_click_ms,
    hits,
    leave_percent: ratio(100 * hover_leave, hover_leave + hover_click),
    click_percent: ratio(100 * hover_click, hover_leave + hover_click),
    average_leave_ms: ratio(elapsed_leave_ms, hover_leave),
    average_click_ms: ratio(elapsed_click_ms, hover_click),
  }
}

function countsByBucket(
  sums: readonly { key: readonly (string | number)[]; counters: readonly number[] }[],
): Map<number, ActionCounts> {
  const counts = new Map<number, ActionCounts>()
  for (const { key, counters } of sums) {
    const bucket = Number(key[1])
    const known = counts.get(bucket) ?? { leave: 0, click: 0 }
    known[key[0] === 'hover-then-clicked' ? 'click' : 'leave'] += counters[0] ?? 0
    counts.set(bucket, known)
  }
  return counts
}
