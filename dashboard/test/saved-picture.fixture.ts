import { readFile } from 'node:fs/promises'
import type { Locator, Page } from 'playwright-core'

const SIGNATURE = '89504e470d0a1a0a'

/** A PNG that a page has saved. */
export interface SavedPicture {
  readonly file: string
  readonly width: number
  readonly height: number
  /** colours as `#rrggbb` with their shares of the picture */
  readonly shares: ReadonlyMap<string, number>
}

/** Chooses PNG in the menu of a chart, or presses its only button, and reads the picture that the browser saves. */
export async function savePicture(page: Page, button: Locator): Promise<SavedPicture> {
  const saving = page.waitForEvent('download')
  await button.click()
  if ((await button.getAttribute('aria-haspopup')) !== null)
    await page.getByRole('button', { name: 'PNG the picture' }).click()
  const download = await saving
  const bytes = await readFile(await download.path())
  if (bytes.subarray(0, 8).toString('hex') !== SIGNATURE) throw new Error('The file is no PNG.')
  const colors = await page.evaluate(countColors, bytes.toString('base64'))
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  const shares = new Map(colors.map(([color, count]) => [color, count / (width * height)]))
  return { file: download.suggestedFilename(), width, height, shares }
}

async function countColors(base64: string): Promise<[string, number][]> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d')!
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, image.width, image.height)
  const counts = new Map<string, number>()
  for (let start = 0; start < data.length; start += 4) {
    const parts = [...data.subarray(start, start + 3)].map((part) => part.toString(16).padStart(2, '0'))
    const color = `#${parts.join('')}`
    counts.set(color, (counts.get(color) ?? 0) + 1)
  }
  return [...counts]
}
