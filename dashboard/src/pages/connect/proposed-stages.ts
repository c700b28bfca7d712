import type { JourneyResult } from '@hopper/contracts'

/** A page that a proposed funnel has as a stage. */
export interface ProposedStage {
  readonly name: string
  /** the pattern of the page */
  readonly url: string
}

const STAGES_MAX = 5

/**
 * Proposes a funnel from what people do: the most used first page, then from each page the one to which most people
 * went next. Empty unless somebody has been on two pages.
 */
export function proposedStages({ nodes, links }: JourneyResult): ProposedStage[] {
  const places = new Map(nodes.filter(({ kind }) => kind === undefined).map((node) => [node.id, node]))
  const first = [...places.values()].filter(({ step }) => step === 0).sort((a, b) => b.users - a.users)[0]
  const path: string[] = []
  let at = first
  while (at && path.length < STAGES_MAX) {
    if (!path.includes(at.value)) path.push(at.value)
    const from = at.id
    at = links
      .filter((link) => link.from === from && places.has(link.to) && !path.includes(places.get(link.to)!.value))
      .sort((a, b) => b.users - a.users)
      .map((link) => places.get(link.to))[0]
  }
  return path.length < 2 ? [] : path.map((page) => ({ name: nameOf(page), url: pathOf(page) }))
}

/** Returns the path of a page: a page is a host and a path, or a path alone. */
export function pathOf(page: string): string {
  const index = page.replace(/^https?:\/\//, '').indexOf('/')
  return index < 0 ? '/' : page.replace(/^https?:\/\//, '').slice(index)
}

/** Returns a name for a page: its last part, as a word. */
export function nameOf(page: string): string {
  const last = decoded(pathOf(page)).split('/').filter(Boolean).at(-1)
  if (last === undefined) return 'Home'
  const words = last.replace(/[-_+]+/g, ' ').trim()
  return words === '' ? last : `${words[0]!.toUpperCase()}${words.slice(1)}`
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
