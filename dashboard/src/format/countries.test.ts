import { expect, it } from 'vitest'
import { countryName } from './countries.ts'

it('a country code becomes a name, and any other text stays as it is', () => {
  expect(['DE', 'GB', 'ZZ', 'QQ', 'de', '<b>', ''].map(countryName)).toEqual([
    'Germany',
    'United Kingdom',
    'Unknown Region',
    'QQ',
    'de',
    '<b>',
    '',
  ])
})
