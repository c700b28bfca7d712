import { useLayoutEffect, useRef, type RefObject } from 'react'

const CONTROLS = 'button:not(:disabled), a[href], input:not(:disabled), select:not(:disabled), summary'
const ITEMS = 'li, tr, .chip'
const REGIONS = 'section, [role="region"], .card, main'

/**
 * Returns a ref for a button that may disappear, with its item, when it is pressed. If it has the focus then, the focus
 * moves to the next control instead of to the page.
 */
export function useFocusHandover(): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => {
    const own = button.current!
    return () => {
      if (document.activeElement !== own) return
      const heirs = heirsOf(own)
      // other parts of the page may go in the same moment
      queueMicrotask(() => heirs.find((heir) => heir.isConnected)?.focus())
    }
  }, [])
  return button
}

/**
 * Lists the controls that may get the focus when a button disappears, the best first: the rest of its item, the same
 * button of the next item or of the one before, what follows in the region, and what is in front of it.
 */
function heirsOf(button: HTMLElement): HTMLElement[] {
  const item = button.closest(ITEMS)
  const neighbours = [item?.nextElementSibling, item?.previousElementSibling].flatMap((neighbour) => {
    if (!neighbour) return []
    const controls = controlsOf(neighbour)
    return [...controls.filter((control) => control.className === button.className).slice(-1), ...controls.slice(-1)]
  })
  const around = regionsOf(button).flatMap((region) => {
    const others = controlsOf(region).filter((control) => control !== button)
    const isAfter = (control: HTMLElement): boolean =>
      (button.compareDocumentPosition(control) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0
    return [...others.filter(isAfter), ...others.filter((control) => !isAfter(control)).reverse()]
  })
  const own = item ? controlsOf(item).filter((control) => control !== button) : []
  return [...own, ...neighbours, ...around]
}

function controlsOf(part: Element): HTMLElement[] {
  return [...part.querySelectorAll<HTMLElement>(CONTROLS)]
}

/** The regions around an element, the smallest first. */
function regionsOf(element: Element): Element[] {
  const region = element.parentElement?.closest(REGIONS)
  return region ? [region, ...regionsOf(region)] : []
}
