import { acting, within } from '../element.ts'

/** Returns the element that a click at a point of the page would be about, inside of open shadow trees, too. */
export function elementAt(x: number, y: number): Element | undefined {
  let found: Element | null = document.elementFromPoint(x, y)
  for (;;) {
    const inner: Element | null | undefined = found?.shadowRoot?.elementFromPoint(x, y)
    if (!inner || inner === found) break
    found = inner
  }
  return found ? targetOf(found) : undefined
}

/**
 * Returns the element that the tracker names for a click on an element: the one that acts, or the one that contains a
 * part of an image.
 */
export function targetOf(element: Element): Element {
  return within(element, acting) || within(element, ':not(svg,svg *)') || element
}

type Direction = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight'

/** Returns the next element in a direction: parent, first child, the sibling before or after; none at an end. */
export function neighbourOf(element: Element, direction: Direction): Element | undefined {
  const isShown = (other: Element): boolean => other.getClientRects().length > 0 && !other.matches('script,style,svg *')
  const siblings = (step: (from: Element) => Element | null): Element | undefined => {
    let next = step(element)
    while (next && !isShown(next)) next = step(next)
    return next ?? undefined
  }
  switch (direction) {
    case 'ArrowUp':
      return element.parentElement ?? (element.getRootNode() as Partial<ShadowRoot>).host
    case 'ArrowDown':
      return [...(element.shadowRoot ?? element).children].find(isShown)
    case 'ArrowLeft':
      return siblings((from) => from.previousElementSibling)
    case 'ArrowRight':
      return siblings((from) => from.nextElementSibling)
  }
}

export function isDirection(key: string): key is Direction {
  return /^Arrow(Up|Down|Left|Right)$/.test(key)
}
