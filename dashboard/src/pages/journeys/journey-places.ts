import type { ListedFunnel, PageViews } from '@hopper/contracts'
import { pageNames } from '../../format/pages.ts'
import { pathOf } from '../connect/proposed-stages.ts'
import type { JourneyNode } from './journey-graph.ts'
import { journeyWords } from './journey-words.ts'

/** Pages that are one place of a journey. */
export interface PageGroup {
  /** the pattern, which is the place's value */
  readonly pattern: string
  readonly name: string
}

/** Names a place as people read it. */
export type PlaceName = (node: Pick<JourneyNode, 'value' | 'kind'>) => string

/** A folder with at least this many pages is one place, unless a stage says otherwise. */
const FOLDER_PAGES_MIN = 12
/** as many as the API takes in one question */
const GROUPS_MAX = 50

/** Returns the groups of pages: those of the stages, the narrowest first, then folders with many pages. */
export function pageGroups(
  funnels: readonly Pick<ListedFunnel, 'stages'>[],
  pages: PageViews['rows'],
): readonly PageGroup[] {
  const stages = new Map<string, string>()
  for (const { name, url } of funnels.flatMap((funnel) => funnel.stages))
    if (url !== undefined && isGroup(url) && !stages.has(url)) stages.set(url, name)
  const folders = new Map<string, Set<string>>()
  for (const path of pages.map(({ url }) => pathOf(url))) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    if (folder !== '') folders.set(folder, (folders.get(folder) ?? new Set()).add(path))
  }
  const groups = [
    ...[...stages].map(([pattern, name]) => ({ pattern, name })).sort((a, b) => letters(b) - letters(a)),
    ...[...folders]
      .filter(([, paths]) => paths.size >= FOLDER_PAGES_MIN)
      .map(([folder]) => ({ pattern: `${folder}/*`, name: `${folder}/*` }))
      .filter(({ pattern }) => !stages.has(pattern))
      .sort((a, b) => letters(b) - letters(a)),
  ]
  return groups.slice(0, GROUPS_MAX)
}

/** Returns what places are called: a stage by its name, a page without the host that all share. */
export function nameOfPlaces(groups: readonly PageGroup[], pages: PageViews['rows']): PlaceName {
  const names = new Map(groups.map(({ pattern, name }) => [pattern, name]))
  const page = pageNames(pages.map(({ url }) => url))
  return ({ value, kind }) => (kind ? journeyWords[kind] : (names.get(value) ?? page(value)))
}

/** Returns the group that a page belongs to, as the API decides. */
export function groupOf(groups: readonly PageGroup[], page: string): PageGroup | undefined {
  const path = trimmed(pathOf(page))
  return groups.find(({ pattern }) => {
    const source = trimmed(pattern)
      .split('*')
      .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
      .join('.*')
    return new RegExp(`^${source}$`, 's').test(path)
  })
}

/** A slash at the end makes no difference. */
function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}

/** A path pattern that does not match every page. */
function isGroup(url: string): boolean {
  return /^[/*][^?#]*$/.test(url) && url.length <= 120 && /[^/*]/.test(url)
}

function letters({ pattern }: PageGroup): number {
  return pattern.replaceAll('*', '').length
}
