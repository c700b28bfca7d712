import type { BrowserContext, Page } from 'playwright-core'

/**
 * One observation in a page, by the page's clock in ms since 1970: the tracker began, the address changed to a path,
 * the pointer entered or left a button, a click, the page was left for another.
 */
export interface Mark {
  readonly what: 'tracker' | 'address' | 'over' | 'out' | 'click' | 'left'
  /** Path of the page, or id of the element. */
  readonly of: string
  readonly at: number
}

const KEY = 'marks of the test'

/**
 * Records in each page when things happen, independently of the tracker and before it. The test's own clock is too
 * imprecise: on a busy machine it is seconds late. Marks stay with the tab when it loads further pages of one origin,
 * and are read by {@link marksOf}.
 */
export async function markPages(context: BrowserContext): Promise<void> {
  await context.addInitScript((key) => {
    const mark = (what: Mark['what'], of: string): void => {
      const marks = JSON.parse(sessionStorage.getItem(key) ?? '[]') as Mark[]
      sessionStorage.setItem(key, JSON.stringify([...marks, { what, of, at: Date.now() }]))
    }
    let tracker: unknown
    Object.defineProperty(window, 'hopper', {
      configurable: true,
      get: () => tracker,
      set: (value) => {
        tracker = value
        mark('tracker', location.pathname)
      },
    })
    addEventListener('pagehide', () => mark('left', location.pathname))
    const navigation = (window as unknown as { navigation: EventTarget }).navigation
    navigation.addEventListener('currententrychange', () => mark('address', location.pathname))
    for (const [type, what] of [
      ['mouseover', 'over'],
      ['mouseout', 'out'],
      ['click', 'click'],
    ] as const) {
      addEventListener(
        type,
        ({ target }) => {
          const id = (target as Element).closest?.('[id]')?.id
          if (id) mark(what, id)
        },
        true,
      )
    }
  }, KEY)
}

/** Returns all marks of the tab so far, in order. */
export const marksOf = async (page: Page): Promise<Mark[]> =>
  JSON.parse((await page.evaluate((key) => sessionStorage.getItem(key), KEY)) ?? '[]') as Mark[]
