import type { EventOf, TrackerConfig } from '@hopper/contracts'
import { attempt } from './attempt.ts'
import { clock } from './clock.ts'
import { within } from './element.ts'
import { config } from './configuration.ts'
import { track } from './pages.ts'

/** `undefined` where the browser does not report it. */
export type Pointer = EventOf<'btn_time'>['pointer']

/** Interesting element: its node under the pointer, the time since when, the pointer. */
type Watched = TrackerConfig['elements'][number] & { n?: Node | void; t?: number | undefined; p?: Pointer }

const nodeOf = (element: Watched, target: Element): Node | void => {
  if (element.css) return within(target, element.css) || undefined
  const found = document.evaluate(element.xpath, document)
  for (let node; (node = found.iterateNext());) if (node.contains(target)) return node
}

/**
 * Handles the pointer at this target (none: it has left the page), or a click on it. A hover ends once, by leaving or
 * by a click. A finger does not hover, so it only clicks. If the page replaces the element under the pointer, the hover
 * continues.
 */
export const pointAt = (target?: Element, by?: Pointer, isClick?: boolean): void => {
  config?.elements.map((element: Watched) => {
    const { n: before, t: since } = element
    const node = target && attempt(() => nodeOf(element, target))
    const isSame = node === before || (node && before && !before.isConnected)
    if (isClick ? node && isSame : !isSame) {
      if (since && (isClick || element.p !== 'touch')) {
        const action = `hover-then-${isClick ? 'clicked' : 'leave'}` as const
        track(3, { target: element.xpath, action, elapsed_time: clock() - since, pointer: element.p })
      }
      element.t = isClick || !node ? 0 : clock() || 1
      element.p = by
    }
    if (!isClick) element.n = node
  })
}
