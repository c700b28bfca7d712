import { expect, it } from 'vitest'
import { heavyApps } from './heavy-apps.ts'

const bytes = (byApp: Record<string, number>): ReadonlyMap<string, number> => new Map(Object.entries(byApp))

it('defers an app with many bytes and a large share of a delivery, with fewer bytes in a backlog', () => {
  expect(heavyApps({ bytes: bytes({ heavy: 100_000, light: 500 }), waitedMs: 0 })).toEqual(['heavy'])
  expect(heavyApps({ bytes: bytes({ heavy: 20_000, light: 500 }), waitedMs: 0 })).toEqual([])
  expect(heavyApps({ bytes: bytes({ heavy: 20_000, light: 500 }), waitedMs: 1_000 })).toEqual(['heavy'])
  expect(heavyApps({ bytes: bytes({ heavy: 5_000, light: 500 }), waitedMs: 60_000 })).toEqual([])
})

it('does not defer apps of equal weight', () => {
  const many = bytes(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`app${index}`, 1_000_000])))
  expect(heavyApps({ bytes: many, waitedMs: 60_000 })).toEqual([])
  expect(heavyApps({ bytes: bytes({}), waitedMs: 60_000 })).toEqual([])
})
