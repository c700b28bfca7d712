import { ClickSelector, StagePattern, type Clicks, type Element, type ElementRow, type Stage } from '@hopper/contracts'

/** An element with its name, and the page on which it is clicked most. */
export interface NamedElement extends ElementRow {
  readonly name: string
  readonly page?: string
}

/** The elements of a stage, those of a page together. */
export interface ElementGroup {
  /** absent for the elements that are in no stage */
  readonly stage?: { readonly number: number; readonly name: string }
  readonly rows: readonly NamedElement[]
}

interface Sources {
  readonly rows: readonly ElementRow[]
  /** the elements that have a name, whether anybody looked at them or not */
  readonly elements: readonly Element[]
  /** the clicks on each page, the most first */
  readonly clicks: Clicks['rows']
  readonly stages: readonly Stage[]
}

/**
 * Groups elements by the stage that a click on them enters, else by that of their page; if several stages fit, the last
 * one counts, as everywhere. In a group, the pages whose elements have the most looks and taps come first.
 */
export function elementGroups({ rows, elements, clicks, stages }: Sources): ElementGroup[] {
  const names = new Map(elements.map(({ xpath, name }) => [xpath, name]))
  const seen = new Set(rows.map(({ xpath }) => xpath))
  const all = [...rows, ...elements.filter(({ xpath }) => !seen.has(xpath)).map(({ xpath }) => unseen(xpath))]
  const stageOf = stageFinder(stages)
  const placed = all.map((row) => {
    const page = clicks.find(({ target }) => target === row.xpath)?.url
    const named = { ...row, name: names.get(row.xpath) ?? row.xpath, ...(page === undefined ? {} : { page }) }
    return { stage: stageOf(row.xpath, page), named }
  })
  const groups = Map.groupBy(placed, ({ stage }) => stage)
  return [...stages.map((_, index) => index), undefined].flatMap((stage): ElementGroup[] => {
    const existing = groups.get(stage)
    if (!existing) return []
    const sorted = byPage(existing.map(({ named }) => named))
    return [
      stage === undefined
        ? { rows: sorted }
        : { stage: { number: stage + 1, name: stages[stage]!.name }, rows: sorted },
    ]
  })
}

function stageFinder(stages: readonly Stage[]): (xpath: string, page: string | undefined) => number | undefined {
  const tests = stages.map(({ url, click }) => {
    const [pattern, selector] = [
      url === undefined ? undefined : new StagePattern(url),
      click === undefined ? undefined : new ClickSelector(click),
    ]
    return {
      isClicked: (xpath: string): boolean => selector?.matches(xpath) ?? false,
      isSeen: (page: string): boolean => pattern?.matches(page) ?? false,
    }
  })
  return (xpath, page) => {
    const clicked = tests.findLastIndex(({ isClicked }) => isClicked(xpath))
    const found = clicked >= 0 || page === undefined ? clicked : tests.findLastIndex(({ isSeen }) => isSeen(page))
    return found < 0 ? undefined : found
  }
}

function byPage(rows: readonly NamedElement[]): NamedElement[] {
  const uses = new Map<string | undefined, number>()
  for (const row of rows) uses.set(row.page, (uses.get(row.page) ?? 0) + usesOf(row))
  return rows.toSorted(
    (a, b) =>
      uses.get(b.page)! - uses.get(a.page)! ||
      compare(a.page ?? '', b.page ?? '') ||
      usesOf(b) - usesOf(a) ||
      compare(a.name, b.name),
  )
}

function usesOf({ hovers, taps }: ElementRow): number {
  return hovers + taps
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function unseen(xpath: string): ElementRow {
  return {
    xpath,
    people: 0,
    hovers: 0,
    clicked: 0,
    clicked_share: null,
    median_click_ms: null,
    median_leave_ms: null,
    taps: 0,
    tapped_by: 0,
  }
}
