import type { Element } from '../app.ts'
import { ClickSelector } from './click-selector.ts'

const anchored = /^\/\/\*\[@[\w-]+=(?:'[^']*'|"[^"]*")\]/

/** Returns every XPath by which events name an element: the one that it has, and those that it had. */
export function xpathsOf({ xpath, past_xpaths = [] }: Pick<Element, 'xpath' | 'past_xpaths'>): readonly string[] {
  return [xpath, ...past_xpaths]
}

/** Returns each past XPath of elements with the one that its element has now, for which its events count. */
export function pastXPaths(
  elements: readonly Pick<Element, 'xpath' | 'past_xpaths'>[],
): (readonly [past: string, current: string])[] {
  return elements.flatMap(({ xpath, past_xpaths: past = [] }) => past.map((each) => [each, xpath] as const))
}

/**
 * Returns how similar an element is to a click target with another XPath: 0 when nothing suggests that they are the
 * same element, `Infinity` when a selector of the element finds the target. Otherwise both must be below the same named
 * element (or both below none) and have the same tag; the result is then the number of equal steps at the end.
 */
export function likeness({ xpath, fingerprints = [] }: Element, target: string): number {
  if (xpath === target) return 0
  const [own, other] = [partsOf(xpath), partsOf(target)]
  const isNamed = other.steps.length === 0
  if (isNamed && fingerprints.some((selector) => new ClickSelector(selector).matches(target))) return Infinity
  const tags = [own, other].map(({ steps }) => steps.at(-1)?.replace(/\[\d+\]$/, ''))
  if (own.anchor !== other.anchor || tags[0] === undefined || tags[0] !== tags[1]) return 0
  let equal = 0
  while (equal < own.steps.length && own.steps.at(-1 - equal) === other.steps.at(-1 - equal)) equal++
  return 1 + equal
}

/** Splits an XPath into the named element at which it begins, if any, and the steps below it. */
function partsOf(path: string): { readonly anchor: string; readonly steps: readonly string[] } {
  const [anchor = ''] = anchored.exec(path) ?? []
  return { anchor, steps: path.slice(anchor.length).split('/').slice(1) }
}
