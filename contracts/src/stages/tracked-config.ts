import { stageNumber, type Element, type Funnel, type Stage, type TrackedStage, type TrackerConfig } from '../app.ts'
import { selectorOfElement } from './element-selector.ts'
import type { PageRule } from './page-url.ts'
import { trackedPattern } from './stage-pattern.ts'
import { trackedPage } from './tracked-page.ts'

/**
 * Returns the parts of an app's pages, funnels and elements that the tracker needs, compiled to conditions that a
 * browser can test.
 */
export function trackedConfig(
  rule: PageRule,
  funnels: readonly Pick<Funnel, 'id' | 'stages'>[],
  elements: readonly Pick<Element, 'xpath' | 'fingerprints'>[],
): Pick<TrackerConfig, 'page' | 'funnels' | 'elements'> {
  return {
    funnels: funnels.map(({ id, stages }) => ({ id, stages: stages.map((stage) => trackedStage(stage, rule)) })),
    elements: elements.map((element) => {
      const css = selectorOfElement(element)
      return { xpath: element.xpath, ...(css !== undefined && { css }) }
    }),
    page: trackedPage(rule),
  }
}

/** Returns a stage with the id that events use. */
function trackedStage(stage: Stage, rule: PageRule): TrackedStage {
  const { name, url, click } = stage
  return {
    id: stageNumber(stage),
    name,
    ...(url !== undefined && { url }),
    ...(click !== undefined && { click }),
    test: url === undefined ? '$^' : trackedPattern(url, rule),
  }
}
