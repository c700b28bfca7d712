import type { Page } from 'playwright-core'

/** Requests of a page that wait for a test. */
export interface HeldRequest {
  /** resolves when the page has sent the first of them */
  readonly requested: Promise<void>
  /** resolves when the page has the answer to the first of them */
  readonly answered: Promise<void>
  /** Releases them, and all later ones. */
  release(): void
}

/** Holds the requests of a page whose address matches until they are released. */
export async function holdRequest(page: Page, url: RegExp): Promise<HeldRequest> {
  const requested = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  await page.route(url, async (route) => {
    requested.resolve()
    await released.promise
    await route.continue()
  })
  const answered = page.waitForResponse(url).then(() => {})
  return { requested: requested.promise, answered, release: released.resolve }
}
