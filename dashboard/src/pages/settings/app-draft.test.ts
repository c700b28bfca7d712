import { expect, it } from 'vitest'
import { appDraftOf, changedSettings, deletesEvents } from './app-draft.ts'

const app = {
  name: 'Shop',
  origins: ['https://shop.example'],
  keep_parameters: ['step', 'tab'],
  hash_routing: true,
  retention_days: 90,
  quota_bytes: 1_500_000_000,
  tracker: { consent: true, cross_domains: ['pay.example'] },
}

const bare = { name: 'Shop', origins: [], keep_parameters: [] }

it('a form that was not touched changes nothing, and all settings round-trip through it', () => {
  expect(changedSettings(app, appDraftOf(app))).toEqual({})
  expect(changedSettings(bare, appDraftOf(bare))).toEqual({})
  expect(changedSettings(bare, appDraftOf(app))).toEqual(Object.fromEntries(Object.entries(app).slice(1)))
  expect(changedSettings(app, appDraftOf(bare))).toEqual({
    origins: [],
    keep_parameters: [],
    hash_routing: false,
    retention_days: null,
    quota_bytes: null,
    tracker: {},
  })
})

it('reads lists from lines, without empty ones', () => {
  const draft = { ...appDraftOf(app), origins: ' https://a.example \n\nhttps://b.example\n', crossDomains: ' \n' }
  expect(changedSettings(app, draft)).toEqual({
    origins: ['https://a.example', 'https://b.example'],
    tracker: { consent: true },
  })
})

it.each([
  [90, '30', true],
  [90, '90', false],
  [90, '365', false],
  [90, '', false],
  [null, '365', true],
  [undefined, '1', true],
  [null, '0', false],
])('keeping events for %s and then %j days deletes events: %s', (before, retention, expected) => {
  const settings = before === undefined ? {} : { retention_days: before }
  expect(deletesEvents(settings, { ...appDraftOf(app), retention })).toBe(expected)
})
