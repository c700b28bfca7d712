import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provision } from '@hopper/api'
import type { Envelope, Member, ProviderLink } from '@hopper/contracts'
import { withOverrides, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { auditOf, countAll, traffic } from '../testing/installation.fixture.ts'
import { interruptAfter } from '../testing/interrupted.fixture.ts'
import { dumpInstallation } from '../export/dump.ts'
import type { DumpHead } from '../export/dump-lines.ts'
import { writeOut } from '../export/write-out.ts'
import { answersOf, collect, dumpOf, readDump, registryFile } from '../testing/answers.fixture.ts'
import { verifyDump } from './import-dump.ts'
import { checkHead } from './parse-line.ts'
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

/** Messages that no reader can decode or count: each becomes a dead letter. */
const unreadable = [
  Buffer.from(''),
  Buffer.from('no JSON'),
  Buffer.from([0xff, 0xfe, 0, 0x80]),
  Buffer.from('\u0000\u0001\u001f'.repeat(50)),
  Buffer.from('[1]'),
  Buffer.from('{"version":2,"app":"berlin"}\n{'),
  Buffer.from('{"version":1,"app":"nobody","device_id":"d","received_at":1,"context":{},"events":[]}'),
]

async function openFilled(envelopes: readonly Envelope[], lanes: number): Promise<Made> {
  const made = await make(lanes)
  await provision(made.storage.registry, registryFile, 0)
  const clicks = { name: 'clicks', event: 'click', operation: 'count' } as const
  await made.storage.registry.properties.put('berlin', clicks.name, clicks)
  const alert = {
    id: 'a1',
    app: 'berlin',
    name: 'Quiet',
    quiet: { minutes: 30 },
    webhook: { url: 'https://hooks.example/' },
  }
  await made.storage.registry.alerts.put('berlin', 'a1', { ...alert, created_at: 1, changed_at: 1, secret_number: 1 })
  const view = { page: 'funnel', funnel: 'f', range: '30d' } as const
  const shared = { id: '0123456789abcdef', app: 'berlin', name: 'Board', view, hash: 'a'.repeat(64) }
  const times = { created_at: 1, ends_at: 2 }
  await made.storage.registry.sharedLinks.put('berlin', shared.id, { ...shared, created_by: 'Ann', ...times })
  const note = { id: '0123456789abcdef', app: 'berlin', from: '2026-03-01', text: 'New', created_by: 'Ann' }
  await made.storage.registry.annotations.put('berlin', note.id, { ...note, created_at: 1 })
  await made.storage.log.append(envelopes)
  await made.storage.log.appendMessages(unreadable.map((value, index) => ({ lane: index % lanes, value })))
  await countAll(made.storage)
  return made
}

/** Returns all rows, in any lane, including the fate of every event. */
async function tablesOf(storage: Storage): Promise<string[]> {
  const fates = await storage.reader.counters('fates_by_date', 'berlin', ['2026-03-01', '2026-05-01'])
  return [
    ...fates.map((row) => JSON.stringify(row)),
    ...(await answersOf(storage)),
    `${await storage.reader.deadLetters()} dead letters`,
  ]
}

it('moves an installation to one with a different number of lanes: all API answers are byte-identical', async () => {
  await fc.assert(
    fc.asyncProperty(
      traffic,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      async (envelopes, from, to) => {
        await using source = await openFilled(envelopes, from)
        await using target = await make(to)
        await target.read(await source.dump())
        const answers = await source.answers()
        expect(answers.filter((answer) => !/ 200 /.test(answer))).toEqual([])
        expect(await target.answers()).toEqual(answers)
        expect(await auditOf(target.storage)).toEqual([])
        expect(await target.storage.reader.deadLetters()).toBe(unreadable.length)
        expect(await messagesOf(target.storage)).toEqual(await messagesOf(source.storage))
      },
    ),
    { numRuns: 3, endOnFailure: true },
  )
}, 180_000)

it('moves members with the accounts by which they log in', async () => {
  await using source = await openFilled([], 1)
  await using target = await make(1)
  const organization = registryFile.organizations[0]!.id
  const email = 'ann@shop.example'
  const member: Member = { id: 'ann', organization, name: 'Ann', role: 'viewer', email }
  const account = { issuer: 'https://login.example', subject: 's-1', email, linked_at: 1 }
  const link: ProviderLink = { member: 'ann', organization, ...account }
  await source.storage.registry.members.put(organization, 'ann', member)
  await source.storage.registry.providerLinks.put(organization, 'ann', link)
  await target.read(await source.dump())
  expect(await target.storage.registry.members.get(organization, 'ann')).toEqual(member)
  // without it, the present owner of the address could log in
  expect(await target.storage.registry.providerLinks.get(organization, 'ann')).toEqual(link)
}, 60_000)

/** Returns every message of a log, byte for byte, in any lane. */
async function messagesOf({ log }: Storage): Promise<string[]> {
  const lanes = await Promise.all(Array.from({ length: log.lanes }, (_, lane) => log.read(lane, 0, Infinity)))
  return lanes
    .flat()
    .map(({ value }) => Buffer.from(value).toString('latin1'))
    .sort()
}

const [sample] = fc.sample(traffic, { numRuns: 20, seed: 3 }).filter((envelopes) => envelopes.length > 20)

it('counts nothing twice when run again, even after a truncated dump', async () => {
  await using source = await openFilled(sample!, 2)
  const dump = await source.dump()
  const wanted = await tablesOf(source.storage)
  await using target = await make(3)
  const lines = dump.trimEnd().split('\n')
  const cut = `${lines.slice(0, -10).join('\n')}\n`
  await expect(target.read(cut)).rejects.toThrow('The dump is truncated')
  for (let times = 0; times < 2; times++) {
    await target.read(dump)
    expect(await tablesOf(target.storage)).toEqual(wanted)
    expect(await auditOf(target.storage)).toEqual([])
  }
}, 120_000)

it('continues after an interruption at any append, and appends each message once', async () => {
  const many = Array.from({ length: 60 }, (_, n) =>
    sample!.map(({ sent: _, ...each }) => ({
      ...each,
      events: each.events.map((event) => ({ ...event, event_id: `${n} ${event.event_id}` })),
    })),
  )
  await using source = await openFilled(many.flat(), 2)
  const dump = await source.dump()
  const wanted = { messages: await messagesOf(source.storage), tables: await tablesOf(source.storage) }
  expect(wanted.messages.length).toBeGreaterThan(1_500)
  for (const interruption of ['before', 'half', 'after', 'note'] as const) {
    await using target = await make(3)
    for (let index = 0; index < 3; index++)
      await expect(readDump(interruptAfter(target.storage, index === 0 ? 1 : 0, interruption), dump)).rejects.toThrow(
        'interrupted',
      )
    for (let times = 0; times < 2; times++) {
      await target.read(dump)
      expect(await messagesOf(target.storage)).toEqual(wanted.messages)
    }
    expect(await tablesOf(target.storage)).toEqual(wanted.tables)
  }
}, 240_000)

it('imports a dump again when its messages are gone from the log', async () => {
  await using source = await openFilled(sample!, 2)
  const dump = await source.dump()
  await using target = await make(2)
  await target.read(dump)
  await using other = await make(2)
  const { imports } = target.storage.registry
  for (const each of await imports.list('')) await other.storage.registry.imports.put('', each.dump, each)
  await other.read(dump)
  expect(await messagesOf(other.storage)).toEqual(await messagesOf(source.storage))
})

it('reads dumps of this version and of the one before, and says what to do about others', () => {
  const head = (version: number): DumpHead => ({ hopper: 'dump', version, id: 'd', lanes: 1, made_at: '' })
  for (const version of [2, 3]) expect(checkHead(head(version))).toEqual(head(version))
  expect(() => checkHead(head(1))).toThrow('Export again')
  expect(() => checkHead(head(4))).toThrow('this Hopper reads version 3')
})

it('detects every kind of damage to a dump before its end', async () => {
  await using source = await openFilled(sample!, 2)
  const lines = (await source.dump()).trimEnd().split('\n')
  const first = lines.findIndex((line) => line.startsWith('{"lane"'))
  const damages: [string, string[]][] = [
    ['a line is missing', lines.toSpliced(first, 1)],
    ['a line occurs twice', lines.toSpliced(first, 0, lines[first]!)],
    ['two lines are exchanged', lines.toSpliced(first, 2, lines[first + 1]!, lines[first]!)],
    ['a text differs', lines.with(first, lines[first]!.replace('d0', 'd9').replace('d1', 'd8'))],
    ['the end is missing', lines.slice(0, -1)],
    ['a record is missing', lines.toSpliced(2, 1)],
  ]
  for (const [damage, rest] of damages) {
    const outcome = await verifyDump(linesOf(rest)).then(
      () => 'passed',
      (error: Error) => error.message,
    )
    expect([damage, outcome]).toEqual([
      damage,
      expect.stringMatching(/^The dump (does not match|was modified|is truncated)/) as string,
    ])
  }
  const counts = await verifyDump(linesOf(lines))
  expect(counts.messages).toBe(sample!.length + unreadable.length)
  expect(counts.undecodable).toBe(unreadable.length - 1)
  const sent = (app: string, type: string): number =>
    sample!
      .filter((each) => each.app === app)
      .flatMap(({ events }) => events)
      .filter((event) => event.type === type).length
  for (const [app, { events }] of Object.entries(counts.apps))
    for (const [type, n] of Object.entries(events)) expect([app, type, n]).toEqual([app, type, sent(app, type)])
  expect(counts.apps.berlin!.rejected).toEqual(
    countBy(
      sample!
        .filter(({ app }) => app === 'berlin')
        .flatMap(({ rejected = [] }) => rejected.map(({ reason }) => reason)),
    ),
  )
})

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

function countBy(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, same]) => [name, same.length]))
}

it('refuses to dump a log that has lost messages, unless `partial` is set', async () => {
  await using source = await openFilled(sample!, 1)
  const { storage } = source
  const lossy = (lost: (position: number) => boolean): Storage => ({
    ...storage,
    log: withOverrides(storage.log, {
      read: async (...args) => (await storage.log.read(...args)).filter(({ position }) => !lost(position)),
    }),
  })
  const dump = (source: Storage, partial: boolean, leftOut: string[] = []): Promise<string[]> =>
    collect(
      dumpInstallation(
        source,
        { partial },
        { onLeftOut: (message) => void leftOut.push(message), onDone: () => undefined },
      ),
    )
  for (const lost of [(position: number) => position < 3, (position: number) => position === 5]) {
    await expect(dump(lossy(lost), false)).rejects.toThrow('lacks the messages from position')
    const leftOut: string[] = []
    await dump(lossy(lost), true, leftOut)
    expect(leftOut).toEqual([expect.stringContaining('Lane 0 of the log lacks the messages')])
  }
  await expect(
    dump(
      lossy((position) => position > 7),
      true,
    ),
  ).rejects.toThrow('returns nothing from position 8')
})

it('refuses a file that is not a dump, and names the line', async () => {
  await using target = await make(1)
  const head = '{"hopper":"dump","version":2,"id":"x","lanes":1,"made_at":""}\n'
  const message = (fields: object): string => `${head}${JSON.stringify({ lane: 0, position: 0, ...fields })}`
  const empty = { end: true, records: {}, messages: 0, lanes: [0], undecodable: 0, apps: {} }
  const app = { id: 'a', organization: 'acme', name: 'A', timezone: 'UTC', origins: [], keep_parameters: [] }
  const record = (fields: object, id = 'a', owner = 'acme'): string =>
    `${head}${JSON.stringify({ kind: 'apps', owner, id, record: { ...app, ...fields } })}\n`
  const bad: [string, string][] = [
    ['', 'This is not a dump'],
    ['hello', 'Line 1 does not belong'],
    ['{"end":true,"records":0,"envelopes":0}', 'This is not a dump'],
    [head.replace('"version":2', '"version":9'), 'of version 9'],
    [head.replace('"version":2', '"version":1'), 'left out what browsers had sent'],
    [head.replace('"lanes":1', '"lanes":0'), 'Line 1 does not belong'],
    [`${head}{"kind":"logins","owner":"","id":"x","record":{}}`, 'Line 2'],
    [`${head}{"kind":"__proto__","owner":"","id":"x","record":{}}`, 'Line 2'],
    [record({ timezone: 'Mars/Olympus' }), 'Line 2'],
    [record({ organization: 'other' }), 'Line 2'],
    [record({}, 'b'), 'Line 2'],
    [record({ timezone: 7 }), 'Line 2: the record "a" of apps is not valid here: /timezone'],
    [`${head}{"lane":0,"envelope":{"version":1}}`, 'Line 2'],
    [message({}), 'Line 2'],
    [message({ text: 1 }), 'Line 2'],
    [message({ base64: '_w==' }), 'Line 2'],
    [message({ text: '', base64: '' }), 'Line 2'],
    [message({ text: '', position: -1 }), 'Line 2'],
    [message({ text: '', lane: 1 }), 'names lane 1'],
    [head, 'The dump is truncated'],
    [`${head}{"lane":0,"posi`, 'Line 2 is not JSON: the dump was cut off there'],
    [`${head}${JSON.stringify({ ...empty, messages: 1 })}`, 'messages: the manifest says 1, found 0'],
    [
      `${head}${JSON.stringify({ ...empty, apps: { a: { events: { click: 3 } } } })}`,
      'apps.a.events.click: the manifest says 3, found nothing',
    ],
    [`${head}${JSON.stringify({ ...empty, sha256: 'x' })}`, 'The dump was modified'],
    [`${head}${JSON.stringify(empty)}\n${head}`, 'continues after its end'],
  ]
  for (const [dump, problem] of bad) await expect(target.read(dump)).rejects.toThrow(problem)
  await target.storage.registry.apps.put('other', 'a', { ...app, organization: 'other' })
  await expect(target.read(record({}))).rejects.toThrow('belongs to another organization')
})

it('writes and reads plain and compressed files, and leaves no incomplete file behind', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-dump-'))
  const wanted = Array.from({ length: 3_000 }, (_, n) => `{"n":${n}}`)
  async function* lines(): AsyncGenerator<string> {
    for (const line of wanted) yield `${line}\n`
  }
  for (const name of ['dump.ndjson', 'dump.ndjson.zst']) {
    await writeOut(lines(), join(dir, name))
    expect(await collect(readLines(join(dir, name)))).toEqual(wanted)
  }
  expect((await readFile(join(dir, 'dump.ndjson.zst'))).length).toBeLessThan(
    (await readFile(join(dir, 'dump.ndjson'))).length / 3,
  )
  async function* failing(): AsyncGenerator<string> {
    yield 'x'
    throw new Error('no more')
  }
  await expect(writeOut(failing(), join(dir, 'bad'))).rejects.toThrow('no more')
  await expect(readFile(join(dir, 'bad'))).rejects.toThrow('ENOENT')
  await expect(writeOut(lines(), join(dir, 'missing', 'x'))).rejects.toThrow('cannot be written')
  await expect(collect(readLines(join(dir, 'none')))).rejects.toThrow('cannot be read')
  await rm(dir, { recursive: true })
})
