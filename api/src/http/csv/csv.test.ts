import { expect, test } from 'vitest'
import { prefersCsv } from './csv.ts'

test('CSV is sent only to clients that prefer it to JSON', () => {
  expect(['text/csv', 'text/csv, */*;q=0.1', 'application/json;q=0.5, text/csv'].map(prefersCsv)).toEqual([
    true,
    true,
    true,
  ])
  expect([undefined, '*/*', 'application/json, text/csv', 'text/csv;q=0'].map(prefersCsv)).toEqual([
    false,
    false,
    false,
    false,
  ])
})
