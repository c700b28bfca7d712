import { expect, it } from 'vitest'
import hosts from './source-hosts.json' with { type: 'json' }

const listed = Object.values(hosts).flat()

it('lists hosts as browsers write them, each once', () => {
  for (const host of listed) expect(host).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)*(\.\*)?$/)
  expect(new Set(listed).size).toBe(listed.length)
})
