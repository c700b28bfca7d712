import { tableFromIPC } from '@uwdata/flechette'
import { decodeEnvelope } from '@hopper/contracts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { whenCounted, type Installation } from './installations/installation.ts'
import { until } from './installations/until.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const keys = { write: 'hw_text_0123456789abcdef', read: 'hr_text_0123456789abcdef' }
const provision = {
  organizations: [
    {
      id: 'o',
      name: 'O',
      apps: [
        {
          id: 'text',
          name: 'T',
          timezone: 'UTC',
          write_key: keys.write,
          read_key: keys.read,
          funnels: [],
          elements: [],
        },
      ],
    },
  ],
}
const now = Date.now()
const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
const range = `from=${dateOf(now - 86_400_000)}&to=${dateOf(now + 86_400_000)}`
const BATCH = 40
/** A query has at most 20 sets. */
const TEXTS_PER_QUERY = 5

/**
 * Texts that some component could mistake for others: a decoder, a collation, a number, a prototype, a spreadsheet, one
 * of Hopper's separators.
 */
const special = [
  '\0',
  '\0\0',
  'a\0b',
  'a\0c',
  'a',
  'A',
  '\u0001',
  '\x7f',
  '\u0080',
  '\ufeff',
  '\ufeffa',
  'a\ufeff',
  '\uffff',
  '\ufffe',
  '\ufdd0',
  '\u{10ffff}',
  '\ufffd',
  '\u2028',
  '\u202e',
  '\u00e9',
  'e\u0301',
  '\u212b',
  '\u00c5',
  'A\u030a',
  '\ufb01',
  'fi',
  '\u1e9b\u0323',
  'ss',
  '\u00df',
  '\u0130',
  'i',
  'I',
  '\u0131',
  ' ',
  '  ',
  ' a',
  'a ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  'a\n',
  'a\r\n',
  '=1+1',
  "'=1+1",
  "''=1+1",
  '+1',
  '-1',
  '@a',
  '"',
  '""',
  "'",
  "''",
  ',',
  ';',
  '\\',
  '\\\\',
  '\\0',
  '\\u0000',
  '\\ud800',
  '%00',
  '%',
  '%25',
  '/',
  '//',
  '.',
  '..',
  '?',
  '#',
  '*',
  '$',
  ':',
  '|',
  '0',
  '1',
  '-0',
  '00',
  '01',
  '1e3',
  '1.0',
  '1',
  '10',
  '9007199254740993',
  'NaN',
  'Infinity',
  'true',
  'false',
  'null',
  'undefined',
  '[object Object]',
  '{}',
  '[]',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'valueOf',
  'u:',
  'd:',
  'u:a',
  'd:a',
  'device_id',
  'type',
  '\u{1f600}',
  '\u{1f468}\u200d\u{1f469}',
  '\ud83d\ude00\ud83d\ude01',
  '550e8400-e29b-41d4-a716-446655440000',
  '550E8400-E29B-41D4-A716-446655440000',
  '550e8400e29b41d4a716446655440000',
  'x'.repeat(116),
  `${'x'.repeat(115)}y`,
  '\u{1f600}'.repeat(116),
]
const random = fc.sample(
  fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...special.filter(({ length }) => length < 3)), minLength: 1, maxLength: 6 }),
  ),
  { numRuns: repetitions(300), seed: 7 },
)
const texts = [...new Set([...special, ...random])].filter((text) => [...text].length <= 116)
const longs = [...new Set(texts.map((text) => `${'v'.repeat(1_000)}${text}`))]

interface Sent {
  readonly event_id: string
  readonly timestamp: number
  readonly type: string
  readonly seq: number
  readonly name?: string
  readonly user_id: string
  readonly session_id: string
  readonly data?: Readonly<Record<string, string>>
  readonly target?: string
}

/** For each text, a custom event that has it in every field, and a click on it. */
const sent: readonly (readonly [device: string, events: readonly Sent[]])[] = texts.map((text, index) => {
  const any = { timestamp: now - 60_000 + index, user_id: text, session_id: text }
  return [
    text,
    [
      {
        ...any,
        event_id: text,
        type: 'custom',
        seq: 0,
        name: text,
        data: { ...JSON.parse(`{${JSON.stringify(`key ${text}`)}:1}`), value: text, long: longs[index]! },
      },
      {
        ...any,
        event_id: `click ${text}`,
        type: 'click',
        seq: 1,
        target: text,
        elapsed_time: 1,
        current_url: `/u${text}`,
      } as Sent,
      {
        ...any,
        event_id: `own key ${text}`,
        type: 'custom',
        seq: 2,
        name: 'own key',
        data: JSON.parse(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`) as Record<string, string>,
      },
    ],
  ]
})

const sorted = (values: Iterable<unknown>): string[] => [...values].map((value) => JSON.stringify(value)).sort()

forEachInstallation((open, way) => {
  let installation: Installation
  beforeAll(async () => {
    // Times that any engine accepts: nothing is killed here.
    const times = { HOPPER_KAFKA_SESSION_MS: '6000', HOPPER_UNKNOWN_OUTCOME_MS: '6000', HOPPER_LEASE_MS: '6000' }
    const session = way === 'cluster' ? times : {}
    installation = await open({ provision, env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false', ...session } })
    await installation.start()
    for (let start = 0; start < sent.length; start += BATCH) {
      // Some are sent as a tracker sends them, so that the log contains the body itself; the others are sent together,
      // so that ingest writes envelopes.
      const some = sent.slice(start, start + BATCH)
      const together = {
        events: some
          .slice(BATCH / 2)
          .flatMap(([device_id, events]) => events.map((event) => ({ ...event, device_id }))),
      }
      for (const body of [...some.slice(0, BATCH / 2).map(([device_id, events]) => ({ device_id, events })), together])
        await send(body)
    }
    await whenCounted(installation, keys.read)
    await until(async () => (await query({ unique: ['event_id'] })).count === 3 * texts.length, 60_000)
  }, 240_000)
  afterAll(() => installation?.dispose())

  async function send(body: { events: readonly object[] }): Promise<void> {
    const headers = { 'content-type': 'application/json', 'x-api-key': keys.write, 'user-agent': 'text/1' }
    const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    expect(await answer.json()).toEqual({ accepted: body.events.length, rejected: [] })
  }
  async function get(path: string): Promise<Response> {
    const dates = path.startsWith('events?') ? '' : `${path.includes('?') ? '&' : '?'}${range}`
    const answer = await fetch(`${installation.apiUrl}/api/v1/apps/text/${path}${dates}`, {
      headers: { authorization: `Bearer ${keys.read}` },
    })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  const json = async (path: string): Promise<never> => (await (await get(path)).json()) as never
  interface Counts {
    readonly count: number
    readonly unique: Record<string, number>
  }
  const query = async (set: object): Promise<Counts> => (await queryAll([set]))[0]!
  async function queryAll(sets: readonly object[]): Promise<readonly Counts[]> {
    const answer = await fetch(`${installation.apiUrl}/api/v1/apps/text/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.read}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        start: now - 86_400_000,
        end: now + 86_400_000,
        data: sets.map((set, index) => ({ name: `set ${index}`, filters: [], ...set })),
      }),
    })
    const body = (await answer.json()) as { data: readonly Counts[] }
    if (answer.status !== 200) throw new Error(JSON.stringify(body))
    return body.data
  }
  const custom = [{ type: 'eq', key: 'type', value: 'custom' }]
  const everywhere = { type: 'all', key: 'value' }

  it('counts each text separately', async () => {
    const found = await query({
      filters: [...custom, everywhere],
      unique: ['event_id', 'device_id', 'user_id', 'session_id', 'name', 'value', 'long'],
    })
    expect(found.unique).toEqual(
      Object.fromEntries(
        ['event_id', 'device_id', 'user_id', 'session_id', 'name', 'value', 'long'].map((key) => [key, texts.length]),
      ),
    )
    expect(
      (await query({ filters: [{ type: 'eq', key: 'type', value: 'click' }], unique: ['target', 'current_url'] }))
        .unique.target,
    ).toBe(texts.length)
    const { total_users } = (await json('agents?by=device')) as { total_users: number }
    expect(total_users).toBe(texts.length)
  })

  it('finds each text by a filter', async () => {
    const setsOf = (text: string): object[] => [
      { filters: [...custom, everywhere, { type: 'eq', key: 'value', value: text }] },
      { filters: [...custom, everywhere, { type: 'eq', key: 'device_id', value: text }] },
      {
        filters: [
          { type: 'eq', key: 'name', value: 'own key' },
          { type: 'all', key: `key ${text}` },
        ],
      },
      { filters: [{ type: 'all', key: `key ${text}` }] },
    ]
    for (let start = 0; start < special.length; start += TEXTS_PER_QUERY) {
      const some = texts.slice(start, start + TEXTS_PER_QUERY)
      const counts = (await queryAll(some.flatMap(setsOf))).map(({ count }) => count)
      expect(some.map((text, n) => [text, ...counts.slice(4 * n, 4 * n + 4)])).toEqual(
        some.map((text) => [text, 1, 1, 0, 1]),
      )
    }
  }, 120_000)

  it('reports each text as a key and as a value', async () => {
    const { rows } = (await json('clicks')) as { rows: { target: string }[] }
    expect(sorted(rows.map(({ target }) => target))).toEqual(sorted(texts))
    const values = (await json('keys/value/values?limit=1000')) as { rows: { value: string }[] }
    expect(sorted(values.rows.map(({ value }) => value))).toEqual(sorted(texts))
    const named = (await json('keys?prefix=key%20')) as { rows: { key: string }[] }
    expect(sorted(named.rows.map(({ key }) => key))).toEqual(sorted(texts.map((text) => `key ${text}`)))
  })

  it('returns each text as it was sent, in events and NDJSON', async () => {
    const expected = sorted(
      sent.flatMap(([device_id, events]) => events.map((event) => textsOf({ ...event, device_id }))),
    )
    type View = Sent & { device_id: string; user: string }
    const sortedViews = (views: readonly View[]): string[] => {
      for (const { user, user_id } of views) expect(user).toBe(user_id)
      return sorted(views.map(textsOf))
    }
    const ndjson = await (await get('export?format=ndjson')).text()
    expect(
      sortedViews(
        ndjson
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as View),
      ),
    ).toEqual(expected)
    const pages: View[] = []
    for (let start = '0'; ;) {
      const page = (await json(`events?limit=1000&start=${start}`)) as { events: View[]; next: string }
      pages.push(...page.events)
      if (page.events.length === 0 || page.next === start) break
      start = page.next
    }
    expect(sortedViews(pages)).toEqual(expected)
  })

  it('returns each text in CSV, with one apostrophe before a formula', async () => {
    const [head, ...rows] = parseCsv(await (await get('export?format=csv')).text())
    const column = (name: string): string[] =>
      rows.map((row) => row[head!.indexOf(name)]!.replace(/^'('*[=+\-@\t\r\n＝＋－＠])/, '$1'))
    expect(new Set(column('device_id'))).toEqual(new Set(texts))
    expect(new Set(column('session_id'))).toEqual(new Set(texts))
    expect(new Set(column('user'))).toEqual(new Set(texts))
    expect(new Set(column('target').filter((text) => text !== ''))).toEqual(new Set(texts))
    expect(sorted(column('event_id'))).toEqual(
      sorted(sent.flatMap(([, events]) => events.map(({ event_id }) => event_id))),
    )
  })

  it('returns each text in Arrow', async () => {
    const table = tableFromIPC(new Uint8Array(await (await get('export?format=arrow')).arrayBuffer()))
    // The reader used here strips a leading byte order mark, so those texts are compared only as bytes.
    const plain = (values: Iterable<unknown>): Set<unknown> =>
      new Set([...values].map((value) => String(value).replace(/^\ufeff/, '')))
    for (const name of ['device_id', 'session_id', 'user']) expect(plain(table.getChild(name))).toEqual(plain(texts))
  })

  it('keeps each person and session apart', async () => {
    for (const text of texts.filter((text) => !/^\.{1,2}$/.test(text)).slice(0, repetitions(special.length + 30))) {
      const person = (await json(`persons/${encodeURIComponent(`u:${text}`)}`)) as {
        users: string[]
        devices: { device_id: string }[]
        events: number
      }
      expect([person.users, person.devices.map(({ device_id }) => device_id), person.events]).toEqual([
        [text],
        [text],
        3,
      ])
      const found = (await json(`events/${encodeURIComponent(`click ${text}`)}`)) as { fate: string; event: Sent }
      expect([found.fate, found.event.target, found.event.session_id]).toEqual(['accepted', text, text])
    }
  }, 120_000)

  it('counts once when it is sent again', async () => {
    for (const [device_id, events] of sent.slice(0, special.length))
      await send({ device_id, events } as { events: readonly object[] })
    await whenCounted(installation, keys.read)
    expect((await query({ unique: ['event_id'] })).unique.event_id).toBe(3 * texts.length)
    const { dead_letters } = (await (
      await fetch(`${installation.apiUrl}/api/v1/status`, { headers: { authorization: `Bearer ${keys.read}` } })
    ).json()) as { dead_letters: number }
    expect(dead_letters).toBe(0)
  })

  it('is unchanged in the tables, and an audit finds no drift', async () => {
    if (way === 'standalone') await installation.stop('SIGTERM')
    const storage = await installation.openStorage()
    const dates = [0, 1].map((ago) => new Date(now - ago * 86_400_000).toISOString().slice(0, 10))
    const [targets, devices] = [new Set<unknown>(), new Set<unknown>()]
    const [users, sessions] = [new Set<unknown>(), new Set<unknown>()]
    try {
      for (const date of dates) {
        for (let lane = 0; lane < storage.log.lanes; lane++) {
          const partition = { app: 'text', date } as const
          const clicks = await storage.reader.counterPartition(lane, { table: 'clicks_by_date', ...partition })
          for (const { key } of clicks) targets.add(key[1])
          for (const { visitor } of await storage.reader.visitorPartition(lane, {
            table: 'users_by_date',
            ...partition,
          })) {
            devices.add(visitor.device)
            users.add(visitor.user)
          }
        }
      }
      for (const text of texts) if (await storage.reader.session('text', text)) sessions.add(text)
    } finally {
      await storage.close()
    }
    for (const found of [targets, devices, users, sessions]) expect(sorted(found)).toEqual(sorted(texts))
    // A stopped process archives everything; a running aggregator does so in time.
    if (way === 'cluster') await installation.stop('SIGTERM')
    expect(await installation.run(['audit'])).toContain('No drift')
  }, 120_000)

  it('is unchanged in the log', async () => {
    const storage = await installation.openStorage()
    try {
      const devices = new Map<string, Set<string>>()
      for (const [lane, end] of (await storage.log.ends()).entries()) {
        for (const { value } of await storage.log.read(lane, 0, end)) {
          const { device_id, events } = decodeEnvelope(value)
          devices.set(
            device_id,
            new Set([...(devices.get(device_id) ?? []), ...events.map(({ event_id }) => event_id)]),
          )
        }
      }
      expect(new Map([...devices].sort())).toEqual(
        new Map(
          sent
            .map(([device, events]) => [device, new Set(events.map(({ event_id }) => event_id))] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        ),
      )
    } finally {
      await storage.close()
    }
  })
})

/** Lists the fields of an event that contain texts. */
function textsOf(event: Sent & { readonly device_id: string }): unknown[] {
  const { device_id, event_id, name, user_id, session_id, data, target } = event
  return [device_id, event_id, name, user_id, session_id, sortedData(data), target]
}

function sortedData(data: Readonly<Record<string, unknown>> | undefined): unknown {
  return data && sorted(Object.entries(data))
}

function parseCsv(csv: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}
