import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Envelope, Funnel } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../../ports/storage.ts'
import { openEmbedded } from '../embedded.ts'
import { emptyBatch } from '../../ports/tables.ts'

const LANES = 2
const root = mkdtempSync(join(tmpdir(), 'hopper-damage-'))
const intact = join(root, 'intact')
const older = join(root, 'older')
const other = join(root, 'other')
let copies = 0
afterAll(() => rmSync(root, { recursive: true }))

const envelope = (device_id: string, browser = 'x'.repeat(200)): Envelope => ({
  version: 1,
  app: 'a',
  device_id,
  received_at: 1,
  context: { device: 'unknown', browser, os: '' },
  events: [],
})
const noise = (): string => Array.from({ length: 3_000 }, () => Math.random().toString(36).slice(2)).join('')

/** Appends messages, each a row of some pages, and counts some of them. */
async function fill(storage: Storage, messages: number, countedShare: number): Promise<void> {
  for (let index = 0; index < messages; index++) await storage.log.append([envelope(`d${index}`, noise())])
  const ends = await storage.log.ends()
  for (let lane = 0; lane < LANES; lane++) {
    const lease = await storage.lanes.acquire(lane, 'test')
    const to = Math.floor(ends[lane]! * countedShare)
    const [from] = await storage.writer.applied(lane, [{ table: 'fates_by_date', app: 'a', date: '2026-01-01' }])
    const counters =
      to - 1 > from!
        ? [
            {
              table: 'fates_by_date' as const,
              app: 'a',
              date: '2026-01-01',
              from: from!,
              to: to - 1,
              rows: [{ key: ['accepted', 'new'], deltas: [to - 1 - from!] }],
            },
          ]
        : []
    await storage.writer.apply(lease, { ...emptyBatch, lane, counters })
    await storage.lanes.commit(lease, to)
  }
  await storage.registry.apps.put('o', `app${messages}`, {
    id: `app${messages}`,
    organization: 'o',
    name: 'A',
    timezone: 'UTC',
    origins: [],
    keep_parameters: [],
  })
  await storage.registry.funnels.put('a', 'f', {} as Funnel)
}

beforeAll(async () => {
  const first = await openEmbedded({ dir: other, lanes: LANES })
  await fill(first, 30, 1)
  await first.close()
  const storage = await openEmbedded({ dir: intact, lanes: LANES })
  await fill(storage, 40, 0.5)
  await storage.close()
  cpSync(intact, older, { recursive: true })
  const again = await openEmbedded({ dir: intact, lanes: LANES })
  await fill(again, 41, 0.5)
  // As a killed process leaves it: the write-ahead log is not in the database yet.
  cpSync(intact, `${intact}-killed`, { recursive: true })
  await again.close()
}, 60_000)

function copyOf(dir: string): string {
  const copy = join(root, `copy${copies++}`)
  cpSync(dir, copy, { recursive: true })
  return copy
}

async function endsOf(dir: string): Promise<readonly number[]> {
  const storage = await openEmbedded({ dir, lanes: LANES })
  const ends = await storage.log.ends()
  await storage.close()
  return ends
}

function overwrite(file: string, offset: number, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, offset)
  closeSync(descriptor)
}

function sql(file: string, text: string): void {
  const database = new DatabaseSync(file)
  database.exec(text)
  database.close()
}

const middleOf = (file: string): number => Math.floor(statSync(file).size / 2 / 4_096) * 4_096
const remove = (dir: string, ...names: string[]): void =>
  names.forEach((name) => rmSync(join(dir, name), { force: true }))

/** Each way to damage a directory, the file that the refusal names, and the directory that it begins with. */
const ways: readonly {
  readonly name: string
  readonly from?: 'killed'
  readonly names: RegExp
  readonly adopts?: true
  damage(dir: string): void
}[] = [
  {
    name: 'log.db deleted',
    names: /log\.db is missing or empty/,
    damage: (dir) => remove(dir, 'log.db', 'log.db-wal', 'log.db-shm'),
  },
  {
    name: 'log.db deleted, its WAL left',
    from: 'killed',
    names: /log\.db is missing or empty/,
    damage: (dir) => remove(dir, 'log.db'),
  },
  {
    name: 'log.db emptied',
    names: /log\.db is missing or empty/,
    damage: (dir) => truncateSync(join(dir, 'log.db'), 0),
  },
  {
    name: 'log.db deleted with its record',
    names: /log\.db is missing or empty/,
    damage: (dir) => remove(dir, 'log.db', 'log.ends'),
  },
  {
    name: 'an older log.db',
    names: /log\.db lacks messages/,
    damage: (dir) => copyFileSync(join(older, 'log.db'), join(dir, 'log.db')),
  },
  {
    name: 'the log.db of another installation',
    names: /log\.db belongs to another installation/,
    damage: (dir) => copyFileSync(join(other, 'log.db'), join(dir, 'log.db')),
  },
  {
    name: 'log.db and tables.db of another installation',
    names: /log\.ends and tables\.ends belong to another installation/,
    adopts: true,
    damage: (dir) => ['log.db', 'tables.db'].forEach((file) => copyFileSync(join(other, file), join(dir, file))),
  },
  {
    name: 'log.db cut in the middle of a page',
    names: /log\.db cannot be read/,
    damage: (dir) => truncateSync(join(dir, 'log.db'), middleOf(join(dir, 'log.db')) + 100),
  },
  {
    name: 'log.db without its second half',
    names: /log\.db cannot be read/,
    damage: (dir) => truncateSync(join(dir, 'log.db'), middleOf(join(dir, 'log.db'))),
  },
  {
    name: 'a page of log.db zeroed',
    names: /log\.db/,
    damage: (dir) => overwrite(join(dir, 'log.db'), middleOf(join(dir, 'log.db')), Buffer.alloc(4_096)),
  },
  {
    name: 'a page of log.db overwritten',
    names: /log\.db/,
    damage: (dir) => overwrite(join(dir, 'log.db'), middleOf(join(dir, 'log.db')), Buffer.alloc(4_096, 0xa7)),
  },
  {
    name: 'the header of log.db overwritten',
    names: /log\.db cannot be read/,
    damage: (dir) => overwrite(join(dir, 'log.db'), 0, Buffer.alloc(100, 1)),
  },
  {
    name: 'log.db is text',
    names: /log\.db cannot be read/,
    damage: (dir) => writeFileSync(join(dir, 'log.db'), 'no database at all '.repeat(500)),
  },
  {
    name: 'rows deleted from the log',
    names: /log\.db lacks messages/,
    damage: (dir) => sql(join(dir, 'log.db'), 'DELETE FROM lane_1 WHERE first BETWEEN 3 AND 5'),
  },
  {
    name: 'a lane of the log emptied',
    names: /log\.db lacks messages/,
    damage: (dir) => sql(join(dir, 'log.db'), 'DELETE FROM lane_0'),
  },
  {
    name: 'a table of the log dropped',
    names: /log\.db lacks messages/,
    damage: (dir) => sql(join(dir, 'log.db'), 'DROP TABLE lane_0'),
  },
  {
    name: 'bytes of a block changed',
    names: /blocks that are not as they were written/,
    damage: (dir) =>
      sql(
        join(dir, 'log.db'),
        "UPDATE lane_0 SET block = CAST(substr(block, 1, 500) || x'00' || substr(block, 502) AS BLOB) " +
          'WHERE first = (SELECT max(first) FROM lane_0)',
      ),
  },
  {
    name: 'the WAL of the log deleted',
    from: 'killed',
    names: /log\.db lacks messages/,
    damage: (dir) => remove(dir, 'log.db-wal'),
  },
  {
    name: 'the WAL of the log cut',
    from: 'killed',
    names: /log\.db lacks messages/,
    damage: (dir) => truncateSync(join(dir, 'log.db-wal'), 30_000),
  },
  {
    name: 'the WAL of the log cut at its end',
    from: 'killed',
    names: /log\.db lacks messages/,
    damage: (dir) => truncateSync(join(dir, 'log.db-wal'), statSync(join(dir, 'log.db-wal')).size - 10),
  },
  {
    name: 'the WAL of the log zeroed',
    from: 'killed',
    names: /log\.db lacks messages/,
    damage: (dir) => writeFileSync(join(dir, 'log.db-wal'), Buffer.alloc(100_000)),
  },
  { name: 'tables.db deleted', names: /tables\.db is missing or empty/, damage: (dir) => remove(dir, 'tables.db') },
  {
    name: 'tables.db emptied',
    names: /tables\.db is missing or empty/,
    damage: (dir) => truncateSync(join(dir, 'tables.db'), 0),
  },
  {
    name: 'tables.db of another installation',
    names: /tables\.db belongs to another installation/,
    damage: (dir) => copyFileSync(join(other, 'tables.db'), join(dir, 'tables.db')),
  },
  {
    name: 'an older tables.db, with fewer apps',
    names: /tables\.db is older/,
    damage: (dir) => copyFileSync(join(older, 'tables.db'), join(dir, 'tables.db')),
  },
  {
    name: 'a page of tables.db overwritten',
    names: /tables\.db/,
    damage: (dir) => overwrite(join(dir, 'tables.db'), middleOf(join(dir, 'tables.db')), Buffer.alloc(4_096, 0xa7)),
  },
  {
    name: 'the registry emptied',
    names: /tables\.db .*lost apps/,
    damage: (dir) => sql(join(dir, 'tables.db'), 'DELETE FROM registry'),
  },
  {
    name: 'the registry dropped',
    names: /tables\.db .*lost apps/,
    damage: (dir) => sql(join(dir, 'tables.db'), 'DROP TABLE registry'),
  },
  {
    name: 'both databases deleted, their records left',
    names: /log\.db is missing.*tables\.db is missing/,
    damage: (dir) => remove(dir, 'log.db', 'tables.db'),
  },
]

describe('a damaged data directory', () => {
  it('control: opens an intact one, also as a killed process leaves it, without -shm files or records', async () => {
    const ends = await endsOf(copyOf(intact))
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(81)
    expect(await endsOf(copyOf(`${intact}-killed`))).toEqual(ends)
    const withoutShared = copyOf(`${intact}-killed`)
    remove(withoutShared, 'log.db-shm', 'tables.db-shm')
    expect(await endsOf(withoutShared)).toEqual(ends)
    const spoiltShared = copyOf(`${intact}-killed`)
    for (const name of ['log.db-shm', 'tables.db-shm'])
      writeFileSync(join(spoiltShared, name), Buffer.alloc(32_768, 0x5a))
    expect(await endsOf(spoiltShared)).toEqual(ends)
    const withoutRecords = copyOf(intact)
    remove(withoutRecords, 'log.ends', 'tables.ends')
    expect(await endsOf(withoutRecords)).toEqual(ends)
    const spoiltRecords = copyOf(intact)
    for (const name of ['log.ends', 'tables.ends']) writeFileSync(join(spoiltRecords, name), 'x'.repeat(70_000))
    expect(await endsOf(spoiltRecords)).toEqual(ends)
  })

  it('skips watermarks beyond a log that has lost nothing: later messages are still counted', async () => {
    const dir = copyOf(intact)
    const ends = await endsOf(dir)
    sql(join(dir, 'tables.db'), `UPDATE applied SET position = ${ends[0]! + 500} WHERE lane = 0`)
    const warnings: string[] = []
    const logger = { warn: (_: object, message: string) => void warnings.push(message) }
    const storage = await openEmbedded({ dir, lanes: LANES, logger })
    expect(warnings.join()).toContain('beyond the log')
    const places = await storage.log.append(Array.from({ length: 20 }, (_, index) => envelope(`later${index}`)))
    for (const { lane, position } of places)
      expect(position).toBeGreaterThanOrEqual(lane === 0 ? ends[0]! + 500 : ends[1]!)
    await storage.close()
  })

  it('opens a directory copied during writes, or refuses it by name, whatever the order of the copy', async () => {
    const dir = copyOf(intact)
    const storage = await openEmbedded({ dir, lanes: LANES })
    const names = ['log.db', 'log.db-wal', 'log.ends', 'tables.db', 'tables.db-wal', 'tables.ends']
    for (const order of [
      names,
      [...names].reverse(),
      ['tables.ends', 'log.db-wal', 'log.db', 'tables.db', 'log.ends', 'tables.db-wal'],
    ]) {
      const copy = join(root, `copy${copies++}`)
      mkdirSync(copy)
      for (const name of order) {
        for (let index = 0; index < 30; index++) await storage.log.append([envelope(`d${index}`, noise())])
        if (existsSync(join(dir, name))) copyFileSync(join(dir, name), join(copy, name))
      }
      const outcome = await openEmbedded({ dir: copy, lanes: LANES }).then(
        (opened) => opened.close(),
        (error: Error) => error,
      )
      if (outcome) expect(outcome).toMatchObject({ code: 'HOP_DATA_DAMAGED' })
      await (await openEmbedded({ dir: copy, lanes: LANES, acceptLoss: true })).close()
      await (await openEmbedded({ dir: copy, lanes: LANES })).close()
    }
    await storage.close()
  })

  it.each(ways)(
    '$name: refused by name; once accepted, the loss is recorded and later messages are counted',
    async ({ from, names, adopts, damage }) => {
      const ends = await endsOf(copyOf(intact))
      const dir = copyOf(from === 'killed' ? `${intact}-killed` : intact)
      damage(dir)
      for (let time = 0; time < 2; time++) {
        const error = await openEmbedded({ dir, lanes: LANES }).then(
          (storage) => storage.close(),
          (cause: Error) => cause,
        )
        expect(error).toMatchObject({ code: 'HOP_DATA_DAMAGED', message: expect.stringMatching(names) })
        expect((error as Error).message).toContain('--accept-loss')
      }

      const warnings: string[] = []
      const accepted = await openEmbedded({
        dir,
        lanes: LANES,
        acceptLoss: true,
        logger: { warn: (_, message) => void warnings.push(message) },
      })
      expect(warnings.length).toBeGreaterThan(0)
      expect(existsSync(join(dir, 'losses.jsonl'))).toBe(true)
      for (const line of readFileSync(join(dir, 'losses.jsonl'), 'utf8').trim().split('\n'))
        expect(JSON.parse(line)).toHaveProperty('at')
      // No later message gets a position that was acknowledged or counted before.
      const places = await accepted.log.append(Array.from({ length: 20 }, (_, index) => envelope(`later${index}`)))
      if (!adopts) for (const { lane, position } of places) expect(position).toBeGreaterThanOrEqual(ends[lane]!)
      for (const { lane, position } of places)
        expect((await accepted.log.read(lane, position, 1)).map((message) => message.position)).toEqual([position])
      // Every lane is read to its end from wherever it was counted, across the losses.
      const [done, now] = [await accepted.lanes.positions(), await accepted.log.ends()]
      for (let lane = 0; lane < LANES; lane++) {
        const read = await accepted.log.read(lane, done[lane]!, 1_000)
        expect((read.at(-1)?.position ?? -1) + 1).toBe(now[lane])
      }
      await accepted.close()
      await (await openEmbedded({ dir, lanes: LANES })).close()
    },
  )
})
