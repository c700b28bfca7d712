import { loadBootstrap, loadMigrations } from '@hopper/cql'
import { expect, it } from 'vitest'
import { folds, keptTables } from './clear-folds.ts'

it('knows of every table whether the log can give it back', () => {
  const texts = [loadBootstrap(), ...loadMigrations()].map(({ text }) => text).join('\n')
  const tables = [...texts.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)].map(([, table]) => table)
  const known = new Set([...folds, ...keptTables])
  expect(tables.filter((table) => !known.has(table!))).toEqual([])
  expect(folds.filter((table) => !tables.includes(table))).toEqual([])
})
