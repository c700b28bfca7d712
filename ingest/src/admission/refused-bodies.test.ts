import { expect, it } from 'vitest'
import { openGateway } from '../gateway.fixture.ts'

const unlimited = { requests: Infinity, events: Infinity, bytes: Infinity }
const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }

it('charges refused bodies to the rate of a key too', async () => {
  for (const refused of ['['.repeat(5_000), `${'['.repeat(2_500)}${']'.repeat(2_500)}`, Buffer.alloc(5_000, 0xff)]) {
    await using gateway = await openGateway({ rates: { ...unlimited, bytes: 4_000 } })
    const answers = [await gateway.post(refused), await gateway.post(refused), await gateway.post(body)]
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 429])
  }
})
