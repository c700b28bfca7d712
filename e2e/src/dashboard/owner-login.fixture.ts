import type { Page } from 'playwright-core'
import type { Product } from '../products/product.ts'

/** Logs the owner of a started product in, by the link that it has printed, and leaves the owner without a password. */
export async function logOwnerIn(page: Page, product: Product): Promise<void> {
  const [link] = /\/login\?token=\S+/.exec(product.output())!
  await page.goto(product.apiUrl + link)
  await page.getByRole('button', { name: 'Log in to Hopper' }).click()
  await page.getByRole('button', { name: 'Not now' }).click()
  await page.waitForURL('**/a/**')
}
