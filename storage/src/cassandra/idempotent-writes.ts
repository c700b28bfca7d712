import type { LaneBatch } from '../ports/tables.ts'
import { inParts } from './in-parts.ts'
import { statement, type Statement } from './statements.ts'

/** Above every position and every time in ms, so that a write timestamp can fall as they rise. */
const TOP = 2n ** 52n
/** More partitions in a batch Cassandra would warn of. */
const SESSIONS_PER_BATCH = 10

/** Everything of a batch but its ids and visitors that may be written again without harm, as batches of few partitions: a request costs more than a row. */
export function idempotentWrites(batch: LaneBatch): Statement[][] {
  return [...identityWrites(batch), ...sessionWrites(batch), ...deadLetterWrites(batch)]
}

function identityWrites({ lane, identities }: LaneBatch): Statement[][] {
  return identities.flatMap(({ app, device, user, place }) => [
    [{ query: statement('identity.insert'), params: [app, device, BigInt(place), user] }],
    [{ query: statement('identity.insertDevice'), params: [app, user, device] }],
    [{ query: statement('identity.insertFirst'), params: [app, lane, device, BigInt(place), user, TOP - BigInt(place)] }],
  ])
}

function sessionWrites({ lane, sessions }: LaneBatch): Statement[][] {
  const writes = sessions.map((session) => {
    const [start, end] = [BigInt(session.start), BigInt(session.end)]
    const id = [session.app, session.session_id]
    return [
      { query: statement('sessions-by-id.widenStart'), params: [TOP - start, start, BigInt(session.first_position), ...id] },
      { query: statement('sessions-by-id.widenEnd'), params: [end, end, BigInt(session.last_position), session.device, session.user, lane, ...id] },
    ]
  })
  return inParts(writes, SESSIONS_PER_BATCH).map((some) => some.flat())
}

function deadLetterWrites({ lane, deadLetters }: LaneBatch): Statement[][] {
  const query = statement('dead-letters.insert')
  return deadLetters.map((letter) => [{ query, params: [lane, BigInt(letter.position), letter.reason, letter.detail, Buffer.from(letter.value)] }])
}
