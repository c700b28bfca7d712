import { AUDITS_MAX, noTally, type AuditProgress, type AuditRun, type Audits, type AuditTally } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AuditScope } from './options.ts'
import { apiOver, keys, NOW, openInstallation, type Installation } from './testing/installation.fixture.ts'

const url = '/api/v1/audits'
const acme = { authorization: `Bearer ${keys.admin}` }
const read = { authorization: `Bearer ${keys.read}` }
const other = { authorization: `Bearer ${keys.otherAdmin}` }
const tally: AuditTally = { ...noTally, partitions: 12, differing: 3, differing_partitions: 1 }

/** An audit under way, which the test ends. */
interface Begun {
  readonly scope: AuditScope
  readonly onProgress: (progress: AuditProgress) => void
  readonly resolve: (tally: AuditTally) => void
  readonly reject: (error: Error) => void
}

let hopper: Installation
let begun: Begun[]

beforeEach(async () => {
  begun = []
  hopper = await openInstallation(openEmbedded, {
    startAudit: (scope, onProgress) => {
      const { promise, resolve, reject } = Promise.withResolvers<AuditTally>()
      begun.push({ scope, onProgress, resolve, reject })
      return { outcome: promise, stop: async () => reject(new Error('stopped')) }
    },
  })
})
afterEach(() => hopper.close())

const list = async (headers = read): Promise<Audits> => (await hopper.get(url, headers)).body
const run = (body: object = {}, headers: Record<string, string> = acme): ReturnType<Installation['send']> =>
  hopper.send('POST', url, body, headers)
const states = async (): Promise<string[]> => (await list()).audits.map(({ state }) => state)

test('an audit is begun by an admin, shows its progress, and its result stays in the history', async () => {
  expect(await list()).toEqual({ audits: [], can_run: true })
  expect((await run({}, read)).status).toBe(403)
  const answer = await run({ from: '2026-03-01', to: '2026-03-30' })
  expect([answer.status, answer.body]).toMatchObject([
    202,
    { state: 'running', started_at: NOW, started_by: 'an admin key', from: '2026-03-01', to: '2026-03-30', lanes: 2 },
  ])
  expect(begun[0]!.scope).toMatchObject({ organization: 'acme', from: '2026-03-01', to: '2026-03-30' })
  begun[0]!.onProgress({ ...noTally, partitions: 5, lane: 1, lanes: 2 })
  await expect.poll(async () => (await list()).audits[0]!.lane, { timeout: 15_000 }).toBe(1)
  hopper.clock = NOW + 60_000
  begun[0]!.resolve(tally)
  await expect.poll(states).toEqual(['finished'])
  const [audit] = (await list()).audits as [AuditRun]
  expect(audit).toMatchObject({ ...tally, lane: 2, lanes: 2, finished_at: NOW + 60_000 })
  expect(audit).not.toHaveProperty('organization')
  const result = { finished_at: NOW + 60_000, differing: 3, repaired: 0, partitions: 12, differing_partitions: 1 }
  const status = async (headers: Record<string, string>): Promise<{ last_audit?: object }> =>
    (await hopper.get('/api/v1/status', headers)).body
  expect((await status(read)).last_audit).toEqual({ ...result, from: '2026-03-01', to: '2026-03-30' })
  expect((await status(other)).last_audit).toBeUndefined()
})

test('one audit runs at a time; another one is refused with the id of the first', async () => {
  const first = ((await run()).body as AuditRun).id
  expect(await run()).toMatchObject({
    status: 409,
    body: { error: { code: 'HOP_AUDIT_RUNNING', details: { audit: first } } },
  })
  expect(await run({}, other)).toMatchObject({ status: 409, body: { error: { details: { audit: null } } } })
  begun[0]!.reject(Object.assign(new Error('no heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }))
  await expect.poll(states).toEqual(['failed'])
  expect((await list()).audits[0]).toMatchObject({ fault: 'out_of_memory' })
  expect((await run()).status).toBe(202)
})

test('an audit whose process has died is interrupted, and another one can begin', async () => {
  const dead = { ...noTally, state: 'running' as const, started_by: 'Ann', lane: 1, lanes: 2, organization: 'acme' }
  const stored = { ...dead, id: '000000000000001-a', started_at: NOW - 90_000, seen_at: NOW - 60_000 }
  await hopper.storage.registry.auditRuns.put('', stored.id, stored)
  expect(await states()).toEqual(['interrupted'])
  expect((await run()).status).toBe(202)
  expect(await states()).toEqual(['running', 'interrupted'])
  expect(await hopper.storage.registry.auditRuns.get('', stored.id)).toMatchObject({ state: 'interrupted' })
})

test('an audit that runs while the API closes is stopped and noted as interrupted', async () => {
  const jobs: ((error: Error) => void)[] = []
  const api = await apiOver(hopper.storage, {
    startAudit: () => {
      const { promise, reject } = Promise.withResolvers<AuditTally>()
      jobs.push(reject)
      return { outcome: promise, stop: async () => jobs[0]!(new Error('stopped')) }
    },
  })
  const answer = await api.inject({ method: 'POST', url, headers: acme, payload: {} })
  expect(answer.statusCode).toBe(202)
  await api.close()
  expect(await states()).toEqual(['interrupted'])
  expect((await run()).status).toBe(202)
})

test('an organization sees its audits and those of the installation, and a read key those of its app', async () => {
  for (const [app, headers] of [
    ['shop', acme],
    ['blog', acme],
    ['foreign', other],
  ] as const) {
    expect((await run({ app }, headers)).status).toBe(202)
    begun.at(-1)!.resolve(noTally)
    await expect.poll(async () => (await hopper.storage.registry.auditRuns.list('')).at(-1)!.state).toBe('finished')
    hopper.clock += 1_000
  }
  const whole = { ...noTally, state: 'finished' as const, started_by: 'hopper audit', lane: 2, lanes: 2 }
  const stored = { ...whole, id: '000000000000001-a', started_at: 1, seen_at: 1 }
  await hopper.storage.registry.auditRuns.put('', stored.id, stored)
  const appsOf = async (headers: Record<string, string>): Promise<unknown[]> =>
    (await list(headers as typeof read)).audits.map(({ app }) => app)
  expect(await appsOf(acme)).toEqual(['blog', 'shop', undefined])
  expect(await appsOf(read)).toEqual(['shop', undefined])
  expect(await appsOf(other)).toEqual(['foreign', undefined])
})

test('the history is bounded, and requests that make no sense are refused', async () => {
  const { auditRuns } = hopper.storage.registry
  for (let n = 0; n < AUDITS_MAX + 5; n++) {
    const id = `${String(n).padStart(15, '0')}-a`
    const ended = { ...noTally, state: 'finished' as const, started_by: 'Ann', lane: 2, lanes: 2 }
    await auditRuns.put('', id, { ...ended, id, started_at: n, seen_at: n })
  }
  for (const [body, status, code] of [
    [{ app: 'foreign' }, 404, 'HOP_APP_UNKNOWN'],
    [{ app: 'no such' }, 400, 'HOP_PARAM_INVALID'],
    [{ from: '2026-02-30' }, 400, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-02', to: '2026-03-01' }, 400, 'HOP_PARAM_INVALID'],
    [{ repair: true }, 400, 'HOP_PARAM_INVALID'],
  ] as const)
    expect(await run(body)).toMatchObject({ status, body: { error: { code } } })
  expect((await run()).status).toBe(202)
  expect(await auditRuns.list('')).toHaveLength(AUDITS_MAX)
  expect((await list()).audits[0]!.state).toBe('running')
})

test('a process that cannot run audits says so', async () => {
  const api = await apiOver(hopper.storage)
  const answer = await api.inject({ method: 'POST', url, headers: acme, payload: {} })
  expect([answer.statusCode, answer.json()]).toMatchObject([404, { error: { code: 'HOP_NOT_SUPPORTED' } }])
  expect((await api.inject({ url, headers: read })).json()).toEqual({ audits: [], can_run: false })
  await api.close()
})
