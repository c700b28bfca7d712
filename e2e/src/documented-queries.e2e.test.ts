import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@hopper/contracts'
import { Client, type types } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { whenAdmitted } from './traffic/send-until-acknowledged.ts'
import { cluster, type Cluster } from './installations/cluster.ts'
import { whenCounted, getJson } from './installations/installation.ts'

const document = readFileSync(join(import.meta.dirname, '../../docs/tables.md'), 'utf8')
/** The queries of docs/tables.md, by the name after ```cql. */
const queries = new Map([...document.matchAll(/^```cql (\S+)\n([^]*?)^```$/gm)].map(([, name, text]) => [name!, text!]))

const keys = { write: 'hw_cqlsh_0123456789abcdef', read: 'hr_cqlsh_0123456789abcdef' }
const stages = [1, 2, 3].map((id) => ({ id, name: `Stage ${id}`, url: `/page-${id}` }))
const provision = {
  organizations: [
    {
      id: 'o',
      name: 'O',
      apps: [
        {
          id: 'shop',
          name: 'Shop',
          write_key: keys.write,
          read_key: keys.read,
          funnels: [{ id: 'checkout', name: 'Checkout', stages }],
        },
      ],
    },
  ],
}
const DAY_MS = 86_400_000
const dates = [3, 2].map((ago) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10)) as [string, string]
const SESSION = '0f8fad5b-d9cb-469f-a165-70867728950e'
const engines = inject('engines')
/** Time limit for the tables to match the API. */
const WAIT_TIMEOUT_MS = 60_000

describe.skipIf(!engines)('the queries of docs/tables.md', () => {
  let installation: Cluster
  let client: Client
  beforeAll(async () => {
    // Times that any engine accepts, even one shared by several test runs.
    const times = { HOPPER_KAFKA_SESSION_MS: '6000', HOPPER_UNKNOWN_OUTCOME_MS: '6000', HOPPER_LEASE_MS: '6000' }
    const env = { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false', ...times }
    installation = await cluster(engines!, { provision, env })
    await installation.migrate()
    await Promise.all([installation.ingest.start(), installation.api.start()])
    const { cassandra, dataCenter } = engines!
    const keyspace = installation.env['HOPPER_CASSANDRA_KEYSPACE']!
    client = new Client({ contactPoints: [cassandra], localDataCenter: dataCenter, keyspace })
    await client.connect()
  }, 120_000)
  afterAll(async () => {
    await client?.shutdown()
    await installation?.dispose()
  })

  it('are all checked', () => {
    expect([...queries.keys()].sort()).toEqual([...Object.keys(checks)].sort())
  })

  it('match the API after a backlog that was counted in large batches', async () => {
    await send(0, 900)
    await Promise.all(installation.aggregators.map((aggregator) => aggregator.start()))
    await whenCounted(installation, keys.read)
    const packed = await client.execute('SELECT id FROM visitor_blocks_by_date LIMIT 1')
    expect(packed.rowLength, 'the backlog was packed').toBe(1)
    await allEqual()
    expect((await client.execute('SELECT id FROM visitor_blocks_by_date LIMIT 1')).rowLength).toBe(0)
  }, 240_000)

  it('match the API after live traffic', async () => {
    for (let device = 850; device < 950; device += 10) {
      await send(device, device + 10)
      await whenCounted(installation, keys.read)
    }
    await allEqual()
  }, 240_000)

  /**
   * Resolves when every query matches the API; rejects with the differences when a query takes longer than a minute.
   */
  async function allEqual(): Promise<void> {
    const end = performance.now() + WAIT_TIMEOUT_MS
    for (const [name, check] of Object.entries(checks)) {
      const api = await check.api()
      expect(JSON.stringify(api), `${name} says something`).toMatch(/[1-9a-z]/)
      let cql: unknown
      do cql = check.cql(await run(name))
      while (JSON.stringify(cql) !== JSON.stringify(api) && performance.now() < end && (await pause()))
      expect(cql, name).toEqual(api)
    }
  }

  /** Runs a query of the document for the dates of this test. */
  async function run(name: string): Promise<types.Row[]> {
    const text = queries.get(name)!
    const [first, second] = dates
    const here = text
      .replaceAll('2026-11-01', first)
      .replaceAll('2026-11-02', second)
      .replaceAll("'2026-11'", `'${first.slice(0, 7)}'`)
    return (await client.execute(here, [], { fetchSize: 50_000 })).rows
  }

  const report = <T>(path: string, from: string, to: string): Promise<T> =>
    getJson<T>(
      installation,
      `/api/v1/apps/shop/${path}${path.includes('?') ? '&' : '?'}from=${from}&to=${to}`,
      keys.read,
    )
  type Rows = { rows: Record<string, string | number | null>[] }
  const both = dates as readonly [string, string]
  const single = [dates[0], dates[0]] as const

  const checks: Record<string, { api: () => Promise<unknown>; cql: (rows: types.Row[]) => unknown }> = {
    'stage-users': {
      api: async () => {
        const { rows } = await report<Rows>('stages/users?count_by=device', ...both)
        return sums(rows.map(({ date, stage, users }) => [`${date} ${stage}`, Number(users)]))
      },
      cql: (rows) => sums(rows.map((row) => [`${row.get('date')} ${row.get('stage')}`, number(row, 'users')])),
    },
    'one-stage': {
      api: async () => {
        const { rows } = await report<Rows>('stages/users?count_by=device', ...single)
        return rows.find(({ stage }) => stage === 1)!['users']
      },
      cql: ([row]) => number(row!, 'users'),
    },
    'users-of-date': {
      api: async () =>
        (await report<{ total_users: number }>('stages/conversion?count_by=device', ...single)).total_users,
      cql: ([row]) => number(row!, 'users'),
    },
    'users-of-range': {
      api: async () =>
        (await report<{ total_users: number }>('stages/conversion?count_by=device', ...both)).total_users,
      cql: (rows) => new Set(rows.map((row) => row.get('device') as string)).size,
    },
    'stage-time': {
      api: async () => {
        const { rows } = await report<Rows>('stages/time', ...both)
        const { elapsed_ms, hits } = rows.find(({ stage }) => stage === 1)!
        return [elapsed_ms, hits]
      },
      cql: ([row]) => [number(row!, 'elapsed'), number(row!, 'hits')],
    },
    'stage-edges': {
      api: async () => {
        const { rows } = await report<Rows>('stages/graph?count_by=device', ...single)
        return sums(rows.map(({ from, to, users }) => [`${from ?? -1} ${to}`, Number(users)]))
      },
      cql: (rows) => sums(rows.map((row) => [`${row.get('from_stage')} ${row.get('to_stage')}`, number(row, 'users')])),
    },
    'element-actions': {
      api: async () => {
        const [row] = (await report<Rows>(`elements/actions?xpath=${encodeURIComponent("//*[@id='b1']")}`, ...both))
          .rows
        return ['hover_leave', 'elapsed_leave_ms', 'hover_click', 'elapsed_click_ms', 'hits'].map((name) => row![name])
      },
      cql: ([row]) =>
        ['hover_leave', 'elapsed_leave', 'hover_click', 'elapsed_click', 'hits'].map((name) => number(row!, name)),
    },
    'page-views': {
      api: async () => {
        const { rows } = await report<Rows>('pages/views', ...both)
        return sums(rows.map(({ url, views }) => [String(url), Number(views)]))
      },
      cql: (rows) => sums(rows.map((row) => [row.get('url') as string, number(row, 'hit')])),
    },
    clicks: {
      api: async () => {
        const { rows } = await report<Rows>('clicks', ...both)
        return sums(rows.map(({ url, target, hits }) => [`${url} ${target}`, Number(hits)]))
      },
      cql: (rows) => sums(rows.map((row) => [`${row.get('url')} ${row.get('target')}`, number(row, 'hit')])),
    },
    agents: {
      api: async () => {
        const { rows } = await report<Rows>('agents?by=browser&count_by=device', ...single)
        return sums(rows.map(({ value, users }) => [String(value), Number(users)]))
      },
      cql: (rows) => sums(rows.map((row) => [row.get('value') as string, number(row, 'users')])),
    },
    traffic: {
      api: async () => {
        const { rows } = await report<Rows>('traffic?by=hour', ...both)
        const busy = rows.filter(({ events }) => Number(events) > 0)
        return sums(busy.map(({ time, events }) => [String(time).slice(0, 13), Number(events)]))
      },
      cql: (rows) => {
        const hour = (row: types.Row): string => `${row.get('date')}T${String(row.get('hour')).padStart(2, '0')}`
        return sums(rows.map((row) => [hour(row), number(row, 'events')]))
      },
    },
    'stage-rows': {
      api: async () => {
        const { rows } = await report<Rows>('stages/conversion', ...both)
        return rows.find(({ stage }) => stage === 1)!['users']
      },
      cql: (rows) => new Set(rows.flatMap((row) => personsOf(row))).size,
    },
    'first-users': {
      api: async () => [...firstUsers].sort(),
      cql: (rows) => {
        const read = new Map(rows.map((row) => [row.get('device') as string, row.get('user') as string]))
        return [...read].sort()
      },
    },
    'devices-of-person': {
      api: async () => [...firstUsers].flatMap(([device, user]) => (user === 'user-1' ? [device] : [])).sort(),
      cql: (rows) => rows.map((row) => row.get('device') as string).sort(),
    },
    'users-of-device': {
      api: async () => [firstUsers.get('device-1')],
      cql: (rows) => rows.map((row) => row.get('user') as string),
    },
    session: {
      api: async () => [Math.min(...sessionTimes), Math.max(...sessionTimes)],
      cql: (rows) => {
        const found = rows.map((row) => JSON.parse(row.get('session') as string) as [start: number, end: number])
        return [Math.min(...found.map(([start]) => start)), Math.max(...found.map(([, end]) => end))]
      },
    },
  }

  const sessionTimes: number[] = []
  const firstUsers = new Map<string, string>()

  function personsOf(row: types.Row): string[] {
    const device = row.get('device') as string
    const users = ((row.get('users') as string[] | null) ?? []).map((user) => `u ${user}`)
    const first = firstUsers.get(device)
    return row.get('anonymous') === true ? [first === undefined ? `d ${device}` : `u ${first}`, ...users] : users
  }

  /**
   * Sends visits of devices on both dates. Every third device belongs to a user, who may have several. Every fifth
   * appears only on the second date. Every eleventh identifies itself in the middle of a date. Every thirteenth then
   * has another user.
   */
  async function send(from: number, to: number): Promise<void> {
    const devices = Array.from({ length: to - from }, (_, index) => from + index)
    for (let start = 0; start < devices.length; start += 20)
      await Promise.all(devices.slice(start, start + 20).map(visit))
  }

  async function visit(device: number): Promise<void> {
    for (const [day, date] of dates.entries()) {
      const noon = Date.parse(`${date}T12:00:00Z`) + (device % 7_200) * 1_000 + (device % 3) * 3_600_000
      let seq = 0
      const event = (fields: object): object => {
        const session_id = device === 7 && day === 0 ? SESSION : `s${device}-${day}`
        if (session_id === SESSION) sessionTimes.push(noon + seq * 1_000)
        return { event_id: `${device}-${day}-${seq}`, timestamp: noon + seq * 1_000, seq: seq++, session_id, ...fields }
      }
      const known = device % 3 === 1 || (device % 5 === 0 && day === 1)
      const user = `user-${device % 100}`
      const inMidDate = device % 11 === 3
      const first = known || inMidDate ? user : device % 13 === 5 ? `other-${device}` : undefined
      if (first !== undefined) firstUsers.set(`device-${device}`, firstUsers.get(`device-${device}`) ?? first)
      const entered = (stage: number, left?: number): object =>
        event({
          type: 'funnel_change',
          action: 'onUrlChange',
          funnel: 'checkout',
          entered: stage,
          elapsed_time: 40,
          ...(left && { from: left }),
        })
      const url = (page: number): string => `https://shop.example/page-${page}`
      const target = `//*[@id='b${device % 3}']`
      const again = (user_id: string): object[] => [event({ type: 'identify', user_id }), entered(1)]
      const events = [
        ...(known ? [event({ type: 'identify', user_id: user })] : []),
        event({ type: 'url_change', from: '', to: url(1), elapsed_time: 0 }),
        entered(1),
        ...(inMidDate ? again(user) : []),
        ...(device % 13 === 5 ? again(`other-${device}`) : []),
        event({
          type: 'btn_time',
          target,
          action: device % 2 === 0 ? 'hover-then-leave' : 'hover-then-clicked',
          elapsed_time: 90,
        }),
        event({ type: 'click', target, elapsed_time: 30, current_url: url(1) }),
        ...(device % 4 === 0
          ? []
          : [event({ type: 'url_change', from: url(1), to: url(2), elapsed_time: 700 }), entered(2, 1)]),
        ...(device % 4 < 2 ? [] : [entered(3, 2)]),
      ]
      expect(events.length).toBeLessThan(limits.eventsPerBatchMax)
      const browser = device % 2 ? 'Firefox/130.0' : 'Chrome/140.0'
      const post = (): Promise<Response> =>
        fetch(`${installation.ingestUrl}/v1/events`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${keys.write}`,
            'user-agent': `Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 ${browser}`,
          },
          body: JSON.stringify({ device_id: `device-${device}`, events }),
        })
      const answer = await whenAdmitted(post)
      expect(answer.status, await answer.clone().text()).toBe(202)
    }
  }
})

function number(row: types.Row, column: string): number {
  return Number(row.get(column) ?? 0)
}

/** Sums the rows by key, without zeros. */
function sums(rows: readonly (readonly [key: string, value: number])[]): [string, number][] {
  const found = new Map<string, number>()
  for (const [key, value] of rows) found.set(key, (found.get(key) ?? 0) + value)
  return [...found].filter(([, value]) => value !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
}

async function pause(): Promise<true> {
  await new Promise((next) => setTimeout(next, 500))
  return true
}
