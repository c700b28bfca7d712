import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { trackerSizes } from './tracker-bench.ts'

it('prints the sizes of trackers that the README shows', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const shown = [...readme.matchAll(/^\| (Hopper|Plausible|OpenPanel) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|/gm)]
  const numbers = shown.map(([, name, ...bytes]) => [name, ...bytes.map((text) => Number(text.replace(',', '')))])
  expect(numbers).toEqual(trackerSizes().map(({ name, raw, gzip, brotli }) => [name, raw, gzip, brotli]))
})
