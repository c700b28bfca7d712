import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aggregator } from '@hopper/aggregator'
import { provision } from '@hopper/api'
import type { Event, Stage } from '@hopper/contracts'
import { withOverrides, type Storage } from '@hopper/storage'
import { migrate } from '@hopper/storage/cassandra'
import { openEmbedded } from '@hopper/storage/embedded'
import '@hopper/storage/contract/engines'
import { describe, expect, inject, it, vi } from 'vitest'
import { openInstallation } from '../installation/open-installation.ts'
import { readConfig } from '../config/config.ts'
import { createLogger } from '../logging/logger.ts'
import { rebuildInstallation } from '../rebuild/rebuild-main.ts'
import { settingsOf } from '../config/settings.ts'
import { cassandraSettings } from '../installation/open-storage.ts'
import { dumpOf, readDump } from '../testing/answers.fixture.ts'
import { withApi } from '../testing/api.fixture.ts'
import { clusterSettings } from '../testing/cluster.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const engines = inject('engines')
const lanes = 2
const key = 'ha_acme-administration'
const at = Date.parse('2026-03-29T10:00:00Z')
const file = { organizations: [{ id: 'acme', name: 'Acme', admin_key: key, apps: [{ id: 'shop', name: 'Shop' }] }] }
type Call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
) => Promise<{ status: number; body: Answer }>
interface Answer {
  readonly stages: readonly Stage[]
  readonly past: { readonly state: string; readonly share: number }
  readonly rows: readonly { readonly stage: number; readonly users: number }[]
  readonly error: { readonly details: { readonly fields: readonly { readonly field: string }[] } }
}

/** Calls the API over a storage, as an administrator. */
function asAdministrator<T>(storage: Storage, work: (call: Call) => Promise<T>): Promise<T> {
  return withApi(storage, (api) =>
    work(async (method, path, body) => {
      const headers = { authorization: `Bearer ${key}` }
      const answer = await api.inject({
        method,
        url: `/api/v1/apps/shop/${path}`,
        headers,
        ...(body && { payload: body }),
      })
      return { status: answer.statusCode, body: answer.body === '' ? ({} as Answer) : answer.json<Answer>() }
    }),
  )
}

const stage = (url: string, id?: number): object => ({ name: url, url, ...(id !== undefined && { id }) })
const idsOf = ({ body }: { body: Answer }): number[] => body.stages.map(({ id }) => id)

/** Tries every way to send the id of a removed stage: in a change, and in a funnel that is created again. */
async function refuses(call: Call, gone: readonly number[]): Promise<void> {
  const { body: now } = await call('GET', 'funnels/f')
  for (const id of gone) {
    const stages = [...now.stages.map(({ number: _, ...rest }) => rest), stage('/again', id)]
    const changed = await call('PATCH', 'funnels/f', { stages })
    expect([id, changed.status]).toEqual([id, 400])
    expect(changed.body.error.details.fields.map(({ field }) => field)).toEqual([`stages[${now.stages.length}].id`])
  }
  expect(await call('GET', 'funnels/f')).toEqual({ status: 200, body: now })
}

/** Creates a funnel that loses stages 2 and 3 and, when it is created again, all before 5. */
async function makeAndLose(call: Call): Promise<void> {
  expect(
    idsOf(await call('POST', 'funnels', { id: 'f', name: 'F', stages: [stage('/a', 1), stage('/b', 2), stage('/c')] })),
  ).toEqual([1, 2, 3])
  expect(idsOf(await call('PATCH', 'funnels/f', { stages: [stage('/a', 1), stage('/c', 3)] }))).toEqual([1, 3])
  await refuses(call, [2])
  expect(idsOf(await call('PATCH', 'funnels/f', { stages: [stage('/a', 1), stage('/d')] }))).toEqual([1, 4])
  await refuses(call, [2, 3])
  expect((await call('DELETE', 'funnels/f')).status).toBeLessThan(300)
  for (const id of [1, 2, 3, 4]) {
    const again = await call('POST', 'funnels', { id: 'f', name: 'F', stages: [stage('/a', id)] })
    expect([id, again.status]).toEqual([id, 400])
    expect(again.body.error.details.fields.map(({ field }) => field)).toEqual(['stages[0].id'])
  }
  expect(idsOf(await call('POST', 'funnels', { id: 'f', name: 'F', stages: [stage('/a'), stage('/b')] }))).toEqual([
    5, 6,
  ])
  expect(idsOf(await call('PATCH', 'funnels/f', { stages: [stage('/a', 5)] }))).toEqual([5])
  await refuses(call, [1, 2, 3, 4, 6])
}

function visits(urls: readonly string[]): Parameters<Storage['log']['append']>[0] {
  return urls.map((to, n) => {
    const event = {
      type: 'url_change',
      event_id: `v${n}`,
      timestamp: at + n,
      seq: 0,
      session_id: 's',
      from: '',
      to: `https://s.example${to}`,
      elapsed_time: 0,
    }
    const context = { device: 'server', browser: '', os: '' } as const
    return { version: 1, app: 'shop', device_id: `d${n}`, received_at: at, context, events: [event as Event] }
  })
}

/** Waits for a state of the past; returns all states seen, each once. */
async function statesUntil(call: Call, wanted: string): Promise<string[]> {
  const seen: string[] = []
  const end = performance.now() + 60_000
  while (seen.at(-1) !== wanted) {
    const { state, share } = (await call('GET', 'funnels/f')).body.past
    if (state !== seen.at(-1)) seen.push(state)
    expect(share).toBe(state === 'done' ? 1 : state === 'waiting' ? 0 : share)
    if (performance.now() > end) throw new Error(`the past is ${seen.join()}, not ${wanted}`)
    await new Promise((next) => setTimeout(next, 10))
  }
  return seen
}

async function usersOf(call: Call): Promise<Record<string, number>> {
  const { rows } = (await call('GET', 'stages/users?from=2026-03-29&to=2026-03-29')).body
  return Object.fromEntries(rows.map(({ stage: id, users }) => [id, users]))
}

/** The past goes from waiting to running to done, and again after any change to the meaning of a stage. */
async function expectPastStates(storage: Storage): Promise<void> {
  await storage.log.append(visits(['/a', '/a', '/b', '/c']))
  let opened = Promise.withResolvers<void>()
  // The archive cannot be read until the test lets it continue, so that each state can be observed.
  const archive = withOverrides(storage.archive!, {
    list: async (range) => (await opened.promise, storage.archive!.list(range)),
  })
  const aggregator = new Aggregator({ ...storage, archive, owner: 'past', archiveBacklogMs: 0, backfillCheckMs: 10 })
  await asAdministrator(storage, async (call) => {
    await call('POST', 'funnels', { id: 'f', name: 'F', stages: [stage('/a', 1), stage('/b', 2)] })
    expect((await call('GET', 'funnels/f')).body.past).toEqual({ state: 'waiting', share: 0 })
    await aggregator.start()
    expect(await statesUntil(call, 'running')).toEqual(['waiting', 'running'])
    opened.resolve()
    expect(await statesUntil(call, 'done')).toEqual(['running', 'done'])
    expect(await usersOf(call)).toEqual({ 1: 2, 2: 1 })
    for (const [stages, users] of [
      [[stage('/a', 1), stage('/c', 2)], { 1: 2, 2: 1 }],
      [[stage('/a', 1), stage('/c', 2), stage('/*')], { 1: 0, 2: 0, 4: 4 }],
      [[stage('/*', 4), stage('/a', 1)], { 1: 2, 4: 2 }],
    ] as const) {
      opened = Promise.withResolvers()
      expect((await call('PATCH', 'funnels/f', { stages })).status).toBe(200)
      expect(['waiting', 'running']).toContain((await call('GET', 'funnels/f')).body.past.state)
      expect((await statesUntil(call, 'running')).at(-1)).toBe('running')
      opened.resolve()
      expect(await statesUntil(call, 'done')).toEqual(['running', 'done'])
      expect(await usersOf(call)).toEqual(users)
    }
    // A name does not affect what is counted.
    await call('PATCH', 'funnels/f', { name: 'Other' })
    expect((await call('GET', 'funnels/f')).body.past.state).toBe('done')
    await call('DELETE', 'funnels/f')
  })
  await aggregator.close()
}

async function standalone(stack: AsyncDisposableStack): Promise<{ storage: Storage; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-ids-'))
  const opened = await openEmbedded({ dir, lanes })
  let closing: Promise<void> | undefined
  const storage = { ...opened, close: () => (closing ??= opened.close()) }
  stack.defer(async () => {
    await storage.close()
    await rm(dir, { recursive: true })
  })
  return { storage, dir }
}

describe('ids of stages, standalone', () => {
  it('are never reused: not after the funnel is created again, a dump and import, or a rebuild', async () => {
    await using stack = new AsyncDisposableStack()
    const { storage, dir } = await standalone(stack)
    await provision(storage.registry, file, 0)
    await asAdministrator(storage, makeAndLose)
    const other = await standalone(stack)
    await readDump(other.storage, await dumpOf(storage))
    await asAdministrator(other.storage, (call) => refuses(call, [1, 2, 3, 4, 6]))
    await storage.close()
    const config = readConfig(settingsOf.installation, { data: dir, lanes: String(lanes) }, {})
    await rebuildInstallation(config, undefined, {
      logger: createLogger('silent', 'rebuild'),
      progress: () => undefined,
    })
    const rebuilt = await openEmbedded({ dir, lanes })
    await asAdministrator(rebuilt, (call) => refuses(call, [1, 2, 3, 4, 6]))
    await rebuilt.close()
  })

  it('have a past that is waiting, running and done, again after each change of a stage condition', async () => {
    await using stack = new AsyncDisposableStack()
    const { storage } = await standalone(stack)
    await provision(storage.registry, file, 0)
    await expectPastStates(storage)
  })
})

describe.skipIf(!engines)('ids of stages, cluster', () => {
  it('are never reused, and have a past that is waiting, running and done', async () => {
    const name = `hopper_ids_${randomBytes(6).toString('hex')}`
    const config = readConfig(settingsOf.installation, clusterSettings(engines!, name, lanes), {})
    await migrate(cassandraSettings(config))
    await using stack = new AsyncDisposableStack()
    const storage = await openInstallation(config)
    stack.defer(() => storage.close())
    await provision(storage.registry, file, 0)
    await expectPastStates(storage)
    await asAdministrator(storage, (call) => refusesAfterPast(call))
    const other = await standalone(stack)
    await readDump(other.storage, await dumpOf(storage))
    await asAdministrator(other.storage, (call) => refuses(call, [1, 2, 3, 4]))
  })
})

/** The funnel of `expectPastStates` was removed: none of its ids may be used again. */
async function refusesAfterPast(call: Call): Promise<void> {
  const made = await call('POST', 'funnels', { id: 'f', name: 'F', stages: [stage('/a')] })
  expect(idsOf(made)[0]).toBeGreaterThan(4)
  await refuses(call, [1, 2, 3, 4])
}
