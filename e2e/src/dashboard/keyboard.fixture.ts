import type { Locator, Page } from 'playwright-core'

const STEPS_MAX = 300

/** Moves the focus with the Tab key alone until it is on an element, which must be there. */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor()
  const isFocused = (): Promise<boolean> => wanted.evaluate((element) => element === document.activeElement)
  for (let step = 0; step < STEPS_MAX; step++) {
    if (await isFocused()) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the Tab key does not come to ${wanted.toString()}`)
}
