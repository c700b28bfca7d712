import { randomUUID } from 'node:crypto'
import { auditView, diskParts, noTally, refusedDayId } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RecordedAudit } from '../audits/recorded-audit.ts'
import type { Storage } from '../ports/storage.ts'

/** The contract of every registry adapter. */
export function registryContract(name: string, make: () => Promise<Storage>): void {
  describe(`registry on ${name}`, () => {
    let storage: Storage
    beforeAll(async () => void (storage = await make()))
    afterAll(() => storage.close())

    it('puts, replaces, lists by id and removes the records of one owner', async () => {
      const [owner, other] = [randomUUID(), randomUUID()]
      const { elements } = storage.registry
      await elements.put(owner, '//b', { name: 'b', xpath: '//b' })
      await elements.put(owner, '__proto__', { name: 'a', xpath: '__proto__' })
      await elements.put(other, '//b', { name: 'other', xpath: '//b' })
      await elements.put(owner, '//b', { name: 'B', xpath: '//b' })
      expect((await elements.list(owner)).map((each) => each.name)).toEqual(['B', 'a'])
      expect(await elements.get(owner, '__proto__')).toEqual({ name: 'a', xpath: '__proto__' })
      expect(await elements.list()).toContainEqual({ name: 'other', xpath: '//b' })
      expect(await elements.remove(owner, '//b')).toBe(true)
      expect(await elements.remove(owner, '//b')).toBe(false)
      expect(await elements.get(owner, '//b')).toBeUndefined()
    })

    it('finds an app by its id and a key by its hash', async () => {
      const [id, organization, hash] = [randomUUID(), randomUUID(), randomUUID()]
      const app = { id, organization, name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
      const key = { hash, power: 'write' as const, organization, app: id, created_at: 1, hint: 'abcd' }
      await storage.registry.apps.put(organization, id, app)
      await storage.registry.keys.put(organization, hash, key)
      expect(await storage.registry.app(id)).toEqual(app)
      expect(await storage.registry.keyByHash(hash)).toEqual(key)
      const { keyUses } = storage.registry
      for (const at of [1, 2]) await keyUses.put(organization, hash, { hash, at })
      expect(await keyUses.list(organization)).toEqual([{ hash, at: 2 }])
      expect(await keyUses.remove(organization, hash)).toBe(true)
      expect(await storage.registry.app(randomUUID())).toBeUndefined()
    })

    it('adds to an app the date from which it keeps events, and ignores such a date in the stored app', async () => {
      const [id, organization] = [randomUUID(), randomUUID()]
      const { apps, retentions } = storage.registry
      const app = { id, organization, name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
      await apps.put(organization, id, { ...app, retention_days: 30, kept_from: '2026-01-01' })
      expect(await apps.get(organization, id)).toEqual({ ...app, retention_days: 30 })
      await retentions.put('', id, { app: id, kept_from: '2026-03-01', decided_at: 1 })
      const kept = { ...app, retention_days: 30, kept_from: '2026-03-01' }
      expect(await apps.get(organization, id)).toEqual(kept)
      expect(await storage.registry.app(id)).toEqual(kept)
      expect(await apps.list(organization)).toEqual([kept])
    })

    it('keeps alerts with their app, and what became of them by their id', async () => {
      const [app, id] = [randomUUID(), randomUUID()]
      const { alerts, alertRecords } = storage.registry
      const alert = { id, app, name: 'Quiet', quiet: { minutes: 30 }, created_at: 1, changed_at: 1, secret_number: 1 }
      await alerts.put(app, id, alert)
      expect(await alerts.list(app)).toEqual([alert])
      expect(await alerts.list()).toContainEqual(alert)
      const notice = { id: 'n', kind: 'fired' as const, at: 2, title: 'Quiet', deliveries: [] }
      const record = { id, noticed: 'p', notices: [{ ...notice, text: 't', body: '{}' }] }
      await alertRecords.put(app, id, record)
      await alertRecords.put(app, id, { ...record, notices: [notice] })
      expect(await alertRecords.get(app, id)).toEqual({ id, noticed: 'p', notices: [notice] })
      expect([await alerts.remove(app, id), await alertRecords.remove(app, id)]).toEqual([true, true])
    })

    it('finds a shared link by its id alone, and keeps its last use apart', async () => {
      const [app, id] = [randomUUID(), randomUUID()]
      const { sharedLinks, sharedLinkUses } = storage.registry
      const view = { page: 'overview' as const, range: '30d' }
      const link = { id, app, name: 'L', view, hash: 'h', created_by: 'Ann', created_at: 1, ends_at: 2 }
      await sharedLinks.put(app, id, link)
      expect(await storage.registry.sharedLink(id)).toEqual(link)
      expect(await sharedLinks.list(app)).toEqual([link])
      await sharedLinkUses.put(app, id, { id, at: 3 })
      expect([await sharedLinks.remove(app, id), await sharedLinkUses.list(app)]).toEqual([true, [{ id, at: 3 }]])
      expect(await storage.registry.sharedLink(id)).toBeUndefined()
    })

    it('keeps the annotations of an app', async () => {
      const [app, id] = [randomUUID(), randomUUID()]
      const { annotations } = storage.registry
      const note = { id, app, from: '2026-03-01', text: 'New checkout', created_by: 'Ann', created_at: 1 }
      await annotations.put(app, id, note)
      await annotations.put(app, id, { ...note, to: '2026-03-02' })
      expect(await annotations.list(app)).toEqual([{ ...note, to: '2026-03-02' }])
      expect(await annotations.remove(app, id)).toBe(true)
    })

    it('keeps what processes report: audits, disks, refusals, problems, and tests of alerts', async () => {
      const { auditRuns, disks, refusals, processes, alertTests } = storage.registry
      const id = randomUUID()
      const audit = { ...noTally, id, state: 'running' as const, started_by: 'Ann', lane: 0, lanes: 2 }
      await auditRuns.put('', id, { ...audit, started_at: 1, seen_at: 1 })
      await auditRuns.put('', id, { ...audit, state: 'finished', started_at: 1, seen_at: 2 })
      expect(await auditRuns.get('', id)).toMatchObject({ state: 'finished', seen_at: 2 })
      const disk = { place: id, measured_at: 1, parts: [{ part: 'log' as const, bytes: 7 }], samples: [] }
      await disks.put('', id, disk)
      expect(await disks.list('')).toContainEqual(disk)
      const day = { process: id, date: '2026-03-30', rows: [] }
      await refusals.put('', refusedDayId(day), day)
      expect(await refusals.list('')).toContainEqual(day)
      const report = { id, name: 'api', version: '1', started_at: 1, seen_at: 2, problems: [] }
      await processes.put('', id, { ...report, seen_at: 1 })
      await processes.put('', id, report)
      expect(await processes.list('')).toContainEqual(report)
      expect(await processes.remove('', id)).toBe(true)
      await alertTests.put('app', id, { id, notices: [] })
      expect(await alertTests.get('app', id)).toEqual({ id, notices: [] })
    })

    it('reports the disk space that it uses, by part', async () => {
      const { parts } = await storage.diskUse!()
      expect(parts.every(({ part, bytes }) => diskParts.includes(part) && bytes >= 0)).toBe(true)
      expect(new Set(parts.map(({ part }) => part)).size).toBe(parts.length)
      expect(parts.map(({ part }) => part)).toContain('tables')
    })

    it('records audits one at a time, and finds those whose process has died', async () => {
      const { registry } = storage
      let now = Date.now()
      const order = { startedBy: 'Ann', lanes: 2 }
      const begin = (): Promise<RecordedAudit> => RecordedAudit.begin(registry, order, () => now)
      const first = await begin()
      await expect(begin()).rejects.toMatchObject({ code: 'HOP_AUDIT_RUNNING', details: { audit: first.run.id } })
      await first.finish({ ...noTally, partitions: 3 })
      const stored = await registry.auditRuns.get('', first.run.id)
      expect(stored).toMatchObject({ state: 'finished', partitions: 3, lane: 2, finished_at: now })
      const dead = { ...stored!, id: `${first.run.id}-dead`, state: 'running' as const }
      await registry.auditRuns.put('', dead.id, dead)
      expect(auditView(dead, now).state).toBe('running')
      now += 60_000
      expect(auditView(dead, now).state).toBe('interrupted')
      const second = await begin()
      expect((await registry.auditRuns.get('', dead.id))!.state).toBe('interrupted')
      await second.fail('internal')
    })

    it('gives a claim to one of many that ask at the same time, until it is released', async () => {
      const { claims } = storage.registry
      const [name, other] = [randomUUID(), randomUUID()]
      const holders = ['a', 'b', 'c', 'd']
      const got = await Promise.all(holders.map((holder) => claims.claim(name, holder, 60_000)))
      expect(got.filter(Boolean)).toHaveLength(1)
      const holder = holders[got.indexOf(true)]!
      const loser = holders[got.indexOf(false)]!
      expect(await claims.claim(name, holder, 60_000)).toBe(true)
      await claims.release(name, loser)
      expect(await claims.claim(name, loser, 60_000)).toBe(false)
      expect(await claims.claim(other, loser, 60_000)).toBe(true)
      await claims.release(name, holder)
      expect(await claims.claim(name, loser, 60_000)).toBe(true)
      await Promise.all([claims.release(name, loser), claims.release(other, loser)])
    })

    it('ends a claim that is not renewed', async () => {
      const { claims } = storage.registry
      const name = randomUUID()
      expect(await claims.claim(name, 'a', 1_000)).toBe(true)
      expect(await claims.claim(name, 'b', 1_000)).toBe(false)
      await expect.poll(() => claims.claim(name, 'b', 60_000), { timeout: 10_000, interval: 100 }).toBe(true)
      expect(await claims.claim(name, 'a', 1_000)).toBe(false)
      await claims.release(name, 'b')
    })
  })
}
