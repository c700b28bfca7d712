import { patternProblem, queryLimits, StagePattern } from '@hopper/contracts'
import { invalid, over } from '../../filter/parse-filters.ts'

/** Names the places of pages: the pages that a pattern matches are one place. */
export class PlaceGroups {
  readonly #groups: readonly { readonly name: string; readonly pattern: StagePattern }[]

  /**
   * Takes patterns of paths, like `/products/*`.
   * @throws HopperError HOP_PARAM_INVALID for another pattern, HOP_LIMIT_EXCEEDED for too many
   */
  constructor(patterns: readonly string[]) {
    if (patterns.length > queryLimits.journeyGroupsMax) throw over('groups', 'journeyGroupsMax')
    this.#groups = patterns.map((name, i) => {
      // other patterns require a scheme or parameters, which a page here does not have
      const problem = /^[/*][^?#]*$/.test(name)
        ? patternProblem(name, {})
        : 'must be a path pattern, like "/products/*"'
      if (problem !== undefined) throw invalid(`groups[${i}]`, problem)
      return { name, pattern: new StagePattern(name) }
    })
  }

  /** Returns the first pattern that matches the page, else the page itself. */
  placeOf(page: string): string {
    return this.#groups.find(({ pattern }) => pattern.matches(page))?.name ?? page
  }
}
