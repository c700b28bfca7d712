import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import type { Session, SessionChange } from '../../ports/tables.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { sessionKey } from './session-key.ts'
import { readSession, SessionRows } from './sessions.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const keyspace = ownKeyspace(engines)
const lane = 1
const beginMs = Date.UTC(2026, 2, 31, 23, 50)

/** An event of a session; its position in the log is its index. */
interface Moment {
  readonly time: number
  readonly user: string
}

function changeOf(app: string, moments: readonly Moment[], start: number, end: number): SessionChange[] {
  const selected = moments.slice(start, end)
  if (selected.length === 0) return []
  const session = expected(selected)
  return [{ app, session_id: 's', ...session, first_position: start, last_position: start + selected.length - 1 }]
}

function expected(moments: readonly Moment[]): Session {
  const times = moments.map(({ time }) => time)
  const end = Math.max(...times)
  return { start: Math.min(...times), end, device: 'd', user: moments.findLast(({ time }) => time === end)!.user }
}

describe.skipIf(!engines)('sessions on Cassandra', () => {
  const client = connectedTo(keyspace)

  async function write(rows: SessionRows, epoch: number, sessions: readonly SessionChange[]): Promise<void> {
    for (const batch of rows.writes({ lane, owner: 'o', epoch, expiresAt: Infinity }, { sessions }))
      await client().batch(batch, { prepare: true, logged: false })
  }

  it('are complete when owners take the lane from each other and resume where the other had committed', async () => {
    const moment = fc.record({ time: fc.nat(1_200_000).map((ms) => beginMs + ms), user: fc.constantFrom('', 'a', 'b') })
    const turn = fc.record({
      owner: fc.nat(1),
      back: fc.nat(6),
      batches: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(moment, { minLength: 1, maxLength: 25 }),
        fc.array(turn, { minLength: 1, maxLength: 6 }),
        async (moments, turns) => {
          const app = randomUUID()
          const owners = [new SessionRows(), new SessionRows()]
          let reached = 0
          for (const [epoch, { owner, back, batches }] of [
            ...turns,
            { owner: 0, back: 3, batches: [moments.length + 3] },
          ].entries()) {
            let next = Math.max(0, reached - back)
            for (const length of batches) {
              await write(owners[owner]!, epoch, changeOf(app, moments, next, next + length))
              next = Math.min(moments.length, next + length)
            }
            reached = Math.max(reached, next)
          }
          expect(await readSession(client(), app, 's')).toEqual(expected(moments))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('take one row for all batches of an owner', async () => {
    const app = randomUUID()
    const rows = new SessionRows()
    const moments = Array.from({ length: 12 }, (_, index) => ({ time: beginMs + index * 60_000, user: '' }))
    for (let start = 0; start < moments.length; start += 3)
      await write(rows, 1, changeOf(app, moments, start, start + 3))
    const months = (
      await client().execute('SELECT month FROM span_months WHERE app = ?', [app], { prepare: true })
    ).rows.map((row) => row.get('month') as string)
    expect(months).toEqual(['2026-03'])
    const stored = await Promise.all(
      Array.from({ length: 16 }, (_, bucket) =>
        client().execute(
          'SELECT key, session FROM sessions_by_month WHERE app = ? AND month = ? AND lane = ? AND bucket = ?',
          [app, months[0], lane, bucket],
          { prepare: true },
        ),
      ),
    )
    const found = stored.flatMap(({ rows: all }) =>
      all.map((row) => [row.get('key') as Buffer, JSON.parse(row.get('session') as string) as unknown]),
    )
    expect(found).toEqual([[sessionKey('s', 0n), [beginMs, beginMs + 660_000, 11, 'd', '']]])
  })
})
