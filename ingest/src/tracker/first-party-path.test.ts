import { expect, it } from 'vitest'
import { firstPartyPath } from './first-party-path.ts'

it.each([
  ['/stats/v1/events?key=hw_1', '/v1/events?key=hw_1'],
  ['/a/b/c/v1/config?key=hw_1', '/v1/config?key=hw_1'],
  ['/api/v1/link?key=hw_1&token=x', '/v1/link?key=hw_1&token=x'],
  ['/stats/v1/picker.js?key=hw_1', '/v1/picker.js?key=hw_1'],
  ['/stats/v1/picks?key=hw_1', '/v1/picks?key=hw_1'],
  ['/stats/site.js?key=hw_1', '/hopper.js?key=hw_1'],
  ['/site.js?v=2&key=hw_1', '/hopper.js?v=2&key=hw_1'],
  ['/stats/site.0123456789abcdef.js', '/hopper.0123456789abcdef.js'],
  ['/stats/site.0123456789abcdef.js?key=hw_1', '/hopper.0123456789abcdef.js?key=hw_1'],
])('%s means %s', (url, path) => {
  expect(firstPartyPath(url)).toBe(path)
})

it.each([
  '/v1/events?key=hw_1',
  '/v1/picker.js?key=hw_1',
  '/v1/track?key=hw_1',
  '/hopper.js',
  '/hopper.js?key=hw_1',
  '/hopper.0123456789abcdef.js',
  '/assets/index-B2x9s8dK.js',
  '/api/v1/apps/v1/events?from=2026-01-01',
  '/api/v1/apps/v1/events',
  '/array/hw_1/config.js?key=hw_1',
  '/stats/v1/eventstream',
  '/stats/v1/events/more',
  '/page?next=/v1/events',
  '/site.js?next=/x.js&other=hw_1',
  '/events',
  '',
])('%s stays as it is', (url) => {
  expect(firstPartyPath(url)).toBe(url)
})
