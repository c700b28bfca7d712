import { expect, test } from 'vitest'
import { redactedRequest } from './redacted-request.ts'

test.each([
  ['/v1/events?key=hw_secret', '/v1/events'],
  ['/v1/projects/hw_secret/settings', '/v1/projects/…/settings'],
  ['/array/hw_secret/config.js?v=1', '/array/…/config.js'],
  ['/array/hw_secret', '/array/…'],
  [undefined, undefined],
])('no key of an address is in a line of the log: %s', (url, path) => {
  expect(redactedRequest({ method: 'GET', ...(url !== undefined && { url }) })).toEqual({ method: 'GET', path })
})
