import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provision } from '@hopper/api'
import type { Envelope } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { auditOf, countAll, traffic } from '../audit/installation.fixture.ts'
import { writeOut } from '../export/write-out.ts'
import { answersOf, collect, dumpOf, readDump, registryFile } from './answers.fixture.ts'
import { readLines } from './read-lines.ts'

interface Made extends AsyncDisposable {
  readonly storage: Storage
  dump(): Promise<string>
  read(dump: string): Promise<void>
  answers(): Promise<string[]>
}

async function make(lanes: number): Promise<Made> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-import-'))
  const storage = await openEmbedded({ dir, lanes })
  return {
    storage,
    dump: () => dumpOf(storage),
    read: async (dump) => {
      await readDump(storage, dump)
      await countAll(storage)
    },
    answers: () => answersOf(storage),
    async [Symbol.asyncDispose]() {
      await storage.close()
      await rm(dir, { recursive: true })
    },
  }
}

async function filled(envelopes: readonly Envelope[], lanes: number): Promise<Made> {
  const made = await make(lanes)
  await provision(made.storage.registry, registryFile, 0)
  await made.storage.log.append(envelopes)
  await countAll(made.storage)
  return made
}

const repeated = ['duplicate', 'rejected']
/** All rows but the fates of what came again, in any lane. */
async function tablesOf(storage: Storage): Promise<string[]> {
  const fates = await storage.reader.counters('fates_by_date', 'berlin', ['2026-03-01', '2026-05-01'])
  return [...fates.filter(({ key }) => !repeated.includes(String(key[0]))).map((row) => JSON.stringify(row)), ...(await answersOf(storage))]
}

it('moves an installation into another with another number of lanes: the API answers the same bytes to everything', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), async (envelopes, from, to) => {
      await using source = await filled(envelopes, from)
      await using target = await make(to)
      await target.read(await source.dump())
      const answers = await source.answers()
      expect(answers.filter((answer) => !/ 200 /.test(answer))).toEqual([])
      expect(await target.answers()).toEqual(answers)
      expect(await auditOf(target.storage)).toEqual([])
      expect(envelopesOf(await target.dump())).toEqual(envelopesOf(await source.dump()))
    }),
    { numRuns: 3, endOnFailure: true },
  )
}, 180_000)

function envelopesOf(dump: string): string[] {
  return dump.split('\n').filter((line) => line.includes('"envelope"')).map((line) => line.replace(/^\{"lane":\d+/, '')).sort()
}

const [sample] = fc.sample(traffic, { numRuns: 20, seed: 3 }).filter((envelopes) => envelopes.length > 20)

it('counts nothing twice when it is run again, also after a dump that was cut', async () => {
  await using source = await filled(sample!, 2)
  const dump = await source.dump()
  const wanted = await tablesOf(source.storage)
  await using target = await make(3)
  const lines = dump.trimEnd().split('\n')
  const cut = `${lines.slice(0, -10).join('\n')}\n`
  await expect(target.read(cut)).rejects.toThrow('The dump was cut')
  for (let times = 0; times < 2; times++) {
    await target.read(dump)
    expect(await tablesOf(target.storage)).toEqual(wanted)
    expect(await auditOf(target.storage)).toEqual([])
  }
}, 120_000)

it('refuses what is no dump, and says at which line', async () => {
  await using target = await make(1)
  const head = '{"hopper":"dump","version":1,"lanes":1,"made_at":""}\n'
  const app = { id: 'a', organization: 'acme', name: 'A', timezone: 'UTC', origins: [], keep_parameters: [] }
  const record = (fields: object, id = 'a', owner = 'acme'): string =>
    `${head}${JSON.stringify({ kind: 'apps', owner, id, record: { ...app, ...fields } })}\n`
  const bad: [string, string][] = [
    ['', 'This is no dump'], ['hello', 'Line 1 is not'], ['{"end":true,"records":0,"envelopes":0}', 'This is no dump'],
    [head.replace('"version":1', '"version":9'), 'of version 9'],
    [`${head}{"kind":"logins","owner":"","id":"x","record":{}}`, 'Line 2'], [`${head}{"kind":"__proto__","owner":"","id":"x","record":{}}`, 'Line 2'],
    [record({ timezone: 'Mars/Olympus' }), 'Line 2'], [record({ organization: 'other' }), 'Line 2'], [record({}, 'b'), 'Line 2'],
    [`${head}{"lane":0,"envelope":{"version":2}}`, 'Line 2'], [`${head}{"lane":0,"envelope":null}`, 'Line 2'], [head, 'The dump was cut'],
    [`${head}{"end":true,"records":1,"envelopes":0,"left_out":0}`, 'The dump was cut'],
    [`${head}{"end":true,"records":0,"envelopes":0,"left_out":0}\n${head}`, 'goes on behind its end'],
  ]
  for (const [dump, message] of bad) await expect(target.read(dump)).rejects.toThrow(message)
  await target.storage.registry.apps.put('other', 'a', { ...app, organization: 'other' })
  await expect(target.read(record({}))).rejects.toThrow('belongs to another organization')
})

it('writes and reads plain and compressed files, and leaves no file behind that is not whole', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-dump-'))
  const wanted = Array.from({ length: 3_000 }, (_, n) => `{"n":${n}}`)
  async function* lines(): AsyncGenerator<string> {
    for (const line of wanted) yield `${line}\n`
  }
  for (const name of ['dump.ndjson', 'dump.ndjson.zst']) {
    await writeOut(lines(), join(dir, name))
    expect(await collect(readLines(join(dir, name)))).toEqual(wanted)
  }
  expect((await readFile(join(dir, 'dump.ndjson.zst'))).length).toBeLessThan((await readFile(join(dir, 'dump.ndjson'))).length / 3)
  async function* failing(): AsyncGenerator<string> {
    yield 'x'
    throw new Error('no more')
  }
  await expect(writeOut(failing(), join(dir, 'bad'))).rejects.toThrow('no more')
  await expect(readFile(join(dir, 'bad'))).rejects.toThrow('ENOENT')
  await expect(writeOut(lines(), join(dir, 'missing', 'x'))).rejects.toThrow('can not be written')
  await expect(collect(readLines(join(dir, 'none')))).rejects.toThrow('can not be read')
  await rm(dir, { recursive: true })
})
