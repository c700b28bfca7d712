import type { Page } from 'playwright-core'
import type { Installation } from '../installations/installation.ts'

/**
 * Logs the owner of a started installation in, by the link that it has printed, and leaves the owner without a
 * password.
 */
export async function logOwnerIn(page: Page, installation: Installation): Promise<void> {
  const [link] = /\/login\?token=\S+/.exec(installation.output())!
  await page.goto(installation.apiUrl + link)
  await page.getByRole('button', { name: 'Log in to Hopper' }).click()
  await page.getByRole('button', { name: 'Not now' }).click()
  await page.waitForURL('**/a/**')
}
