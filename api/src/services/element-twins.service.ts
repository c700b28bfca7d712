import { Inject, Injectable } from '@nestjs/common'
import { likeness, xpathsOf, type App, type Element, type ElementTwins } from '@hopper/contracts'
import type { Registry, TableReader } from '@hopper/storage'
import type { RangeParameters } from '../answers/report-parameters.ts'
import { compareTexts } from '../answers/rows.ts'
import { READER, REGISTRY } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

type Twin = ElementTwins['twins'][number]

/** The clicks on one target: on which pages, from which date on, how many. */
interface Clicked {
  readonly pages: Set<string>
  first: string
  last: string
  hits: number
}

/** Finds elements that have probably got another XPath. */
@Injectable()
export class ElementTwinsService {
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
   * For each element that was clicked in the range, proposes the most similar of the targets that may have replaced it:
   * those whose first click, on a page of the element, was on the date of the element's last click or later, and which
   * were clicked on a date after that.
   */
  async twins(app: App, parameters: RangeParameters): Promise<ElementTwins> {
    const { dates, meta } = await this.answers.open(app, parameters)
    const elements = await this.registry.elements.list(app.id)
    const clicked = new Map<string, Clicked>()
    for (const { date, key, counters } of await this.reader.counters('clicks_by_date', app.id, dates)) {
      const [page, target] = [String(key[0]), String(key[1])]
      const counted = clicked.get(target) ?? { pages: new Set(), first: date, last: date, hits: 0 }
      clicked.set(target, counted)
      counted.pages.add(page)
      if (date < counted.first) counted.first = date
      if (date > counted.last) counted.last = date
      counted.hits += counters[0] ?? 0
    }
    const known = new Set(elements.flatMap(xpathsOf))
    const fresh = new Map([...clicked].filter(([target]) => !known.has(target)))
    const twins = elements.flatMap((element) => twinOf(element, clicked, fresh) ?? [])
    return { twins: twins.sort((a, b) => compareTexts(b.appeared, a.appeared) || compareTexts(a.xpath, b.xpath)), meta }
  }
}

function twinOf(
  element: Element,
  clicked: ReadonlyMap<string, Clicked>,
  fresh: ReadonlyMap<string, Clicked>,
): Twin | undefined {
  const clicks = xpathsOf(element).flatMap((xpath) => clicked.get(xpath) ?? [])
  const last = clicks
    .map((each) => each.last)
    .sort()
    .at(-1)
  if (last === undefined) return undefined
  const pages = new Set(clicks.flatMap((each) => [...each.pages]))
  const refused = new Set(element.not_twins)
  const candidates = [...fresh].flatMap(([target, counted]) => {
    const hasFollowed = counted.first >= last && counted.last > last
    if (!hasFollowed || refused.has(target) || ![...counted.pages].some((page) => pages.has(page))) return []
    const alike = likeness(element, target)
    return alike === 0 ? [] : [{ target, alike, ...counted }]
  })
  const [best] = candidates.sort((a, b) => b.alike - a.alike || b.hits - a.hits || compareTexts(a.target, b.target))
  if (!best) return undefined
  const { target, first, hits } = best
  return { xpath: element.xpath, name: element.name, last_clicked: last, twin: target, appeared: first, hits }
}
