import { expect, it } from 'vitest'
import { VersionedCache } from './versioned-cache.ts'

/** Reads that the test resolves, and a count of the reads. */
function reads(): { of: (value: string) => () => Promise<string>; count: () => number } {
  let count = 0
  return { of: (value) => () => Promise.resolve((count++, value)), count: () => count }
}

it('returns a cached value without a read, in its version only', async () => {
  const [cache, { of, count }] = [new VersionedCache<string, string>(100, ({ length }) => length), reads()]
  expect(await Promise.all([cache.get('a', '1', 0, of('x')), cache.get('a', '1', 0, of('y'))])).toEqual(['x', 'x'])
  expect(await cache.get('a', '1', 0, of('y'))).toBe('x')
  expect(count()).toBe(1)
  expect(await cache.get('a', '2', 0, of('y'))).toBe('y')
  expect(await cache.get('b', '2', 0, of('z'))).toBe('z')
  expect(count()).toBe(3)
})

it('evicts the least recently used entry, also for a value that has grown', async () => {
  const [cache, { of, count }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  await cache.get('a', '1', 0, of('12'))
  await cache.get('b', '1', 0, of('12'))
  await cache.get('a', '1', 0, of('12'))
  await cache.get('c', '1', 0, of('12'))
  expect(count()).toBe(3)
  await cache.get('a', '1', 0, of('12'))
  await cache.get('c', '1', 0, of('12'))
  expect(count()).toBe(3)
  await cache.get('b', '1', 0, of('12'))
  expect(count()).toBe(4)
  await cache.get('b', '2', 0, of('1234'))
  await cache.get('c', '1', 0, of('12'))
  expect(count()).toBe(6)
})

it('returns a value larger than the cache without keeping it, and does not reduce the room of later ones', async () => {
  const [cache, { of, count }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  for (const times of [1, 2, 3]) {
    expect(await cache.get('a', '1', 0, of('12345'))).toBe('12345')
    expect(count()).toBe(times)
  }
  await cache.get('b', '1', 0, of('1234'))
  await cache.get('b', '1', 0, of('1234'))
  expect(count()).toBe(4)
})

it('reads again after a failed read', async () => {
  const [cache, { of }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  await expect(cache.get('a', '1', 0, () => Promise.reject(new Error('unavailable')))).rejects.toThrow('unavailable')
  expect(await cache.get('a', '1', 0, of('x'))).toBe('x')
})

it('serves an older version from a value that was read for a later time, but not vice versa', async () => {
  const [cache, { of, count }] = [new VersionedCache<string, string>(100, ({ length }) => length), reads()]
  expect(await cache.get('a', '2', 20, of('y'))).toBe('y')
  expect(await cache.get('a', '1', 10, of('x'))).toBe('y')
  expect(await cache.get('a', '1', 30, of('x'))).toBe('x')
  expect(await cache.get('a', '1', 50, of('x'))).toBe('x')
  expect(await cache.get('a', '3', 40, of('z'))).toBe('x')
  expect(count()).toBe(2)
})

it('passes the previously cached entry to a read', async () => {
  const cache = new VersionedCache<string, string>(100, ({ length }) => length)
  await cache.get('a', '1', 0, () => Promise.resolve('x'))
  expect(await cache.get('a', '2', 0, async (before) => `${before!.version}${await before!.value}y`)).toBe('1xy')
})
