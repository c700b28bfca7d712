import { tableFromIPC as readIndependently } from '@uwdata/flechette'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ArchivedEvent, Event, EventOf } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import { APP, T0, TICK_MS, world, type World } from '../contract/random-world.ts'
import { encodeExport, type ExportFormat } from './encode-export.ts'

type CustomEvent = EventOf<'custom'>
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }

async function readExport(format: ExportFormat, chunks: readonly Chunk[], range = ALL): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of encodeExport(format, chunks, range)) parts.push(part)
  return Buffer.concat(parts)
}

function chunkOf(events: readonly (Partial<Omit<ArchivedEvent, 'event'>> & { event: Partial<CustomEvent> })[]): Chunk {
  const rows = events.map((fields, index) => ({
    device_id: 'd',
    user: '',
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    received_at: T0,
    position: index,
    index: 0,
    ...fields,
    event: {
      event_id: `e${index}`,
      timestamp: T0 + index,
      seq: index,
      type: 'custom',
      name: 'a',
      ...fields.event,
    },
  })) as ArchivedEvent[]
  return Chunk.of(
    encodeChunks(rows, { app: APP, date: '2026-01-01', lane: 3, first_position: 0, last_position: events.length })[0]!,
  )
}

const inLog = (a: { lane: number; index: number }, b: { lane: number; index: number }): number =>
  a.lane - b.lane || a.index - b.index

/** Reads the rows of an export with another implementation of Arrow. */
function arrowRows(bytes: Uint8Array): Record<string, unknown>[] {
  const rows = readIndependently(bytes, { useBigInt: false, useDate: false }).toArray() as Record<string, unknown>[]
  return rows.map((row) => ({ ...row, data: row.data === null ? null : (JSON.parse(row.data as string) as unknown) }))
}

/** Returns the expected columns of an event, according to the documentation. */
function expectedRow({
  event,
  device_id,
  user,
  lane,
  context,
  received_at,
  position,
  index,
}: World['rows'][number]): Record<string, unknown> {
  const { from, ...fields } = event as Event & Record<string, unknown>
  const row: Record<string, unknown> = {
    ...fields,
    device_id,
    lane,
    received_at,
    position,
    index,
    device: context.device,
    browser: context.browser,
    os: context.os,
    country: context.country,
    region: context.region,
    channel: context.channel,
    landing_page: context.landing_page,
    click_id: context.click_id,
    language: context.language,
    screen: context.screen,
    numbered: context.numbered && 'true',
    bot: context.bot,
    referrer: context.referrer,
    ...context.utm,
    ...(user === '' ? {} : { user }),
    ...(typeof from === 'number' ? { from_stage: from } : { from }),
  }
  return withoutValue(row, undefined)
}

function withoutValue(row: Record<string, unknown>, none: null | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== none))
}

it('Arrow: another implementation reads back every value of every event', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (generated) => {
      const rows = arrowRows(await readExport('arrow', generated.chunks.flat())).map((row) => withoutValue(row, null))
      const wanted = [...generated.rows].sort(inLog).map(expectedRow)
      expect((rows as { lane: number; index: number }[]).sort(inLog)).toEqual(wanted)
    }),
    { numRuns: 60 },
  )
}, 60_000)

it('Arrow: every batch has its own dictionaries, and a stream may be empty', async () => {
  const chunk = (from: number, rows: number): Chunk =>
    chunkOf(Array.from({ length: rows }, (_, i) => ({ device_id: `d${from + i}`, event: { seq: from + i } })))
  const rows = arrowRows(await readExport('arrow', [chunk(0, 12_000), chunk(12_000, 9_000)]))
  expect(rows).toHaveLength(21_000)
  for (const { seq, device_id } of rows) expect(device_id).toBe(`d${seq as number}`)
  expect(arrowRows(await readExport('arrow', []))).toEqual([])
})

it('NDJSON: contains every event as archived', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (generated) => {
      const lines = (await readExport('ndjson', generated.chunks.flat())).toString().split('\n').slice(0, -1)
      const events = lines.map((line) => JSON.parse(line) as { lane: number; index: number })
      const wanted = [...generated.rows]
        .sort(inLog)
        .map(({ event, user, device_id, context, received_at, lane, position, index }) => ({
          ...event,
          ...{ device_id, context, received_at, lane, position, index },
          ...(user === '' ? {} : { user }),
        }))
      expect(events.sort(inLog)).toEqual(wanted)
    }),
    { numRuns: 60 },
  )
}, 60_000)

it('exports only the events of the range, with its start inclusive and its end exclusive', async () => {
  await fc.assert(
    fc.asyncProperty(world, fc.nat(30), fc.nat(30), async (generated, a, b) => {
      const range = { from: T0 + Math.min(a, b) * TICK_MS, to: T0 + Math.max(a, b) * TICK_MS }
      const wanted = generated.rows.filter(({ event }) => event.timestamp >= range.from && event.timestamp < range.to)
      expect((await readExport('csv', generated.chunks.flat(), range)).toString().split('\r\n')).toHaveLength(
        wanted.length + 2,
      )
    }),
    { numRuns: 60 },
  )
}, 60_000)

it('CSV: escapes formulas, and any text stays in its cell', async () => {
  const bad = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', 'say "hi", now', 'two\nlines']
  const csv = (await readExport('csv', [chunkOf(bad.map((name) => ({ event: { name } })))])).toString()
  const cells = cellsOf(csv)
  expect(new Set(cells.map(({ length }) => length)).size).toBe(1)
  const names = cells.slice(1).map((row) => row[cells[0]!.indexOf('name')])
  expect(names).toEqual(bad.map((name) => (/^[=+\-@\t\r\n＝＋－＠]/.test(name) ? `'${name}` : name)))
  expect(cells[1]![cells[0]!.indexOf('timestamp')]).toBe(new Date(T0).toISOString())
})

it('exports keys such as __proto__ as data', async () => {
  const data = JSON.parse('{"__proto__":"x","constructor":1}') as Record<string, string>
  const chunk = chunkOf([{ event: { data } }])
  expect(Object.entries(arrowRows(await readExport('arrow', [chunk]))[0]!.data as object)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 1],
  ])
  expect((await readExport('ndjson', [chunk])).toString()).toContain('"data":{"__proto__":"x","constructor":1}')
})

/** Parses the cells of a CSV text by RFC 4180. */
function cellsOf(csv: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain = '', end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}
