import type { BrowserContext, Page } from 'playwright-core'

/**
 * What a page was seen to do, by its own clock in ms since 1970: the tracker began, the address changed to a path, the
 * pointer came to or left a button, a click.
 */
export interface Mark {
  readonly what: 'tracker' | 'address' | 'over' | 'out' | 'click'
  /** Path of the page, or id of the element. */
  readonly of: string
  readonly at: number
}

const KEY = 'marks of the test'

/**
 * Notes in each page, apart from the tracker and before it, when things happen. The test's own clock is no truth for
 * them: on a busy machine it is seconds late. Marks stay with the tab through its loads of pages of one origin, and are
 * read back by {@link marksOf}.
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

/** All that was marked in the tab so far, in order. */
export const marksOf = async (page: Page): Promise<Mark[]> =>
  JSON.parse((await page.evaluate((key) => sessionStorage.getItem(key), KEY)) ?? '[]') as Mark[]
