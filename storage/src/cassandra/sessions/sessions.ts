import type { Client } from 'cassandra-driver'
import type { LaneBatch, Lease, Session, SessionChange } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { splitByCount } from '../client/batches.ts'
import { writeNameHash } from '../client/name-hash.ts'
import { sessionKey, sessionKeys } from './session-key.ts'
import { SpanMonths } from '../archive/span-months.ts'
import { rowsOf, statement, type Statement } from '../client/statements.ts'

/** Number of buckets of the sessions of a lane and month, by hash. Stored, so it must never change. */
const BUCKETS = 16
const ROWS_PER_BATCH = 300
/** An evicted session continues in a new row. */
const OPEN_PER_LANE_MAX = 5_000
const READ_CONCURRENCY = 64

/** The cached state of a session: everything from `first_position` to `last_position`. */
interface OpenSession extends SessionChange {
  readonly month: string
}

/** The stored content of a row. */
type Row = readonly [start: number, end: number, last_position: number, device: string, user: string]

/**
 * Writes sessions: one row for each session of a batch, with everything that the lane's owner has counted of it so far.
 * The key of the row contains the first position and the write timestamp is the last position, so of two writes of a
 * row the more complete one wins. Another owner, or a replay from another position, begins a new row.
 */
export class SessionRows {
  readonly #lanes = new Map<number, { readonly epoch: number; readonly open: Map<string, OpenSession> }>()

  /** Statements that write the sessions of a batch, in batches that touch one partition each. */
  writes({ lane, epoch }: Lease, { sessions }: Pick<LaneBatch, 'sessions'>): Statement[][] {
    const open = this.#openIn(lane, epoch)
    const partitions = new Map<string, Statement[]>()
    for (const change of sessions) {
      const session = continueSession(open, change)
      const { app, month, session_id } = session
      const bucket = bucketOf(session_id)
      listAt(partitions, `${app}\0${month}`, () => [{ query: statement('spans.addMonth'), params: [app, month, lane] }])
      listAt(partitions, `${app}\0${month}\0${bucket}`, () => []).push(insert(lane, bucket, session))
    }
    return [...partitions.values()].flatMap((statements) => splitByCount(statements, ROWS_PER_BATCH))
  }

  /**
   * Statements that replace everything that the lane has counted of these sessions before a position. Replacements have
   * a higher timestamp than the removal, and a lower one than rows of later batches.
   */
  async replacements(
    client: Client,
    { lane }: Lease,
    replaced: { readonly app: string; readonly ids: readonly string[]; readonly before: number },
    sessions: readonly SessionChange[],
  ): Promise<Statement[][]> {
    const { app, ids, before } = replaced
    this.#lanes.delete(lane)
    const months = (await new SpanMonths(client).between(app, 0, Infinity)).filter((key) => key.lane === lane)
    const places = ids.flatMap((id) => months.map(({ month }) => ({ id, month, bucket: bucketOf(id) })))
    const removals = await mapConcurrent(places, READ_CONCURRENCY, async ({ id, month, bucket }) => {
      const rows = await rowsOf(client, 'sessions-by-month.keys', [app, month, lane, bucket, ...sessionKeys(id)])
      const remove = statement('sessions-by-month.remove')
      return rows.map((row) => ({
        query: remove,
        params: [BigInt(before), app, month, lane, bucket, row.get('key') as Buffer],
      }))
    })
    const inserts = sessions.flatMap((change): Statement[] => {
      const session = { ...change, month: monthOf(change) }
      const { query, params } = insert(lane, bucketOf(change.session_id), session)
      return [
        { query: statement('spans.addMonth'), params: [app, session.month, lane] },
        { query, params: [...params.slice(0, -1), BigInt(before + 1)] },
      ]
    })
    return [...splitByCount(removals.flat(), ROWS_PER_BATCH), ...inserts.map((each) => [each])]
  }

  /**
   * Statements that remove the rows of these sessions that ended before an instant, with the sessions that have a row
   * which began before it and ended later.
   */
  async expired(
    client: Client,
    { lane }: Lease,
    app: string,
    ids: readonly string[],
    before: number,
  ): Promise<{ readonly removals: Statement[][]; readonly reaching: readonly string[] }> {
    this.#lanes.delete(lane)
    const months = (await new SpanMonths(client).between(app, 0, before)).filter((key) => key.lane === lane)
    const places = ids.flatMap((id) => months.map(({ month }) => ({ id, month, bucket: bucketOf(id) })))
    const reaching = new Set<string>()
    const found = await mapConcurrent(places, READ_CONCURRENCY, async ({ id, month, bucket }) => {
      const rows = await rowsOf(client, 'sessions-by-month.entries', [app, month, lane, bucket, ...sessionKeys(id)])
      return rows.flatMap((row): Statement[] => {
        const [start, end, last_position] = JSON.parse(row.get('session') as string) as Row
        if (start < before && end >= before) reaching.add(id)
        if (end >= before) return []
        const params = [BigInt(last_position), app, month, lane, bucket, row.get('key') as Buffer]
        return [{ query: statement('sessions-by-month.remove'), params }]
      })
    })
    return { removals: splitByCount(found.flat(), ROWS_PER_BATCH), reaching: [...reaching] }
  }

  /**
   * Sessions of this epoch only. Another owner may have written rows in between, so the state of an earlier epoch may
   * be incomplete.
   */
  #openIn(lane: number, epoch: number): Map<string, OpenSession> {
    let entry = this.#lanes.get(lane)
    if (entry?.epoch !== epoch) this.#lanes.set(lane, (entry = { epoch, open: new Map() }))
    return entry.open
  }
}

/**
 * Reads the rows of a session in every lane and month that the app has. Few of them exist, and the store knows without
 * disk reads that the others are absent.
 */
export async function readSession(client: Client, app: string, sessionId: string): Promise<Session | undefined> {
  const months = await new SpanMonths(client).between(app, 0, Infinity)
  const bucket = bucketOf(sessionId)
  const rows = await mapConcurrent(months, READ_CONCURRENCY, ({ month, lane }) =>
    rowsOf(client, 'sessions-by-month.read', [app, month, lane, bucket, ...sessionKeys(sessionId)]),
  )
  let found: (Session & { readonly last_position: number }) | undefined
  for (const row of rows.flat()) {
    const [start, end, last_position, device, user] = JSON.parse(row.get('session') as string) as Row
    const ends = !found || end > found.end || (end === found.end && last_position > found.last_position)
    const last = ends ? { device, user, end, last_position } : found!
    found = { ...last, start: Math.min(start, found?.start ?? start) }
  }
  return found && { start: found.start, end: found.end, device: found.device, user: found.user }
}

/** Merges a change into the open session. A redelivered change begins a new one. */
function continueSession(open: Map<string, OpenSession>, change: SessionChange): OpenSession {
  const key = `${change.app}\0${change.session_id}`
  const before = open.get(key)
  const session =
    before && before.last_position < change.first_position
      ? mergeSessions(before, change)
      : { ...change, month: monthOf(change) }
  open.delete(key)
  open.set(key, session)
  if (open.size > OPEN_PER_LANE_MAX) open.delete(open.keys().next().value!)
  return session
}

function mergeSessions(before: OpenSession, change: SessionChange): OpenSession {
  const { device, user, end } = change.end >= before.end ? change : before
  return {
    ...before,
    device,
    user,
    end,
    start: Math.min(before.start, change.start),
    last_position: change.last_position,
  }
}

function insert(
  lane: number,
  bucket: number,
  { app, month, session_id, first_position, last_position, start, end, device, user }: OpenSession,
): Statement {
  const row: Row = [start, end, last_position, device, user]
  return {
    query: statement('sessions-by-month.insert'),
    params: [
      app,
      month,
      lane,
      bucket,
      sessionKey(session_id, BigInt(first_position)),
      JSON.stringify(row),
      BigInt(last_position),
    ],
  }
}

function monthOf({ start }: SessionChange): string {
  return new Date(start).toISOString().slice(0, 7)
}

function listAt(lists: Map<string, Statement[]>, key: string, begin: () => Statement[]): Statement[] {
  let list = lists.get(key)
  if (!list) lists.set(key, (list = begin()))
  return list
}

const halves = new Uint32Array(2)

function bucketOf(sessionId: string): number {
  writeNameHash(sessionId, halves, 0)
  return halves[1]! % BUCKETS
}
