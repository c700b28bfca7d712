import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCatalogue } from './errors.ts'

test('docs/errors.md lists exactly the codes of the catalogue, with the same status, retry and hint', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `(HOP_\w+)` \| (\d+) \| (yes|no) \| (.+) \|$/gm)].map(
    ([, code, status, retry, hint]) => [code, Number(status), retry, hint],
  )
  const expected = Object.entries(errorCatalogue).map(([code, { status, retryable, hint }]) => [
    code,
    status,
    retryable ? 'yes' : 'no',
    hint,
  ])
  expect(listed.sort()).toEqual(expected.sort())
})
