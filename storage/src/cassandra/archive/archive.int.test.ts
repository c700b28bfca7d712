import { randomBytes, randomUUID } from 'node:crypto'
import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import { Client, types } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import type { Lease } from '../../ports/tables.ts'
import { CassandraArchive } from './archive.ts'
import { migrate } from '../cassandra.ts'
import { ChunkCells } from './chunk-cells.ts'
import { compareTimeUuids } from './deleted-ranges.ts'
import { CassandraLanes } from '../lanes.ts'
import { Manifests } from './manifest.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { clientOptions } from '../client/settings.ts'
import { OrphanSpans } from './orphan-spans.ts'
import { rowsOf, statement } from '../client/statements.ts'
import { sendUnconditionally, unsteady, type OnChange } from '../testing/unsteady-client.fixture.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const LANES = 4
const date = '2026-03-28'
const serial = types.consistencies.localSerial
const { settings, drop } = ownKeyspace(engines)

function chunk(app: string, lane: number, first: number, last: number): EncodedChunk {
  const summary: ChunkSummary = {
    app,
    date,
    lane,
    first_position: first,
    last_position: last,
    part: 0,
    parts: 1,
    rows: 1,
    devices: 1,
    min_time: first,
    max_time: last,
    first_device: '00',
    last_device: 'ff',
    columns: { runs: 8 },
    values: {},
  }
  return { summary, columns: new Map([['runs', randomBytes(8)]]) }
}

describe.skipIf(!engines)('the archive on Cassandra', () => {
  let client: Client
  let lanes: CassandraLanes
  let archive: CassandraArchive
  let lease: Lease
  beforeAll(async () => {
    await migrate(settings)
    client = new Client(clientOptions(settings, settings.keyspace))
    await client.connect()
    lanes = new CassandraLanes(client, LANES, settings)
    archive = new CassandraArchive(client, lanes, serial)
    lease = await lanes.acquire(0, randomUUID())
  })
  afterAll(async () => {
    await lanes.release(lease)
    await client.shutdown()
    await drop()
  })
  const list = (app: string): Promise<readonly ChunkSummary[]> =>
    archive.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })
  const places = async (app: string): Promise<number[][]> =>
    (await list(app)).map((each) => [each.first_position, each.last_position])
  const through = (onChange: OnChange): CassandraArchive =>
    new CassandraArchive(unsteady(client, onChange), lanes, serial)

  /**
   * Stops an owner before its last step, lets the next owner take the lane and archive the same events, then resumes
   * the first owner.
   */
  async function appendLate(lane: number, app: string, goOn: OnChange): Promise<unknown> {
    const first = await lanes.acquire(lane, randomUUID())
    const stopped = Promise.withResolvers<undefined>()
    const taken = Promise.withResolvers<undefined>()
    const late = through(async (send, batch) => {
      stopped.resolve(undefined)
      await taken.promise
      return goOn(send, batch)
    })
      .append(first, [chunk(app, lane, 0, 9)])
      .catch((error: unknown) => error)
    await stopped.promise
    await lanes.release(first)
    const next = await lanes.acquire(lane, randomUUID())
    await archive.append(next, [chunk(app, lane, 0, 5), chunk(app, lane, 6, 9)])
    taken.resolve(undefined)
    const outcome = await late
    await lanes.release(next)
    return outcome
  }

  it('refuses an owner that was stopped before its last step and resumes when the lane has another owner', async () => {
    const app = randomUUID()
    expect(await appendLate(1, app, (send) => send())).toMatchObject({ code: 'HOP_INTERNAL' })
    expect(await places(app)).toEqual([
      [0, 5],
      [6, 9],
    ])
  })

  it('control: without the condition the events would be there twice', async () => {
    const app = randomUUID()
    await appendLate(1, app, (_send, batch) => sendUnconditionally(client, batch))
    expect(await places(app)).toEqual([
      [0, 5],
      [0, 9],
      [6, 9],
    ])
  })

  it('detects that a span was archived although the response was lost', async () => {
    const app = randomUUID()
    const deaf = through(async (send) => {
      await send()
      throw new Error('the answer got lost')
    })
    await deaf.append(lease, [chunk(app, 0, 0, 9)])
    expect(await places(app)).toEqual([[0, 9]])
    expect(await archive.covered(0, [{ app, date }])).toEqual([9])
  })

  it('rejects when the change never arrived, and then accepts the same events', async () => {
    const app = randomUUID()
    const mute = through(() => Promise.reject(new Error('never sent')))
    await expect(mute.append(lease, [chunk(app, 0, 0, 9)])).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
    expect(await archive.covered(0, [{ app, date }])).toEqual([-1])
    await archive.append(lease, [chunk(app, 0, 0, 9)])
    expect(await places(app)).toEqual([[0, 9]])
  })

  it('lists every position exactly once while spans are appended and merged', async () => {
    const app = randomUUID()
    const seen: number[] = []
    let writing = true
    const reader = (async () => {
      while (writing) {
        let next = 0
        for (const [first, last] of await places(app)) {
          expect(first).toBe(next)
          next = last! + 1
        }
        seen.push(next)
      }
    })()
    const spans: EncodedChunk[] = []
    const appending = (async () => {
      for (let index = 0; index < 24; index++) {
        const span = chunk(app, 0, index * 10, index * 10 + 9)
        await archive.append(lease, [span])
        spans.push(span)
      }
    })()
    const merging = (async () => {
      for (let merges = 0; merges < 6;) {
        if (spans.length < 4) {
          await new Promise((resolve) => setImmediate(resolve))
          continue
        }
        const run = spans.splice(0, 4).map(({ summary }) => summary)
        const merged = chunk(app, 0, run[0]!.first_position, run.at(-1)!.last_position)
        await archive.replace(lease, run, [merged])
        merges++
      }
    })()
    await Promise.all([appending, merging])
    writing = false
    await reader
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(new Set(seen).size).toBeGreaterThan(2)
    expect(await places(app)).toEqual([0, 40, 80, 120, 160, 200].map((first) => [first, first + 39]))
    expect(await rowsOf(client, 'spans.read', [app, '2026-03', 0])).toHaveLength(6)
  })

  it('deletes the cells of merged spans and failed attempts after ten minutes, and never visible ones', async () => {
    const app = randomUUID()
    const held = await lanes.acquire(2, randomUUID())
    const spans = [chunk(app, 2, 0, 9), chunk(app, 2, 10, 19)]
    await archive.append(held, spans)
    await archive.append(held, [chunk(app, 2, 20, 29)])
    await expect(
      through(() => Promise.reject(new Error('never sent'))).append(held, [chunk(app, 2, 30, 39)]),
    ).rejects.toThrow()
    await archive.replace(
      held,
      spans.map(({ summary }) => summary),
      [chunk(app, 2, 0, 19)],
    )
    const entered = await entries(2)
    expect(entered).toHaveLength(7)
    const ledger = (): OrphanSpans => new OrphanSpans(client, new Manifests(client, serial), new ChunkCells(client))
    await ledger().sweep(2, Date.now() + 590_000)
    expect(await entries(2)).toHaveLength(7)
    expect(await withCells(entered)).toHaveLength(5)
    await ledger().sweep(2, Date.now() + 610_000)
    expect(await entries(2)).toEqual([])
    const left = await withCells(entered)
    expect(left).toHaveLength(2)
    expect(await places(app)).toEqual([
      [0, 19],
      [20, 29],
    ])
    for (const summary of await list(app)) expect((await archive.columns(summary, ['runs'])).size).toBe(1)
    for (const { summary } of spans)
      await expect(archive.columns(summary, ['runs'])).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
    await lanes.release(held)
  })

  it('prevents an attempt from becoming visible after its cells were deleted', async () => {
    const app = randomUUID()
    const held = await lanes.acquire(3, randomUUID())
    const swept = Promise.withResolvers<undefined>()
    const stopped = Promise.withResolvers<undefined>()
    let changes = 0
    const slow = through(async (send) => {
      if (changes++ === 0) {
        stopped.resolve(undefined)
        await swept.promise
      }
      return send()
    })
    const late = slow.append(held, [chunk(app, 3, 0, 9)]).catch((error: unknown) => error)
    await stopped.promise
    await lanes.release(held)
    await new OrphanSpans(client, new Manifests(client, serial), new ChunkCells(client)).sweep(3, Date.now() + 610_000)
    swept.resolve(undefined)
    expect(await late).toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
    expect(await list(app)).toEqual([])
  })

  it('still finds archived events after all tables were emptied', async () => {
    const app = randomUUID()
    await archive.append(lease, [chunk(app, 0, 0, 9)])
    await archive.append(lease, [chunk(app, 0, 10, 19)])
    for (const table of ['spans', 'span_months', 'chunk_cells', 'span_ledger']) {
      await client.execute(`TRUNCATE ${table}`, [], { prepare: false, readTimeout: 60_000 })
    }
    expect(await list(app)).toEqual([])
    await archive.append(lease, [chunk(app, 0, 0, 9)])
    expect(await places(app)).toEqual([[0, 9]])
  })

  it('orders ids like Cassandra', async () => {
    const dates = [0, 1, 2, 3, 4].map((index) => new Date(1e12 + index * 7e10))
    const ids = Array.from({ length: 200 }, (_, index) =>
      types.TimeUuid.fromDate(dates[index % 5]!, index % 3, randomBytes(6), randomBytes(2)),
    )
    for (const id of ids)
      await client.execute(statement('span-ledger.insert'), [999, 0n, id, '', '', 1], { prepare: true })
    expect((await rowsOf(client, 'span-ledger.read', [999])).map((row) => String(row.get('span')))).toEqual(
      ids.sort(compareTimeUuids).map(String),
    )
  })

  async function entries(lane: number): Promise<string[]> {
    return (await rowsOf(client, 'span-ledger.read', [lane])).map((row) => String(row.get('span')))
  }

  async function withCells(spans: readonly string[]): Promise<string[]> {
    const found = await Promise.all(
      [...new Set(spans)].map(async (span) => {
        const { rowLength } = await client.execute(statement('chunk-cells.any'), [types.TimeUuid.fromString(span), 0], {
          prepare: true,
        })
        return rowLength > 0 ? [span] : []
      }),
    )
    return found.flat()
  }
})
