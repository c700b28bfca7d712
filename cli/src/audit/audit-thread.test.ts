import { expect, it } from 'vitest'
import type { AuditProgress } from '@hopper/contracts'
import * as fc from 'fast-check'
import { makeInstallation, RANGE, traffic } from '../testing/installation.fixture.ts'
import { auditsInThread } from './audit-thread.ts'

const scope = { organization: 'acme', app: undefined, ...RANGE }
const [sample] = fc.sample(traffic, { numRuns: 20, seed: 11 }).filter((envelopes) => envelopes.length > 20)

it('an audit in a thread compares a data directory that is in use, and counts what differs', async () => {
  await using installation = await makeInstallation()
  await installation.storage.log.append(sample!)
  await installation.count()
  const start = auditsInThread({ dir: installation.dir, lanes: 2 })
  const progress: AuditProgress[] = []
  const found = await start(scope, (each) => progress.push(each)).outcome
  expect(found).toMatchObject({ differing: 0, differing_partitions: 0, skipped: 0 })
  expect(found.partitions).toBeGreaterThan(5)
  expect(progress.map(({ lane, lanes }) => [lane, lanes])).toEqual([
    [0, 2],
    [1, 2],
  ])
  installation.tables.exec('UPDATE activity_by_date SET events = events + 1')
  const rows = installation.tables.prepare('SELECT count(*) AS n FROM activity_by_date').get()!['n']
  const partitions = 'SELECT count(*) AS n FROM (SELECT DISTINCT app, date, lane FROM activity_by_date)'
  const differing_partitions = installation.tables.prepare(partitions).get()!['n']
  expect(await start(scope, () => undefined).outcome).toMatchObject({ differing: rows, differing_partitions })
}, 120_000)

it('an audit that cannot run rejects with its code, and one that is stopped rejects', async () => {
  await using installation = await makeInstallation()
  const start = auditsInThread({ dir: installation.dir, lanes: 3 })
  await expect(start(scope, () => undefined).outcome).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  const job = auditsInThread({ dir: installation.dir, lanes: 2 })(scope, () => undefined)
  const outcome = expect(job.outcome).rejects.toThrow('has ended')
  await job.stop()
  await outcome
}, 60_000)
