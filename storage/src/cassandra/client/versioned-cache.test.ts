import { expect, it } from 'vitest'
import { VersionedCache } from './versioned-cache.ts'

/** Reads that are answered by hand, and how many there were. */
function reads(): { of: (value: string) => () => Promise<string>; count: () => number } {
  let count = 0
  return { of: (value) => () => Promise.resolve((count++, value)), count: () => count }
}

it('what is kept is answered without a read, in its version only', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(100, ({ length }) => length), reads()]
  expect(await Promise.all([kept.get('a', '1', 0, of('x')), kept.get('a', '1', 0, of('y'))])).toEqual(['x', 'x'])
  expect(await kept.get('a', '1', 0, of('y'))).toBe('x')
  expect(count()).toBe(1)
  expect(await kept.get('a', '2', 0, of('y'))).toBe('y')
  expect(await kept.get('b', '2', 0, of('z'))).toBe('z')
  expect(count()).toBe(3)
})

it('what was asked for longest ago makes room, also for what has grown', async () => {
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

it('what is larger than all room is answered and not kept, and makes no room for later ones less', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  for (const times of [1, 2, 3]) {
    expect(await kept.get('a', '1', 0, of('12345'))).toBe('12345')
    expect(count()).toBe(times)
  }
  await kept.get('b', '1', 0, of('1234'))
  await kept.get('b', '1', 0, of('1234'))
  expect(count()).toBe(4)
})

it('what could not be read is read again', async () => {
  const [kept, { of }] = [new VersionedCache<string, string>(4, ({ length }) => length), reads()]
  await expect(kept.get('a', '1', 0, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await kept.get('a', '1', 0, of('x'))).toBe('x')
})

it('what was read for a later moment is new enough for whoever looked up an older version, not the other way round', async () => {
  const [kept, { of, count }] = [new VersionedCache<string, string>(100, ({ length }) => length), reads()]
  expect(await kept.get('a', '2', 20, of('y'))).toBe('y')
  expect(await kept.get('a', '1', 10, of('x'))).toBe('y')
  expect(await kept.get('a', '1', 30, of('x'))).toBe('x')
  expect(await kept.get('a', '1', 50, of('x'))).toBe('x')
  expect(await kept.get('a', '3', 40, of('z'))).toBe('x')
  expect(count()).toBe(2)
})

it('a read is told what was kept before', async () => {
  const kept = new VersionedCache<string, string>(100, ({ length }) => length)
  await kept.get('a', '1', 0, () => Promise.resolve('x'))
  expect(await kept.get('a', '2', 0, async (before) => `${before!.version}${await before!.value}y`)).toBe('1xy')
})
