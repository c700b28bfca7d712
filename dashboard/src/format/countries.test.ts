import { expect, it } from 'vitest'
import { countryName } from './countries.ts'

it('a country has its name, and what is none stays as it is', () => {
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
