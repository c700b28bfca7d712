import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { whenCounted, type Installation } from './installations/installation.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'
import { mulberry32 } from './traffic/random-traffic.ts'
import { sendSession, type SentSession, type SessionItem } from './traffic/session-client.ts'

const SESSIONS = 1_000
const CONCURRENCY = 100
const SEED = Date.now() % 1_000_000
const keys = { write: 'hw_live_0123456789abcdef', read: 'hr_live_0123456789abcdef' }
const app = { id: 'live', name: 'Live', write_key: keys.write, read_key: keys.read }
const provision = { organizations: [{ id: 'o', name: 'O', apps: [app] }] }
const begin = Date.now() - 3_600_000

const message = fc.array(fc.constantFrom('view', 'scroll', 'add', 'pay'), { minLength: 1, maxLength: 5 })
/** Messages of one session: the start, some events, and for most the end. */
const messages = fc
  .tuple(fc.array(message, { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([lists, ends]): SessionItem[][] => {
    let timestamp = begin
    const events = lists.map((names) =>
      names.map((name): SessionItem => ({ type: 'EVENT', timestamp: (timestamp += 1_000), name })),
    )
    const start: SessionItem = { type: 'SESSION_START', timestamp: begin }
    const end: SessionItem = { type: 'SESSION_END', timestamp: timestamp + 1_000 }
    return [[start], ...events, ...(ends ? [[end]] : [])]
  })

const line = ({ type, timestamp, name = type.toLowerCase() }: SessionItem): string => `${timestamp} ${type} ${name}`

forEachInstallation((open, way) => {
  let installation: Installation
  beforeAll(async () => {
    installation = await open({ provision })
    await installation.start()
  }, 180_000)
  afterAll(() => installation.dispose(), 120_000)

  it(
    `every acknowledged event is in its session exactly once, over cut connections (${way}, seed ${SEED})`,
    {
      timeout: 300_000,
    },
    async () => {
      const url = `${installation.ingestUrl.replace(/^http/, 'ws')}/ws?key=${keys.write}`
      const plans = fc.sample(messages, { numRuns: SESSIONS, seed: SEED })
      // Not numbers of fast-check: most of those are close to 0, which would cut nearly every connection.
      const random = mulberry32(SEED)
      const sent: SentSession[] = []
      const waiting = [...plans]
      await Promise.all(
        Array.from({ length: CONCURRENCY }, async () => {
          for (let plan = waiting.pop(); plan; plan = waiting.pop()) sent.push(await sendSession(url, plan, random))
        }),
      )
      expect(sent.reduce((sum, { connections }) => sum + connections, 0)).toBeGreaterThan(SESSIONS * 1.3)
      await whenCounted(installation, keys.read)
      const stored = await storedSessions(installation)
      for (const { id, acknowledged } of sent)
        expect([id, stored.get(id)?.sort()]).toEqual([id, acknowledged.map(line).sort()])
      expect(stored.size).toBe(SESSIONS)
    },
  )

  it('answers a session in the order of time, with its start and end', { timeout: 60_000 }, async () => {
    const url = `${installation.ingestUrl.replace(/^http/, 'ws')}/ws?key=${keys.write}`
    const event = (name: string, after: number): SessionItem => ({ type: 'EVENT', timestamp: begin + after, name })
    const whole = [
      [event('second', 2_000), { type: 'SESSION_END', timestamp: begin + 9_000 } as const],
      [event('first', 1_000)],
      [{ type: 'SESSION_START', timestamp: begin } as const],
    ]
    const { id } = await sendSession(url, whole, () => 0.9)
    await whenCounted(installation, keys.read)
    const answer = await fetch(`${installation.apiUrl}/session/${id}`, {
      headers: { authorization: `Bearer ${keys.read}` },
    })
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        type: 'SESSION',
        start: begin,
        end: begin + 9_000,
        children: [
          { type: 'EVENT', timestamp: begin + 1_000, name: 'first' },
          { type: 'EVENT', timestamp: begin + 2_000, name: 'second' },
        ],
      },
    ])
  })
})

/** Every counted event by its session, as one line each. */
async function storedSessions(installation: Installation): Promise<Map<string, string[]>> {
  const day = new Date(begin).toISOString().slice(0, 10)
  const next = new Date(begin + 86_400_000).toISOString().slice(0, 10)
  const answer = await fetch(`${installation.apiUrl}/api/v1/apps/live/export?format=ndjson&from=${day}&to=${next}`, {
    headers: { authorization: `Bearer ${keys.read}` },
  })
  expect(answer.status).toBe(200)
  const stored = new Map<string, string[]>()
  for (const text of (await answer.text()).split('\n').filter(Boolean)) {
    const { session_id, timestamp, name, data } = JSON.parse(text) as {
      session_id: string
      timestamp: number
      name: string
      data: { session_message: string }
    }
    const list = stored.get(session_id) ?? []
    list.push(`${timestamp} ${data.session_message} ${name}`)
    stored.set(session_id, list)
  }
  return stored
}
