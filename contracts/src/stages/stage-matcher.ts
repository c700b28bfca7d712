import { stageNumber, type Funnel, type Stage } from '../app.ts'
import { ClickSelector } from './click-selector.ts'
import type { Event } from '../events/event.ts'
import { pageUrlOf, type PageRule } from './page-url.ts'
import { StagePattern } from './stage-pattern.ts'

/** A stage of one of an app's funnels. */
export interface FunnelStage {
  readonly funnel: string
  /** its number */
  readonly stage: number
}

interface Tested {
  readonly funnel: string
  /** the funnel's stages of one kind, the last first; `id` is the stage number */
  readonly stages: readonly { readonly id: number; readonly matches: (text: string) => boolean }[]
}

/** Maximum number of cached urls, and of cached targets. */
const CACHED_MAX = 5_000
const NONE: readonly FunnelStage[] = []

/**
 * Finds the stages of an app's funnels that an event enters: by a URL change to a page that matches a stage's pattern,
 * or by a click on an element that matches a stage's selector. If several stages of a funnel match, the event enters
 * the last of them, as in the tracker. Live counting, backfill and queries all use this rule.
 */
export class StageMatcher {
  readonly #rule: PageRule
  readonly #byUrl: readonly Tested[]
  readonly #byClick: readonly Tested[]
  readonly #urls = new Map<string, readonly FunnelStage[]>()
  readonly #targets = new Map<string, readonly FunnelStage[]>()

  constructor(funnels: readonly Pick<Funnel, 'id' | 'stages'>[], rule: PageRule) {
    this.#rule = rule
    this.#byUrl = compile(funnels, ({ url }) => {
      const pattern = url === undefined ? undefined : new StagePattern(url)
      return pattern && ((text) => pattern.matches(text))
    })
    this.#byClick = compile(funnels, ({ click }) => {
      const selector = click === undefined ? undefined : new ClickSelector(click)
      return selector && ((text) => selector.matches(text))
    })
  }

  /** Returns the stages that an event enters, at most one per funnel. */
  of(event: Event): readonly FunnelStage[] {
    if (event.type === 'url_change') return this.ofUrl(event.to)
    return event.type === 'click' ? this.ofTarget(event.target) : NONE
  }

  ofUrl(url: string): readonly FunnelStage[] {
    if (this.#byUrl.length === 0 || url === '') return NONE
    return getOrCompute(this.#urls, url, () => {
      const page = pageUrlOf(url, this.#rule.keep_parameters, this.#rule.hash_routing)
      return stagesOf(this.#byUrl, page)
    })
  }

  ofTarget(xpath: string): readonly FunnelStage[] {
    return this.#byClick.length === 0 ? NONE : getOrCompute(this.#targets, xpath, () => stagesOf(this.#byClick, xpath))
  }
}

function compile(
  funnels: readonly Pick<Funnel, 'id' | 'stages'>[],
  testOf: (stage: Stage) => ((text: string) => boolean) | undefined,
): Tested[] {
  return funnels.flatMap(({ id: funnel, stages }) => {
    const some = stages.flatMap((stage) => {
      const matches = testOf(stage)
      return matches ? [{ id: stageNumber(stage), matches }] : []
    })
    return some.length === 0 ? [] : [{ funnel, stages: some.reverse() }]
  })
}

function stagesOf(funnels: readonly Tested[], text: string): readonly FunnelStage[] {
  const found = funnels.flatMap(({ funnel, stages }) => {
    const stage = stages.find(({ matches }) => matches(text))
    return stage ? [{ funnel, stage: stage.id }] : []
  })
  return found.length === 0 ? NONE : found
}

function getOrCompute(
  known: Map<string, readonly FunnelStage[]>,
  text: string,
  find: () => readonly FunnelStage[],
): readonly FunnelStage[] {
  let found = known.get(text)
  if (!found) {
    if (known.size >= CACHED_MAX) known.clear()
    known.set(text, (found = find()))
  }
  return found
}
