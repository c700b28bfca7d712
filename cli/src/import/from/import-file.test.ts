import { appendFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { decodeEnvelope, type Event } from '@hopper/contracts'
import { withOverrides, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { countAll } from '../../testing/installation.fixture.ts'
import { readConfig } from '../../config/config.ts'
import { settingsOf } from '../../config/settings.ts'
import { forgetPerson } from '../../forget/forget-person.ts'
import { createLogger } from '../../logging/logger.ts'
import { describeFile, type FileCounts } from './file-counts.ts'
import { formatOf, type FormatName } from './format.ts'
import { appNamed, importFile } from './import-file.ts'
import { parseMapping } from './mapping.ts'
import { SourceFile } from './source-file.ts'

interface Target extends AsyncDisposable {
  readonly dir: string
  readonly storage: Storage
}

async function makeTarget(lanes = 3): Promise<Target> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-from-'))
  const storage = await openEmbedded({ dir, lanes })
  const { registry } = storage
  await registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
  const app = { id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
  await registry.apps.put('acme', 'shop', app)
  return {
    dir,
    storage,
    async [Symbol.asyncDispose]() {
      await storage.close()
      await rm(dir, { recursive: true })
    },
  }
}

interface Reading {
  readonly from?: FormatName
  readonly mapping?: object
  readonly report?: () => void
}

async function read(storage: Storage, path: string, reading: Reading = {}): Promise<FileCounts> {
  const { from = 'ndjson', report = () => undefined } = reading
  const mapping = reading.mapping && parseMapping(reading.mapping, 'mapping.json')
  const [app, file] = [await appNamed(storage, 'shop'), await SourceFile.open(path)]
  return importFile(storage, { app, file, from, format: formatOf(from, path, mapping), mapping }, report)
}

async function createFile(dir: string, name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(dir, name), content)
  return join(dir, name)
}

/** All events in the log, lane by lane. */
async function eventsIn({ log }: Storage): Promise<(Event & { device_id: string; historical: unknown })[]> {
  const lanes = await Promise.all(Array.from({ length: log.lanes }, (_, lane) => log.read(lane, 0, Infinity)))
  return lanes.flat().flatMap(({ value }) => {
    const { device_id, events, context } = decodeEnvelope(value)
    return events.map((event) => ({ ...event, device_id, historical: context.historical }))
  })
}

async function messagesIn({ log }: Storage): Promise<string[]> {
  const lanes = await Promise.all(Array.from({ length: log.lanes }, (_, lane) => log.read(lane, 0, Infinity)))
  return lanes.flat().map(({ value }) => Buffer.from(value).toString())
}

/** Counts the log with the real aggregator; returns the numbers of events by fate and reason. */
async function fatesOf(storage: Storage): Promise<Record<string, number>> {
  await countAll(storage)
  const dates = [Date.now() - 86_400_000, Date.now()].map((ms) => new Date(ms).toISOString().slice(0, 10))
  const rows = await storage.reader.counters('fates_by_date', 'shop', dates)
  return Object.fromEntries(rows.map(({ key, counters }) => [key.join(' '), counters[0]!]))
}

const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const row = (n: number, more: object = {}): string =>
  JSON.stringify({ name: 'sold', device_id: `d${n % 5}`, timestamp: 1_600_000_000_000 + n, data: { n }, ...more })
const rows = (count: number, first = 0): string =>
  Array.from({ length: count }, (_, n) => `${row(first + n)}\n`).join('')

it('reads CSV by a mapping: times in seconds, numbers, texts like numbers, quotes, empty cells', async () => {
  await using target = await makeTarget()
  const csv = [
    '\ufeffts,visitor,who,event,price,sku,paid,comment',
    '1600000000,v1,,viewed,12.50,007,true,"a ""quoted"", text\nof two lines"',
    '1600000001.5,v1,ann,bought,1e2,12345678901234567890,false,',
    '',
  ].join('\r\n')
  const path = await createFile(target.dir, 'a.csv', csv)
  const mapping = {
    timestamp: 'ts',
    device_id: 'visitor',
    user_id: 'who',
    name: 'event',
    timestamp_unit: 's',
    data: '*',
  }
  const counts = await read(target.storage, path, { from: 'csv', mapping })
  expect([counts.rows, counts.rejected, counts.changed]).toEqual([2, 0, 0])
  const common = { type: 'custom', device_id: 'v1', historical: true, event_id: expect.any(String) as string }
  expect(await eventsIn(target.storage)).toEqual([
    {
      ...common,
      name: 'viewed',
      timestamp: 1_600_000_000_000,
      seq: expect.any(Number) as number,
      data: { price: 12.5, sku: '007', paid: true, comment: 'a "quoted", text\nof two lines' },
    },
    {
      ...common,
      name: 'bought',
      user_id: 'ann',
      timestamp: 1_600_000_001_500,
      seq: expect.any(Number) as number,
      data: { price: 100, sku: '12345678901234567890', paid: false },
    },
  ])
})

it('reads CSV whose columns are named as our fields, and page views', async () => {
  await using target = await makeTarget()
  const csv = 'timestamp,device_id,to,elapsed_time\n2024-01-31T12:00:00Z,d,https://shop.example/a?utm_source=x,250\n'
  await read(target.storage, await createFile(target.dir, 'a.csv', csv), { from: 'csv' })
  expect(await eventsIn(target.storage)).toMatchObject([
    { type: 'url_change', from: '', to: 'https://shop.example/a', elapsed_time: 250, timestamp: 1_706_702_400_000 },
  ])
  expect((await messagesIn(target.storage))[0]).toContain('"utm":{"utm_source":"x"}')
})

it('reads lines of JSON as POST /v1/events does, nested fields by a mapping, lists, compressed files', async () => {
  await using target = await makeTarget()
  const nested = { ts: 1_600_000_000_000_000, user: { id: 'ann' }, what: 'bought', cart: { total: 7, items: ['a'] } }
  const mapping = { timestamp: 'ts', user_id: 'user.id', name: 'what', data: 'cart', timestamp_unit: 'us' }
  await read(target.storage, await createFile(target.dir, 'a.json', `[${JSON.stringify(nested)}]`), { mapping })
  await read(target.storage, await createFile(target.dir, 'b.ndjson.gz', gzipSync(rows(3))))
  const events = await eventsIn(target.storage)
  expect(events.filter(({ user_id }) => user_id === 'ann')).toMatchObject([
    { name: 'bought', timestamp: 1_600_000_000_000, data: { total: 7, items: '["a"]' } },
  ])
  expect(
    events
      .filter(({ user_id }) => user_id !== 'ann')
      .map(({ timestamp }) => timestamp - 1_600_000_000_000)
      .sort(),
  ).toEqual([0, 1, 2])
})

it('reads an archive of Segment, with its messages of every kind', async () => {
  await using target = await makeTarget()
  const common = { anonymousId: 'd', timestamp: '2024-01-31T12:00:00.000Z' }
  const messages = [
    { ...common, type: 'track', event: 'Bought', properties: { price: 5 }, messageId: 'm1' },
    { ...common, type: 'page', properties: { url: 'https://shop.example/a' }, messageId: 'm2', context: { userAgent } },
    { ...common, type: 'identify', userId: 'ann', traits: { plan: 'pro' }, messageId: 'm3' },
    { ...common, type: 'delete', messageId: 'm4' },
  ]
  const archive = gzipSync(messages.map((each) => JSON.stringify(each)).join('\n'))
  const counts = await read(target.storage, await createFile(target.dir, 'a.gz', archive), { from: 'segment' })
  expect(counts.firstRejected).toMatchObject([{ number: 4, reason: 'unknown_type' }])
  expect(await eventsIn(target.storage)).toMatchObject([
    { event_id: 'm1', type: 'custom', name: 'Bought', device_id: 'd', data: { price: 5 } },
    { event_id: 'm2', type: 'url_change', to: 'https://shop.example/a', timestamp: 1_706_702_400_000 },
    { event_id: 'm3', type: 'identify', user_id: 'ann', data: { plan: 'pro' }, historical: true },
  ])
  expect((await messagesIn(target.storage)).filter((text) => text.includes('"browser":"Chrome"'))).toHaveLength(1)
})

it('reads the same events from every kind of export of PostHog', async () => {
  const properties = { $device_id: 'd', plan: 'pro', $lib: 'web' }
  const event = { uuid: 'u1', event: 'signed up', distinct_id: 'd', timestamp: '2024-01-31T12:00:00Z' }
  const quoted = JSON.stringify(properties).replaceAll('"', '""')
  const exports: [string, string][] = [
    ['a.ndjson', JSON.stringify({ ...event, properties })],
    ['b.json', `{"next": null, "results": [${JSON.stringify({ ...event, properties: JSON.stringify(properties) })}]}`],
    ['c.csv', `uuid,event,distinct_id,timestamp,properties\nu1,signed up,d,2024-01-31T12:00:00Z,"${quoted}"`],
    [
      'd.csv',
      `uuid,event,distinct_id,timestamp,properties.plan,properties.$lib\nu1,signed up,d,${event.timestamp},pro,web`,
    ],
  ]
  for (const [name, content] of exports) {
    await using target = await makeTarget()
    await read(target.storage, await createFile(target.dir, name, content), { from: 'posthog' })
    expect([name, await eventsIn(target.storage)]).toMatchObject([
      name,
      [{ event_id: 'u1', type: 'custom', name: 'signed up', device_id: 'd', data: { plan: 'pro' } }],
    ])
  }
})

it('changes nothing when it is repeated: the same file, a copy, and a longer file with the same rows', async () => {
  await using target = await makeTarget()
  const { storage, dir } = target
  // Three equal rows are three events, however often they come.
  const equal = `${row(1)}\n`.repeat(3)
  const path = await createFile(dir, 'a.ndjson', `${equal}${rows(2_500, 10)}${row(7, { event_id: 'own' })}\nnot JSON\n`)
  expect((await read(storage, path)).skipped).toBe(0)
  const messages = await messagesIn(storage)
  const again = await read(storage, path)
  expect([again.rows, again.rejected, again.skipped]).toEqual([2_505, 1, again.messages])
  await read(storage, await createFile(dir, 'copy.ndjson', await readFile(path)))
  expect(await messagesIn(storage)).toEqual(messages)
  expect(await fatesOf(storage)).toEqual({ 'accepted historical': 2_504, 'rejected not_an_object': 1 })

  // In a different order, with keys in a different order, and one row more.
  const other = [...rows(2_500, 10).trimEnd().split('\n').reverse(), ...equal.trimEnd().split('\n'), row(5_000)]
  const reordered = other.map((line) =>
    JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line) as object).reverse())),
  )
  await read(storage, await createFile(dir, 'longer.ndjson', reordered.join('\n')))
  expect(await fatesOf(storage)).toEqual({
    'accepted historical': 2_505,
    'duplicate repeated_id': 2_503,
    'rejected not_an_object': 1,
  })
})

it('continues after an interruption at any append, and appends each message once', async () => {
  await using whole = await makeTarget()
  // each row has a device of its own, so that there are several appends
  const varied = `${Array.from({ length: 6_000 }, (_, n) => row(n, { device_id: `d${n}` })).join('\n')}\nnot JSON\n`
  await read(whole.storage, await createFile(whole.dir, 'a.ndjson', varied))
  const wanted = withoutReceipt(await messagesIn(whole.storage))
  expect(wanted.length).toBeGreaterThan(5_999)
  for (const how of ['before', 'half', 'after'] as const) {
    await using target = await makeTarget()
    const path = await createFile(target.dir, 'a.ndjson', varied)
    for (const appends of [1, 0, 0])
      await expect(read(interrupted(target.storage, appends, how), path)).rejects.toThrow('interrupted')
    await read(target.storage, path)
    expect(withoutReceipt(await messagesIn(target.storage))).toEqual(wanted)
  }
}, 60_000)

function withoutReceipt(messages: readonly string[]): string[] {
  return messages.map((message) => message.replace(/"received_at":\d+,/, '')).sort()
}

/** Fails at the append after `appends` others: before it, after half of it, or after it. */
function interrupted(storage: Storage, appends: number, how: 'before' | 'half' | 'after'): Storage {
  let left = appends
  const log = withOverrides(storage.log, {
    appendMessages: async (messages) => {
      if (left-- > 0) return storage.log.appendMessages(messages)
      const taken = how === 'before' ? 0 : how === 'half' ? Math.floor(messages.length / 2) : messages.length
      await storage.log.appendMessages(messages.slice(0, taken))
      throw new Error('interrupted')
    },
  })
  return { ...storage, log }
}

it('rejects rows by their reasons, names the first ones, and imports all others', async () => {
  await using target = await makeTarget()
  const lines = [
    row(0),
    '',
    '{"name":',
    '7',
    row(1, { timestamp: undefined }),
    row(2, { timestamp: 'yesterday' }),
    row(3, { timestamp: 0 }),
    row(4, { device_id: undefined }),
    row(5, { name: undefined }),
    row(6, { type: 'click' }),
    row(7, { data: { text: 'x'.repeat(1_100_000) } }),
    row(8, { event_id: 'half \ud800' }),
    row(9),
  ]
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from([0x22, 0xff, 0x22])])
  const counts = await read(target.storage, await createFile(target.dir, 'a.ndjson', bytes))
  expect([counts.rows, counts.accepted, counts.changed]).toEqual([13, 3, 1])
  expect(counts.firstRejected.map(({ number, reason }) => [number, reason])).toEqual([
    [3, 'not_an_object'],
    [4, 'not_an_object'],
    [5, 'missing_field'],
    [6, 'invalid_field'],
    [7, 'too_old'],
    [8, 'no_device'],
    [9, 'unknown_type'],
    [10, 'missing_field'],
    [11, 'not_an_object'],
    [14, 'not_an_object'],
  ])
  const text = describeFile(counts, 2)
  expect(text).toContain('13 rows, 3 accepted, 10 rejected, 1 values changed; 2.0 s, 7 events/s')
  expect(text).toContain('Rejected: 4 not_an_object, 2 missing_field')
  expect(text).toContain('row 3: not_an_object: It is not JSON')
  expect(text).toContain('row 11: not_an_object: It has more than 1000000 bytes')
  expect(await fatesOf(target.storage)).toMatchObject({ 'accepted historical': 3, 'rejected not_an_object': 4 })
})

it('keeps the order of rows with the same time, over all batches', async () => {
  await using target = await makeTarget(1)
  const same = Array.from({ length: 2_500 }, (_, n) => row(0, { event_id: `e${n}` })).join('\n')
  await read(target.storage, await createFile(target.dir, 'a.ndjson', same))
  const events = await eventsIn(target.storage)
  const ordered = events.toSorted((a, b) => a.timestamp - b.timestamp || a.seq - b.seq)
  expect(ordered.map(({ event_id }) => event_id)).toEqual(Array.from({ length: 2_500 }, (_, n) => `e${n}`))
})

it('notices that the file changes while it is imported', async () => {
  await using target = await makeTarget()
  const { storage, dir } = target
  const path = await createFile(dir, 'a.ndjson', rows(5_000))
  let isChanged = false
  const report = (): void => {
    if (!isChanged) appendFileSync(path, rows(1, 9_000))
    isChanged = true
  }
  await expect(read(storage, path, { report })).rejects.toThrow(/has changed while it was imported/)
  const counts = await read(storage, path)
  expect(counts.rows).toBe(5_001)
  expect(await fatesOf(storage)).toMatchObject({ 'accepted historical': 5_001 })
})

it('refuses files and mappings that cannot be read, and says why', async () => {
  await using target = await makeTarget()
  const { storage, dir } = target
  await expect(read(storage, join(dir, 'none'))).rejects.toThrow(/none cannot be read: ENOENT/)
  await expect(read(storage, dir)).rejects.toThrow('is not a file')
  await expect(read(storage, await createFile(dir, 'a.gz', 'no gzip'))).rejects.toThrow(
    /a.gz cannot be read: incorrect header/,
  )
  const csv = await createFile(dir, 'a.csv', 'ts,who\n1,ann\n')
  const mapping = { timestamp: 'time', user_id: 'who' }
  await expect(read(storage, csv, { from: 'csv', mapping })).rejects.toThrow('no column "time"')
  await expect(read(storage, csv, { from: 'csv' })).rejects.toThrow('no column "timestamp"')
  await expect(read(storage, await createFile(dir, 'b.csv', 'a,a\n'), { from: 'csv' })).rejects.toThrow(
    'two columns "a"',
  )
  const open = await createFile(dir, 'c.csv', `timestamp,device_id,name\n1600000000000,d,n\n1600000000000,d,"n\n`)
  await expect(read(storage, open, { from: 'csv' })).rejects.toThrow(/cannot be read to its end: Quote Not Closed/)
  await expect(appNamed(storage, 'shoop')).rejects.toThrow('there are: shop')
  expect((await appNamed(storage, undefined)).id).toBe('shop')
  await expect(read(storage, csv, { from: 'mixpanel', mapping })).rejects.toThrow('A mapping is for csv and ndjson')
})

it('leaves out events that were forgotten here, of another file with the same rows', async () => {
  await using target = await makeTarget()
  const { dir, storage } = target
  const line = (device_id: string, event_id: string): string =>
    JSON.stringify({
      device_id,
      event_id,
      type: 'custom',
      name: `of ${device_id} ${event_id}`,
      timestamp: Date.UTC(2026, 2, 1, 12),
    }) + '\n'
  await read(storage, await createFile(dir, 'one.ndjson', line('d1', 'a') + line('d2', 'b')))
  expect(await fatesOf(storage)).toEqual({ 'accepted historical': 2 })
  const config = readConfig(settingsOf.installation, { data: dir, lanes: '3' }, {})
  const silent = { logger: createLogger('silent', 'forget'), progress: () => undefined }
  await forgetPerson(storage, config, { app: 'shop', kind: 'device', person: 'd1' }, silent)
  expect((await messagesIn(storage)).filter((text) => text.includes('of d1'))).toEqual([])
  await read(storage, await createFile(dir, 'two.ndjson', line('d1', 'a') + line('d1', 'c') + line('d2', 'b')))
  const matches = (await messagesIn(storage)).flatMap((text) => text.match(/of d1 ./g) ?? [])
  expect(matches).toEqual(['of d1 c'])
  expect(await fatesOf(storage)).toEqual({ 'accepted historical': 2, 'duplicate repeated_id': 1 })
})

it('applies rules of the app about user agents and networks to a file that has them', async () => {
  await using target = await makeTarget(1)
  const { dir, storage } = target
  const app = (await storage.registry.app('shop'))!
  await storage.registry.apps.put('acme', 'shop', {
    ...app,
    bot_rules: [
      { kind: 'user_agent_regex', value: '^(curl|wget)/', action: 'bot' },
      { kind: 'network', value: '192.0.2.0/24', action: 'bot' },
    ],
  })
  const rows = [
    'time,name,device,agent,address',
    '1600000000,a,d1,curl/8,198.51.100.1',
    '1600000001,b,d2,Mozilla/5.0,192.0.2.9',
    '1600000002,c,d3,Mozilla/5.0,198.51.100.1',
  ]
  const path = await createFile(dir, 'rows.csv', rows.join('\n'))
  const mapping = {
    timestamp: 'time',
    timestamp_unit: 's',
    name: 'name',
    device_id: 'device',
    user_agent: 'agent',
    ip: 'address',
    data: '*',
  }
  await read(storage, path, { from: 'csv', mapping })
  const envelopes = (await messagesIn(storage)).map((message) => decodeEnvelope(Buffer.from(message)))
  const botOf = Object.fromEntries(envelopes.map(({ device_id, context }) => [device_id, context.bot]))
  expect(botOf).toEqual({ d1: 'app_rule', d2: 'app_rule', d3: undefined })
  // the user agent and the address, with which rules are compared, are not stored
  expect((await messagesIn(storage)).join()).not.toMatch(/curl|192\.0\.2|198\.51/)
})
