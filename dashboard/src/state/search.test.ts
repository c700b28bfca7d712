import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatQuery, parseQuery, readSearch, sharedSearch, withSearch, type Search } from './search.ts'

const full: Search = {
  range: '30d',
  vs: 'previous',
  f: ['device:mobile', '!os:iOS'],
  unit: 'session',
  robots: 'shown',
  by: 'source',
  stage: 4,
  show: 'lost',
  cause: 'never',
  tab: 'instead',
  view: 'table',
  value: '',
  who: 'u:ann',
  q: 'cart',
  start: '/demo*/cart',
  end: 'shop.example/thanks',
  depth: 3,
  places: 'events',
  link: ['0:/', '1/exit'],
  with: ['/a', '/b/*'],
  what: 'type:click',
  as: 'line',
  cols: ['page', 'device'],
  again: 'name:bought',
  each: 'day',
  funnel: 'checkout',
  element: '//a',
  order: 'events',
  forget: 'f-1',
  kind: 'click',
  sender: 'robots',
  event: 'e-1',
  on: '2026-01-31',
}

describe('the search parameters', () => {
  it('are readable in an address', () => {
    expect(formatQuery({ range: '30d', f: ['device:mobile', '!os:iOS'], stage: 4 })).toBe(
      '?range=30d&f=device:mobile&f=!os:iOS&stage=4',
    )
    expect(formatQuery({})).toBe('')
  })

  it('round-trip through an address', () => {
    expect(readSearch(parseQuery(formatQuery({ ...full })))).toEqual(full)
    const texts = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(texts, (f) => {
        expect(readSearch(parseQuery(formatQuery({ f })))).toEqual({ f })
      }),
    )
  })

  it('without meaning are left out, but a range that cannot be read is kept for the error message', () => {
    expect(
      readSearch({ unit: 'user', stage: '0', cause: 'x', view: 'graph', depth: '9', link: 'a', login: 'expired' }),
    ).toEqual({})
    expect(readSearch({ range: 'next week' })).toEqual({ range: 'next week' })
  })

  it('of a link to another page are those of the question', () => {
    expect(sharedSearch(full)).toEqual({ range: '30d', vs: 'previous', f: full.f, unit: 'session', robots: 'shown' })
    expect(withSearch(full, { vs: undefined }).vs).toBeUndefined()
  })
})
