/** ms without events after which a session ends; a longer gap also ends the current measurements. */
export const pauseMs = 30 * 60_000

let total = 0
let last = 0
let isShown: boolean | undefined

/**
 * Returns the clock of this tab in ms: monotonic, and standing still while the page is hidden or not there. A gap
 * longer than a session's pause, such as the sleep of a laptop, does not count.
 */
export const clock = (): number => {
  const now = performance.now()
  if (isShown && now - last < pauseMs) total += now - last
  last = now
  isShown = !document.hidden
  return Math.round(total)
}

/** Continues the clock of the tab's previous page. */
export const resume = (ms: number): void => {
  clock()
  total = ms
}
