import { visitorTables } from '../ports/table-definitions.ts'
import type { LaneBatch } from '../ports/tables.ts'
import { inParts } from './in-parts.ts'
import { queryFile, statement } from './statements.ts'

/** Above every position and every time in ms, so that a write timestamp can fall as they rise. */
const TOP = 2n ** 52n
const ROWS_PER_BATCH = 300

type Statement = { query: string; params: unknown[] }

/** Everything of a batch but its ids that may be written again without harm, as batches that each touch one partition. */
export function idempotentWrites(batch: LaneBatch): Statement[][] {
  return [...visitorWrites(batch), ...identityWrites(batch), ...sessionWrites(batch), ...deadLetterWrites(batch)]
}

function visitorWrites({ lane, visitors }: LaneBatch): Statement[][] {
  return visitors.flatMap(({ table, app, date, rows }) => {
    const query = statement(`${queryFile(table)}.insert`)
    const keys = Object.keys(visitorTables[table].key).length
    return inParts(rows.map(({ key, visitor }) => ({ query, params: [app, date, lane, ...key.slice(0, keys), visitor.user, visitor.device] })), ROWS_PER_BATCH)
  })
}

function identityWrites({ lane, identities }: LaneBatch): Statement[][] {
  return identities.flatMap(({ app, device, user, place }) => [
    [{ query: statement('identity.insert'), params: [app, device, BigInt(place), user] }],
    [{ query: statement('identity.insertDevice'), params: [app, user, device] }],
    [{ query: statement('identity.insertFirst'), params: [app, lane, device, BigInt(place), user, TOP - BigInt(place)] }],
  ])
}

function sessionWrites({ lane, sessions }: LaneBatch): Statement[][] {
  return sessions.map((session) => {
    const [start, end] = [BigInt(session.start), BigInt(session.end)]
    const id = [session.app, session.session_id]
    return [
      { query: statement('sessions-by-id.widenStart'), params: [TOP - start, start, BigInt(session.first_position), ...id] },
      { query: statement('sessions-by-id.widenEnd'), params: [end, end, BigInt(session.last_position), session.device, session.user, lane, ...id] },
    ]
  })
}

function deadLetterWrites({ lane, deadLetters }: LaneBatch): Statement[][] {
  const query = statement('dead-letters.insert')
  return deadLetters.map((letter) => [{ query, params: [lane, BigInt(letter.position), letter.reason, letter.detail, Buffer.from(letter.value)] }])
}
