import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeEnvelope, type Envelope, type Event } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Aggregator } from '../aggregator.ts'
import { envelopeOf, messagesOf, openLane, until, type LaneStore } from '../testing/lane.fixture.ts'

let lane: LaneStore
beforeAll(async () => void (lane = await openLane(openEmbedded)))
afterAll(() => lane[Symbol.asyncDispose]())

const noon = Date.parse('2026-06-15T12:00:00Z')
const event = (event_id: string, fields: object = {}): Event => ({
  type: 'custom',
  name: 'n',
  event_id,
  timestamp: noon,
  seq: 0,
  ...fields,
})
const full = (app: string, id = ''): Envelope =>
  envelopeOf(app, {
    session_id: 's',
    rejected: [{ reason: 'too_old' }],
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux', country: 'DE', referrer: 'r', utm: { source: 'a' } },
    events: [
      event(`a${id}`, { data: { k: 'v', n: 1 }, user_id: 'ann', client_time: noon, session_id: 't' }),
      event(`b${id}`, { type: 'url_change', from: '/a', to: '/b', elapsed_time: 3 }),
      event(`c${id}`, { type: 'btn_time', target: '//a', action: 'hover-then-leave', elapsed_time: 1 }),
      event(`d${id}`, {
        name: 'of another kind',
        type: 'funnel_change',
        action: 'onClick',
        funnel: 'f',
        entered: 1,
        from: 0,
        elapsed_time: 1,
      }),
    ],
  })

/** Lists the paths of all values in a JSON value. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  const below =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, each]) => pathsOf(each, [...path, key]))
      : []
  return [[...path], ...below]
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>
  copy[key] = replaceAt(copy[key], rest, by)
  return copy
}

const DEEP = '@deep'
const deepJson = '['.repeat(5_000) + ']'.repeat(5_000)
const strange = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    DEEP,
    null,
    '',
    -1,
    0.5,
    1e300,
    Number.MAX_SAFE_INTEGER,
    '\ud800',
    '\0',
    'x'.repeat(70_000),
    { __proto__: 1 },
    [null],
    [[]],
    { toString: 1 },
    true,
  ),
)
const messageOf = (app: string): fc.Arbitrary<Uint8Array> => {
  const paths = pathsOf(full(app))
  const bytes = encodeEnvelope(full(app))
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat(bytes.length).map((length) => bytes.subarray(0, length)),
    fc
      .tuple(fc.nat(bytes.length - 1), fc.nat(255))
      .map(([offset, byte]) =>
        Buffer.concat([bytes.subarray(0, offset), Buffer.from([byte]), bytes.subarray(offset + 1)]),
      ),
    {
      weight: 5,
      arbitrary: fc
        .tuple(fc.nat(paths.length - 1), strange, fc.uuid())
        .map(([index, replacement, id]) =>
          Buffer.from(
            (JSON.stringify(replaceAt(full(app, id), paths[index]!, replacement)) ?? '').replace(
              JSON.stringify(DEEP),
              deepJson,
            ),
          ),
        ),
    },
  )
}

// The first bytes of a message decide with which app it is counted.
it('makes a dead letter of a message that names two apps', async () => {
  const app = `two-${randomUUID()}`
  await lane.app(app)
  const { value } = messagesOf([{ position: 0, envelope: full(app) }])[0]!
  const named = Buffer.from(Buffer.from(value).toString().replace('{"version":1,', '{"version":1,"app":"other",'))
  const aggregator = new Aggregator({ ...lane.storage, owner: app })
  const position = await aggregator.assigned(0)
  await aggregator.batch(0, [{ position, value: named }])
  expect(await lane.fates(app)).toEqual({})
})

it('never stops for any content of a message: the following messages are counted and archived', async () => {
  const app = `p-${randomUUID()}`
  await lane.app(app)
  const aggregator = new Aggregator({ ...lane.storage, owner: app })
  let position = await aggregator.assigned(0)
  let good = 0
  await fc.assert(
    fc.asyncProperty(fc.array(messageOf(app), { minLength: 1, maxLength: 8 }), async (values) => {
      const bad = values.map((value) => ({ position: position++, value }))
      const [after] = messagesOf([
        {
          position: position++,
          envelope: envelopeOf(app, { device_id: 'good', received_at: noon, events: [event(`good-${good++}`)] }),
        },
      ])
      await aggregator.batch(0, [...bad, after!])
    }),
    { numRuns: 300 },
  )
  await aggregator.catchUp()
  await aggregator.revoked(0)
  const chunks = await lane.storage.archive!.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })
  expect(chunks.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(good)
  expect((await lane.fates(app))['accepted']).toBeGreaterThanOrEqual(good)
  expect((await lane.storage.lanes.positions())[0]).toBe(position)
}, 60_000)

it('continues after garbage in the log: invalid messages, and an unreadable block', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-poison-'))
  const storage = await openEmbedded({ dir, lanes: 1 })
  await storage.registry.apps.put('acme', 'shop', {
    id: 'shop',
    organization: 'acme',
    name: 'shop',
    timezone: 'UTC',
    origins: [],
    keep_parameters: [],
  })
  const send = (id: string): Promise<unknown> =>
    storage.log.append([envelopeOf('shop', { received_at: noon, events: [event(id)] })])
  const garbage = [Buffer.from([0, 255, 1]), Buffer.alloc(0), Buffer.from('{"version":1')]
  const log = new DatabaseSync(join(dir, 'log.db'))
  const insert = log.prepare('INSERT INTO lane_0 VALUES (?, ?, ?)')
  insert.run(
    0,
    garbage.length,
    zstdCompressSync(
      Buffer.concat([new Uint8Array(Uint32Array.from(garbage, (each) => each.length).buffer), ...garbage]),
    ),
  )
  insert.run(3, 2, Buffer.from('no frame of zstd'))
  insert.run(5, 2, zstdCompressSync(Buffer.from('short')))
  log.close()
  await send('good')
  await send('good too')
  const aggregator = new Aggregator({ ...storage, owner: 'test' })
  await aggregator.start()
  await until(
    async () => (await storage.reader.counters('fates_by_date', 'shop', ['2026-06-15']))[0]?.counters[0] === 2,
  )
  await aggregator.close()
  expect(await storage.reader.deadLetters()).toBe(garbage.length + 4)
  expect((await storage.lanes.positions())[0]).toBe(9)
  await storage.close()
  await rm(dir, { recursive: true })
})
