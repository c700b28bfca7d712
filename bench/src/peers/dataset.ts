import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Chunk,
  encodeColumns,
  identityFacts,
  IdentityIndex,
  mergeChunks,
  type Identities,
  type RowColumns,
} from '@hopper/engine'
import { GENERATED_DAYS, GENERATED_FROM, generatedColumns, userOfRun } from '../harness/generated-columns.ts'
import { rowsBetween } from '../harness/rows-between.ts'
import { writeLane } from './lane-file.ts'

const DAY_MS = 86_400_000
const SPAN_DAYS = 3
/** The largest Uint32 in the raw column `user`. */
const NO_USER = 0xff_ff_ff_ff
export const LANES = 8

/** The generated events of all lanes: as Hopper's archive, and as raw columns for the peers. */
export interface Dataset {
  readonly dir: string
  readonly rows: number
  readonly devices: number
  readonly identities: Identities
  readonly mergeMs: number
  readonly mergeCpuMs: number
  /** bytes per event of each column of the merged archive */
  readonly bytes: Readonly<Record<string, number>>
  /** false if an earlier run wrote the same raw columns */
  readonly isNew: boolean
}

/** Generates the events lane by lane into a folder. */
export function buildDataset(rowCount: number, dir: string): Dataset {
  const index = new IdentityIndex()
  const hash = createHash('sha256')
  const raw = new RawColumns(dir)
  const total: Record<string, number> = {}
  const merge = { ms: 0, cpuMs: 0 }
  for (let lane = 0; lane < LANES; lane++) {
    const columns = generatedColumns(rowCount / LANES, lane, LANES)
    raw.add(lane, columns, hash)
    const spans = spansOfLane(columns, lane)
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    const merged = mergeChunks(spans.map((chunk) => Chunk.of(chunk)))
    const used = process.cpuUsage(cpu)
    merge.ms += performance.now() - start
    merge.cpuMs += (used.user + used.system) / 1_000
    writeLane(join(dir, `merged-${lane}`), merged)
    writeLane(join(dir, `spans-${lane}`), spans)
    index.add(merged.map((chunk) => identityFacts(Chunk.of(chunk))))
    for (const { columns: cells } of merged)
      for (const [name, cell] of cells) total[name] = (total[name] ?? 0) + cell.length
  }
  const { rows, devices } = raw
  const bytes = Object.fromEntries(Object.entries(total).map(([name, size]) => [name, size / rows]))
  return {
    dir,
    rows,
    devices,
    identities: index.identities(),
    mergeMs: merge.ms,
    mergeCpuMs: merge.cpuMs,
    bytes,
    isNew: raw.finish(hash.digest('hex')),
  }
}

/** Encodes the lane as it is archived, in spans of three days. */
function spansOfLane(columns: RowColumns, lane: number): ReturnType<typeof encodeColumns> {
  return Array.from({ length: GENERATED_DAYS / SPAN_DAYS }, (_, i) => i * SPAN_DAYS).flatMap((day) => {
    const from = GENERATED_FROM + day * DAY_MS
    const cover = {
      app: 'a',
      date: new Date(from).toISOString().slice(0, 10),
      lane,
      first_position: day,
      last_position: day,
    }
    return encodeColumns(rowsBetween(columns, from, from + SPAN_DAYS * DAY_MS), cover)
  })
}

/** Writes the columns as files for numpy, one per lane and column. */
class RawColumns {
  rows = 0
  devices = 0
  readonly #dir: string
  readonly #ids: Uint8Array[] = []
  readonly #values: Record<string, string[]> = { name: [], url: [], country: [], plan: [], user: [] }
  /** the first device of each user */
  readonly #first = new Map<string, number>()

  constructor(dir: string) {
    this.#dir = dir
  }

  add(lane: number, { runs, numbers, eventIds, values, rows }: RowColumns, hash: ReturnType<typeof createHash>): void {
    const write = (column: string, array: NodeJS.ArrayBufferView): void => {
      hash.update(array)
      writeFileSync(join(this.#dir, `lane-${lane}.${column}`), array)
    }
    const device = new Uint32Array(rows)
    const person = new Uint32Array(rows)
    for (let run = 0, row = 0; run < runs.rows.length; row += runs.rows[run]!, run++) {
      device.fill(this.devices + run, row, row + runs.rows[run]!)
      person.fill(this.#personOf(lane, run, runs.rows[run]!), row, row + runs.rows[run]!)
    }
    write('ts', numbers.timestamp)
    for (const column of ['seq', 'position', 'received_at'] as const) write(column, numbers[column])
    write('device', device)
    write('person', person)
    write('event_id', eventIds.bytes)
    for (const [column, source] of [
      ['name', 'name'],
      ['url', 'data.url'],
      ['country', 'country'],
      ['plan', 'data.plan'],
    ] as const) {
      this.#values[column] = values.get(source)!.values as string[]
      write(column, Uint16Array.from(values.get(source)!.codes))
    }
    const user = values.get('user')!
    const before = this.#values.user!.length - 1
    write(
      'user',
      user.codes.map((code) => (code === 0 ? NO_USER : before + code)),
    )
    this.#values.user!.push(...(user.values.slice(1) as string[]))
    this.#ids.push(runs.deviceIds.bytes)
    this.devices += runs.rows.length
    this.rows += rows
  }

  /** Writes the metadata; returns whether the columns differ from those of an earlier run. */
  finish(digest: string): boolean {
    writeFileSync(join(this.#dir, 'devices'), Buffer.concat(this.#ids))
    const meta = JSON.stringify({ lanes: LANES, digest, values: this.#values })
    const path = join(this.#dir, 'meta.json')
    const isNew = !existsSync(path) || readFileSync(path, 'utf8') !== meta
    writeFileSync(path, meta)
    return isNew
  }

  /** Returns the number of a device's person: that of its user's first device, or its own if it has no user. */
  #personOf(lane: number, run: number, rows: number): number {
    // Generated devices with one event are never identified.
    const user = rows > 1 ? userOfRun(lane, run) : null
    const device = this.devices + run
    if (user === null) return device
    if (!this.#first.has(user)) this.#first.set(user, device)
    return this.#first.get(user)!
  }
}
