import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GeoDatabase } from './geo-database.ts'
import { geoFile, type Networks } from './geo-file.fixture.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'hopper-geo-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

const networks: Networks = {
  '203.0.113.0/24': { country: { iso_code: 'DE' }, subdivisions: [{ iso_code: 'BY', names: { en: 'Bavaria' } }] },
  '198.51.100.0/25': { country: { iso_code: 'NP' } },
  '192.0.2.7/32': { country: { iso_code: 'us' }, subdivisions: [{ names: { en: 'California' } }] },
  '192.0.2.8/32': { country_code: 'FR', country: 'France' },
  '192.0.2.9/32': { country: 'IT' },
  '192.0.2.10/32': { country: { iso_code: 'Utopia' } },
  '192.0.2.11/32': { registered_country: { iso_code: 'US' } },
  '2001:db8::/32': { country: { iso_code: 'JP' }, subdivisions: [{ iso_code: '13' }] },
}

async function createFile(bytes: Buffer | string, name = `${Math.random()}.mmdb`): Promise<string> {
  const path = join(dir, name)
  await writeFile(path, bytes)
  return path
}

const logger = { info: vi.fn(), error: vi.fn() }

it.each([
  ['203.0.113.9', { country: 'DE', region: 'DE-BY' }],
  ['::ffff:203.0.113.9', { country: 'DE', region: 'DE-BY' }],
  ['198.51.100.127', { country: 'NP' }],
  ['198.51.100.128', {}],
  ['192.0.2.7', { country: 'US', region: 'California' }],
  ['192.0.2.8', { country: 'FR' }],
  ['192.0.2.9', { country: 'IT' }],
  ['192.0.2.10', {}],
  ['192.0.2.11', {}],
  ['2001:db8:1::1', { country: 'JP', region: 'JP-13' }],
  ['2001:db9::1', {}],
  ['fe80::1%eth0', {}],
  ['127.0.0.1', {}],
  ['not an address', {}],
  [undefined, {}],
])('finds the place of %s', async (address, place) => {
  await using database = await GeoDatabase.open(await createFile(geoFile(networks)), logger)
  expect(database.placeOf(address)).toEqual(place)
  // the second time from the cache of records
  expect(database.placeOf(address)).toEqual(place)
})

describe('a file that cannot be used is refused', () => {
  it.each([
    ['text', 'no database', /not a file of the MaxMind DB format/],
    ['an empty file', '', /not a file of the MaxMind DB format/],
    ['a file that was cut off', geoFile(networks).subarray(0, 200), /not a file of the MaxMind DB format/],
    [
      'a database of networks',
      geoFile({ '203.0.113.0/24': { autonomous_system_number: 1 } }, 'GeoLite2-ASN'),
      /GeoLite2-ASN/,
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(GeoDatabase.open(await createFile(bytes), logger)).rejects.toThrow(message)
  })

  it('a missing one', async () => {
    await expect(GeoDatabase.open(join(dir, 'missing.mmdb'), logger)).rejects.toThrow(/ENOENT/)
  })
})

it('is read again when it was replaced, and a bad replacement leaves the last one in use', async () => {
  const path = await createFile(geoFile(networks))
  await using database = await GeoDatabase.open(path, logger, 5)
  const replace = async (bytes: Buffer | string): Promise<void> => rename(await createFile(bytes), path)
  logger.error.mockClear()
  await replace('broken')
  await vi.waitFor(() => expect(logger.error).toHaveBeenCalledTimes(1), 5_000)
  expect(database.placeOf('203.0.113.9')).toEqual({ country: 'DE', region: 'DE-BY' })
  await replace(geoFile({ '203.0.113.0/24': { country: { iso_code: 'AT' } } }))
  await vi.waitFor(() => expect(database.placeOf('203.0.113.9')).toEqual({ country: 'AT' }), 5_000)
  expect(logger.error).toHaveBeenCalledTimes(1)
})
