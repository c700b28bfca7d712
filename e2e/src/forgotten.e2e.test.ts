import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findText } from '@hopper/storage/contract/found-text'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { lazySchema, startCassandra, type CassandraNode } from './engines/cassandra-jar.ts'
import { canUseJars, jarCache } from './engines/jars.ts'
import { shortLived } from './engines/java-process.ts'
import { cluster, type Cluster } from './installations/cluster.ts'
import { getJson, whenCounted, whenFunnelsKnown } from './installations/installation.ts'
import { until } from './installations/until.ts'
import { reportPaths } from './report-paths.fixture.ts'
import { sendUntilAcknowledged } from './traffic/send-until-acknowledged.ts'
import { agents, randomTraffic, type RandomEvent, type RandomRequest } from './traffic/random-traffic.ts'

/** Part of every text that the person sends. */
const MARK = 'zmarkedz'
const DAY_MS = 86_400_000
const now = Date.now()
const date = (ago: number): string => new Date(now - ago * DAY_MS).toISOString().slice(0, 10)
const admin = 'ha_forgotten_0123456789abcdef'
const stages = [1, 2, 3, 4, 5].map((id) => ({ id, name: `Stage ${id}`, url: `/page-${id}` }))
const appOf = (id: string) => ({
  id,
  name: id,
  timezone: 'UTC',
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
  funnels: [{ id: 'f', name: 'F', stages }],
  elements: [{ name: 'One', xpath: "//*[@id='b1']" }],
})
/** The app `whole` gets all traffic, `twin` only that of other people: what `whole` must equal after the forgetting. */
const [whole, twin] = [appOf('whole'), appOf('twin')]
const provision = { organizations: [{ id: 'o', name: 'O', admin_key: admin, apps: [whole, twin] }] }

/** Events of the person from two devices, on two dates. */
const marked: readonly RandomRequest[] = ['phone', 'laptop'].flatMap((name, index) =>
  [0, 1].map((day): RandomRequest => {
    const device = `${name}-${MARK}`
    const events = [
      { type: 'identify', user_id: `user ${MARK}`, data: { email: `${MARK}@example.com` } },
      { type: 'url_change', from: '', to: `https://shop.example/${MARK}`, elapsed_time: 5 },
      { type: 'url_change', from: `/${MARK}`, to: 'https://shop.example/page-1', elapsed_time: 7 },
      { type: 'click', target: `//*[@id='${MARK}']`, elapsed_time: 9, current_url: `https://shop.example/${MARK}` },
      { type: 'btn_time', target: "//*[@id='b1']", action: 'hover-then-leave', elapsed_time: 11 },
      { type: 'custom', name: `name ${MARK}`, data: { [`key ${MARK}`]: MARK, more: MARK.repeat(200) } },
    ].map((event, seq) => ({
      event_id: `${MARK} ${device} ${day} ${seq}`,
      timestamp: now - day * DAY_MS - 3_600_000 + seq,
      seq,
      session_id: `session-${MARK}-${day}`,
      ...event,
    })) as unknown as RandomEvent[]
    return { device, agent: agents[index]!, events }
  }),
)
const others = randomTraffic({ devices: 25, eventsPerDevice: 30, seed: 13, now }).flat()
const ARCHIVED = { timeout: 90_000, interval: 250 }
vi.setConfig({ testTimeout: 180_000 })
const engines = inject('engines')

describe.skipIf(!engines || !(await canUseJars()))('a person that was forgotten on a cluster', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-forgotten-'))
  let node: CassandraNode
  let installation: Cluster

  beforeAll(async () => {
    node = await startCassandra(dir, jarCache, [...shortLived, lazySchema])
    const { contactPoint, dataCenter } = node
    installation = await cluster({ ...engines!, cassandra: contactPoint, dataCenter }, { provision })
    await installation.migrate()
    await makeSearchable(node, installation.env['HOPPER_CASSANDRA_KEYSPACE']!)
    await installation.start()
    for (const { id, read_key } of [whole, twin]) await whenFunnelsKnown(installation, id, read_key)
    const half = others.length >> 1
    for (const request of others.slice(0, half)) await send(request, whole, twin)
    for (const request of marked) await send(request, whole)
    for (const request of others.slice(half)) await send(request, whole, twin)
    await whenCounted(installation, whole.read_key)
  }, 300_000)
  afterAll(async () => {
    // The last test has stopped it.
    if (node?.process.child.exitCode !== null) node = await node.restart()
    await installation?.dispose()
    await node?.process.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 120_000)

  async function send(request: RandomRequest, ...apps: readonly { write_key: string }[]): Promise<void> {
    for (const { write_key } of apps) await sendUntilAcknowledged(installation.ingestUrl, write_key, request)
  }

  /** Returns every report of an app, and its events, without what names the app or the moment of the answer. */
  async function answers({ id, read_key }: typeof whole): Promise<Record<string, string>> {
    const paths = [...reportPaths(date(25), date(0)), `export?format=ndjson&from=${date(25)}&to=${date(0)}`]
    const read = async (path: string): Promise<[string, string]> => {
      const url = `${installation.apiUrl}/api/v1/apps/${id}/${path}`
      const answer = await fetch(url, { headers: { authorization: `Bearer ${read_key}` } })
      expect([path, answer.status]).toEqual([path, 200])
      return [path, comparable(await answer.text())]
    }
    return Object.fromEntries(await Promise.all(paths.map(read)))
  }

  /** Polls, since the archive has events a moment later than the tables. */
  const expectSameAnswers = (): Promise<void> =>
    expect
      .poll(async () => {
        const [actual, expected] = [await answers(whole), await answers(twin)]
        return Object.keys(expected).filter((path) => actual[path] !== expected[path])
      }, ARCHIVED)
      .toEqual([])

  const filesOfKeyspace = (): string => join(dir, 'data', installation.env['HOPPER_CASSANDRA_KEYSPACE']!)

  it('is in files of Cassandra and in answers before it is forgotten', async () => {
    await node.nodetool('disableautocompaction')
    await node.nodetool('flush')
    const tables = new Set(findText(filesOfKeyspace(), MARK).map((found) => found.split('-')[0]))
    expect([...tables]).toEqual(
      expect.arrayContaining([
        'chunk_cells',
        'clicks_by_date',
        'page_views_by_date',
        'devices_by_person',
        'seen_by_date',
      ]),
    )
    expect(JSON.stringify(await answers(whole))).toContain(MARK)
  })

  it('is then in no report: each equals that of an app that never had the person', async () => {
    const forget = `${installation.apiUrl}/api/v1/apps/whole/persons/${encodeURIComponent(`u:user ${MARK}`)}`
    const answer = await fetch(forget, { method: 'DELETE', headers: { authorization: `Bearer ${admin}` } })
    expect(answer.status).toBe(202)
    const { id } = (await answer.json()) as { id: string }
    const path = `/api/v1/apps/whole/forgets/${id}`
    await until(async () => (await getJson<{ state: string }>(installation, path, admin)).state === 'done', 120_000)
    await expectSameAnswers()
    expect(JSON.stringify(await answers(whole))).not.toContain(MARK)
  }, 300_000)

  it('does not come back when its requests are sent again', async () => {
    for (const request of marked) await send(request, whole)
    await whenCounted(installation, whole.read_key)
    await expectSameAnswers()
  }, 120_000)

  it('is in no file of Cassandra once its tables are compacted, and in no line of a log', async () => {
    expect(await installation.stop('SIGTERM')).toEqual([])
    await node.nodetool('flush')
    await node.nodetool('compact')
    // A compaction deletes the files that it has read a moment later.
    await expect.poll(() => findText(filesOfKeyspace(), MARK), ARCHIVED).toEqual([])
    await node.nodetool('drain')
    await node.process.stop()
    expect(findText(dir, MARK)).toEqual([])
    expect(installation.output()).not.toContain(MARK)
  }, 300_000)
})

/** Makes files searchable for a text: turns compression off, and lets the next compaction remove deleted rows. */
async function makeSearchable({ contactPoint, dataCenter }: CassandraNode, keyspace: string): Promise<void> {
  const client = new Client({ contactPoints: [contactPoint], localDataCenter: dataCenter })
  try {
    const query = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?'
    const { rows } = await client.execute(query, [keyspace], { prepare: true })
    for (const row of rows) {
      const options = "compression = {'enabled': 'false'} AND gc_grace_seconds = 0"
      await client.execute(`ALTER TABLE ${keyspace}.${String(row['table_name'])} WITH ${options}`)
    }
  } finally {
    await client.shutdown()
  }
}

/** Returns an answer without what differs between the apps: places in the log and times of receipt. */
function comparable(body: string): string {
  return body
    .replace(/"(complete_to|position|received_at|lane|index)":\d+/g, '"$1":0')
    .split('\n')
    .sort()
    .join('\n')
}
