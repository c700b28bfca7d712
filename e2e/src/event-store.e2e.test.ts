import { afterAll, beforeAll, expect, it } from 'vitest'
import { whenCounted, type Installation } from './installations/installation.ts'
import { until } from './installations/until.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'

const keys = { write: 'hw_store_0123456789abcdef', read: 'hr_store_0123456789abcdef' }
const app = { id: 'store', name: 'S', timezone: 'UTC', write_key: keys.write, read_key: keys.read }
const provision = { organizations: [{ id: 'o', name: 'O', apps: [{ ...app, funnels: [], elements: [] }] }] }
const BASE_MS = Date.now() - 60_000

/** A message of the event store: the JSON text that is sent, and the text that is expected in answers. */
interface Message {
  readonly id: string
  readonly sent: string
  readonly expected: string
}

function messageOf(index: number): Message {
  const id = `message-${index}`
  // every other time has nanoseconds, as a string since no double holds them
  const time = index % 2 === 0 ? `"${BASE_MS + index}000${100 + index}"` : String(BASE_MS + index)
  const payload = [`{"n": ${index}.0, "text": "\\u00e9\\n"}`, `"plain ${index}"`, `[${index}, 1e2]`, 'null'][index % 4]!
  const type = index % 3 === 0 ? 'paid' : 'ordered'
  return {
    id,
    sent: `{ "message_id": "${id}", "timestamp": ${time}, "event_type": "${type}", "payload": ${payload} }`,
    expected: `{"message_id":"${id}","timestamp":${time},"event_type":"${type}","payload":${payload}}`,
  }
}

forEachInstallation((open) => {
  let installation: Installation
  beforeAll(async () => {
    installation = await open({ provision, env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false' } })
    await installation.start()
  }, 120_000)
  afterAll(() => installation?.dispose())

  async function put(messages: readonly Message[]): Promise<void> {
    const answer = await fetch(`${installation.ingestUrl}/events`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-api-key': keys.write },
      body: `[${messages.map(({ sent }) => sent).join(',\n')}]`,
    })
    expect([answer.status, await answer.json()]).toMatchObject([200, { accepted: messages.length, rejected: [] }])
  }
  const get = (path: string): Promise<Response> =>
    fetch(`${installation.apiUrl}${path}`, { headers: { 'x-api-key': keys.read } })
  const sorted = (texts: readonly string[]): string[] => [...texts].sort()

  /** Reads all pages; returns the messages as text. */
  async function read(): Promise<string[]> {
    const found: string[] = []
    for (let next: string | undefined = '/events?limit=7'; next !== undefined;) {
      const answer: Response = await get(next)
      const text = await answer.text()
      expect(answer.status).toBe(200)
      if (text !== '[]') found.push(...text.slice(1, -1).split(/,(?=\{"message_id")/))
      next = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    return found
  }

  /** Follows the stream until it has that many messages; returns them and the id to resume from. */
  async function follow(count: number, lastEventId?: string): Promise<{ data: string[]; id: string }> {
    const answer = await fetch(`${installation.apiUrl}/eventstream`, {
      headers: { 'x-api-key': keys.read, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    })
    expect(answer.status).toBe(200)
    let text = ''
    for await (const part of answer.body!) {
      text += Buffer.from(part).toString()
      const blocks = text.split('\n\n').slice(0, -1)
      const data = blocks.flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? [])
      const id = blocks.flatMap((block) => /^id: (.*)$/m.exec(block)?.[1] ?? []).at(-1)
      // leaving the loop closes the connection
      if (id !== undefined && data.length >= count) return { data, id }
    }
    throw new Error(`the stream ended: ${text}`)
  }

  it('returns and streams each message exactly once, byte for byte, across a restart', async () => {
    const first = Array.from({ length: 40 }, (_, index) => messageOf(index))
    const begin = await follow(0)
    await put(first.slice(0, 25))
    await put(first.slice(10))
    const streamed = await follow(first.length, begin.id)
    expect(sorted(streamed.data)).toEqual(sorted(first.map(({ expected }) => expected)))
    await whenCounted(installation, keys.read)
    const before = await read()
    expect(sorted(before)).toEqual(sorted(streamed.data))

    await put([messageOf(40)])
    await installation.stop('SIGTERM')
    await installation.start()
    await put([messageOf(3), messageOf(41)])
    const resumed = await follow(2, streamed.id)
    const later = [40, 41].map((index) => messageOf(index).expected)
    expect(sorted(resumed.data)).toEqual(sorted(later))
    await until(async () => (await read()).length === first.length + 2, 30_000)
    const after = await read()
    expect(after.slice(0, before.length)).toEqual(before)
    expect(sorted(after.slice(before.length))).toEqual(sorted(later))
  }, 180_000)

  it('counts these messages by their type', async () => {
    await whenCounted(installation, keys.read)
    const answer = await fetch(`${installation.apiUrl}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': keys.read },
      body: JSON.stringify({
        start: Date.now() - 3_600_000,
        end: Date.now() + 1_000,
        data: ['paid', 'ordered'].map((name) => ({ name, filters: [{ type: 'eq', key: 'name', value: name }] })),
      }),
    })
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      {
        data: [
          { name: 'paid', count: 14 },
          { name: 'ordered', count: 28 },
        ],
      },
    ])
  })
})
