import type { LaneBatch } from '../ports/tables.ts'
import { statement, type Statement } from './client/statements.ts'

/** Above every position, so that a write timestamp can fall as they rise. */
const TOP = 2n ** 52n

/**
 * Everything of a batch but its ids, visitors and sessions that may be written again without harm, as batches of few
 * partitions: a request costs more than a row.
 */
export function idempotentWrites(batch: LaneBatch): Statement[][] {
  return [...identityWrites(batch), ...deadLetterWrites(batch)]
}

function identityWrites({ lane, identities }: LaneBatch): Statement[][] {
  return identities.flatMap(({ app, device, user, place }) => [
    [{ query: statement('identity.insert'), params: [app, device, BigInt(place), user] }],
    [{ query: statement('identity.insertDevice'), params: [app, user, device] }],
    [
      {
        query: statement('identity.insertFirst'),
        params: [app, lane, device, BigInt(place), user, TOP - BigInt(place)],
      },
    ],
  ])
}

function deadLetterWrites({ lane, deadLetters }: LaneBatch): Statement[][] {
  const query = statement('dead-letters.insert')
  return deadLetters.map((letter) => [
    { query, params: [lane, BigInt(letter.position), letter.reason, letter.detail, Buffer.from(letter.value)] },
  ])
}
