import { EventsBody, type App } from '@hopper/contracts'
import * as fc from 'fast-check'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { readBatch } from './batch.ts'

const app: App = { id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
const NOW = Date.parse('2026-06-20T12:00:00Z')

/** Values of each field as the schema describes them, and values that it does not. */
const samples: Readonly<Record<keyof EventsBody, readonly unknown[]>> = {
  sent_at: [NOW, '2026-06-20T12:00:00Z', '2026-06-20T14:00:00+02:00', 1.5, 'yesterday', true, {}],
  device_id: ['d', 'x'.repeat(128), '', 'x'.repeat(129), 7, []],
  session_id: ['s', 'x'.repeat(128), '', 'x'.repeat(129), 7, {}],
  cookieless: [false, 'true', 1],
  source: [{}, { referrer: 'https://search.example/' }, { utm_source: 'mail' }, { click_id: 'gclid' }, 'mail', [], 1],
  language: ['de-AT', 'en', 7, []],
  screen: ['desktop', 'mobile', 'huge', 3],
  country: ['DE', 'at', 'Germany', 49],
  region: [7, {}],
  webdriver: [true, false, 'yes'],
  historical: [true, false, 0],
  events: [[], [{ type: 'custom', name: 'n' }], [null, 'text'], {}, 'none', 1],
}
const bodies = fc.record(
  Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, fc.constantFrom(...values)])),
  { requiredKeys: ['events'] },
)

/** Reads a body; returns how many of its fields were changed, undefined when it is refused. */
function changesOf(value: unknown): number | undefined {
  const bytes = Buffer.from(JSON.stringify(value))
  try {
    return readBatch({ value, bytes, exact: true, isUnicode: true }, app, NOW).changes.total
  } catch (error) {
    expect(error).toMatchObject({ code: 'HOP_BODY_INVALID' })
    return undefined
  }
}

test('the samples have every field of the schema', () => {
  expect(Object.keys(samples).sort()).toEqual(Object.keys(EventsBody.properties).sort())
})

test('a body is taken unchanged exactly when the schema describes it', () => {
  fc.assert(
    fc.property(bodies, (body) => {
      expect([body, changesOf(body) === 0]).toEqual([body, Value.Check(EventsBody, body)])
    }),
    { numRuns: 3_000 },
  )
})

test('a field that the schema does not have is named', () => {
  expect(changesOf({ events: [], colour: 'red' })).toBe(1)
})
