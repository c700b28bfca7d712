import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { repetitions } from '@hopper/storage/contract/repetitions'
import { cluster, type Cluster } from './installations/cluster.ts'
import { Service } from './installations/service.ts'
import { EventStream } from './traffic/event-stream.ts'

const keys = { write: 'hw_streams_0123456789abcdef', read: 'hr_streams_0123456789abcdef' }
const app = { id: 'streams', name: 'S', timezone: 'UTC', write_key: keys.write, read_key: keys.read }
const provision = { organizations: [{ id: 'o', name: 'O', apps: [app] }] }
const ROUNDS = repetitions(12)
const [BATCHES_IN_ROUND, BATCH] = [12, 5]
const engines = inject('engines')

describe.skipIf(!engines)('a stream over two api processes', () => {
  let installation: Cluster
  let apis: readonly Service[] = []
  let sent = 0

  beforeAll(async () => {
    installation = await cluster(engines!, { provision, env: { HOPPER_LOG_LEVEL: 'error' } })
    await installation.start()
    apis = [installation.api, await Service.of('api', [], installation.env)]
    await apis[1]!.start()
  }, 180_000)
  afterAll(async () => {
    await apis[1]?.stop('SIGKILL')
    await installation?.dispose()
  }, 120_000)

  async function send(): Promise<void> {
    const events = Array.from({ length: BATCH }, () => ({
      type: 'custom',
      name: 'n',
      event_id: `e${sent++}`,
      timestamp: Date.now(),
    }))
    const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': keys.write },
      // many devices, so that events are in every lane
      body: JSON.stringify({ device_id: `device-${sent}`, events }),
    })
    expect([answer.status, await answer.json()]).toMatchObject([202, { accepted: BATCH }])
  }

  const follow = (api: Service, lastId?: string): Promise<EventStream> =>
    EventStream.open(`${api.url}/api/v1/apps/streams/live`, keys.read, lastId)
  const idsOf = ({ events }: EventStream): string[] =>
    events.map(({ data }) => (JSON.parse(data) as { event_id: string }).event_id)

  it(`has every event once, though the process is killed in each of ${ROUNDS} rounds`, async () => {
    const all: string[] = []
    let stream = await follow(apis[0]!)
    for (let round = 0; round < ROUNDS; round++) {
      const [current, other] = round % 2 ? [apis[1]!, apis[0]!] : [apis[0]!, apis[1]!]
      const sending = (async () => {
        for (let batch = 0; batch < BATCHES_IN_ROUND; batch++) await send()
      })()
      await stream.read(1 + ((round * 7) % (BATCHES_IN_ROUND * BATCH - 1)))
      current.signal('SIGKILL')
      expect(await stream.read(Infinity)).toBe('lost')
      all.push(...idsOf(stream))
      await sending
      const resumed = await follow(other, stream.lastId)
      expect(await resumed.read(sent - all.length)).toBe('complete')
      all.push(...idsOf(resumed))
      await current.stop('SIGKILL')
      await current.start()
      stream = await follow(other, resumed.lastId)
      resumed.leave()
    }
    stream.leave()
    expect(all.length).toBe(sent)
    expect([...all].sort()).toEqual(Array.from({ length: sent }, (_, index) => `e${index}`).sort())
  }, 400_000)
})
