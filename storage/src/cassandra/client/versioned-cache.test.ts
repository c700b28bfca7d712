import { expect, it } from 'vitest'
import { VersionedCache } from './versioned-cache.ts'

/** Reads that the test resolves, and a count of the reads. */
function reads(): { of: (value: string) => () => Promise<string>; count: () => number } {
  let count = 0
  return { of: (value) => () => Promise.resolve((count++, value)), count: () => count }
}

it('returns a cached value without a read, in its version only', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(100, ({ length }) => length), reads()]
  expect(await Promise.all([kept.get('a', '1', 0, of('x')), kept.get('a', '1', 0, of('y'))])).toEqual(['x', 'x'])
  expect(await kept.get('a', '1', 0, of('y'))).toBe('x')
  expect(count()).toBe(1)
  expect(await kept.get('a', '2', 0, of('y'))).toBe('y')
  expect(await kept.get('b', '2', 0, of('z'))).toBe('z')
  expect(count()).toBe(3)
})

it('evicts the least recently used entry, also for a value that has grown', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  await kept.get('a', '1', 0, of('12'))
  await kept.get('b', '1', 0, of('12'))
  await kept.get('a', '1', 0, of('12'))
  await kept.get('c', '1', 0, of('12'))
  expect(count()).toBe(3)
  await kept.get('a', '1', 0, of('12'))
  await kept.get('c', '1', 0, of('12'))
  expect(count()).toBe(3)
  await kept.get('b', '1', 0, of('12'))
  expect(count()).toBe(4)
  await kept.get('b', '2', 0, of('1234'))
  await kept.get('c', '1', 0, of('12'))
  expect(count()).toBe(6)
})

it('returns a value larger than the cache without keeping it, and does not reduce the room of later ones', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  for (const times of [1, 2, 3]) {
    expect(await kept.get('a', '1', 0, of('12345'))).toBe('12345')
    expect(count()).toBe(times)
  }
  await kept.get('b', '1', 0, of('1234'))
  await kept.get('b', '1', 0, of('1234'))
  expect(count()).toBe(4)
})

it('reads again after a failed read', async () => {
  const [kept, { of }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  await expect(kept.get('a', '1', 0, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await kept.get('a', '1', 0, of('x'))).toBe('x')
})

it('serves an older version from a value that was read for a later time, but not vice versa', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(100, ({ length }) => length), reads()]
  expect(await kept.get('a', '2', 20, of('y'))).toBe('y')
  expect(await kept.get('a', '1', 10, of('x'))).toBe('y')
  expect(await kept.get('a', '1', 30, of('x'))).toBe('x')
  expect(await kept.get('a', '1', 50, of('x'))).toBe('x')
  expect(await kept.get('a', '3', 40, of('z'))).toBe('x')
  expect(count()).toBe(2)
})

it('passes the previously cached entry to a read', async () => {
  const kept = new VersionedCache<string, string>(100, ({ length }) => length)
  await kept.get('a', '1', 0, () => Promise.resolve('x'))
  expect(await kept.get('a', '2', 0, async (before) => `${before!.version}${await before!.value}y`)).toBe('1xy')
})
