import { expect, it } from 'vitest'
import { filtersOfRule } from './bot-rule-filter.ts'

/** Matches a whole value as RE2 does. */
function matches(kind: Parameters<typeof filtersOfRule>[0]['kind'], value: string, text: string): boolean {
  const filter = filtersOfRule({ kind, value })!.find(({ type }) => type === 'regex') as { value: string }
  const isCaseless = filter.value.startsWith('(?i)')
  return new RegExp(`^(?:${filter.value.replace('(?i)', '')})$`, isCaseless ? 'i' : '').test(text)
}

it.each([
  ['browser', 'chrome', 'Chrome', true],
  ['browser', 'Chrome', 'Chrome Mobile', false],
  ['referrer', 'spam.example', 'https://SPAM.example/a', true],
  ['referrer', 'spam.example', 'https://spamXexample/', false],
  ['page', '/a(b', 'shop.example/a(b/c', true],
  ['page', '/a', '/a', true],
  ['page', '/a', 'shop.example/b/a', false],
  ['country', 'de', 'DE', true],
] as const)('%s %s matches %s as the rule does: %s', (kind, value, text, isMatched) => {
  expect(matches(kind, value, text)).toBe(isMatched)
})

it('has no filter for rules about values that are not stored', () => {
  expect(filtersOfRule({ kind: 'user_agent', value: 'x' })).toBeUndefined()
  expect(filtersOfRule({ kind: 'network', value: '10.0.0.0/8' })).toBeUndefined()
})
