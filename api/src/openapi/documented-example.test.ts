import { readFileSync } from 'node:fs'
import { openEmbedded } from '@hopper/storage/embedded'
import { laneOf } from '@hopper/contracts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { keys, LANES, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

const page = readFileSync(new URL('../../../docs/queries.md', import.meta.url), 'utf8')

/** Returns a fenced block of the page. */
function block(name: string): string {
  const found = new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)
  if (!found) throw new Error(`docs/queries.md has no block ${name}`)
  return found[1]!
}

interface Documented {
  readonly device_id: string
  readonly user_id: string
  readonly timestamp: string
  readonly data: Sketch['data']
}

let hopper: Installation
beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const events = block('ndjson')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Documented)
  const lanes = Map.groupBy(events, ({ device_id }) => laneOf('shop', device_id, LANES))
  for (const [lane, group] of lanes) {
    const sketches = group.map(({ device_id, user_id, timestamp, data }) => ({
      device: device_id,
      user: user_id,
      time: Date.parse(timestamp),
      data,
    }))
    await archiveSketches(hopper.storage, 'shop', lane, '2026-03-28', 0, sketches)
  }
  expect(lanes.size).toBe(2)
})
afterAll(() => hopper.close())

test('the example in docs/queries.md returns the documented answer', async () => {
  const { status, body } = await hopper.send('POST', '/query', JSON.parse(block('json query')), {
    authorization: `Bearer ${keys.read}`,
  })
  const { meta, ...answer } = body as { meta: object }
  expect([status, answer]).toEqual([200, JSON.parse(block('json answer'))])
  expect(meta).toMatchObject({ from: '2026-03-28', to: '2026-03-28' })
})
