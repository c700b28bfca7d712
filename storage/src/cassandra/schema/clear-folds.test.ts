import { loadBootstrap, loadMigrations } from '@hopper/cql'
import { expect, it } from 'vitest'
import { folds, keptTables } from './clear-folds.ts'

it('classifies every table by whether it can be rebuilt from the log', () => {
  const texts = [loadBootstrap(), ...loadMigrations()].map(({ text }) => text).join('\n')
  const tablesIn = (change: RegExp): (string | undefined)[] => [...texts.matchAll(change)].map(([, table]) => table)
  const dropped = tablesIn(/DROP TABLE (?:IF EXISTS )?(\w+)/g)
  const tables = tablesIn(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g).filter((table) => !dropped.includes(table))
  const known = new Set([...folds, ...keptTables])
  expect(tables.filter((table) => !known.has(table!))).toEqual([])
  expect(folds.filter((table) => !tables.includes(table))).toEqual([])
})
