import type { LaneBatch } from '../ports/tables.ts'
import { statement, type Statement } from './client/statements.ts'

/** Greater than every position, so that write timestamps can descend as positions ascend. */
const TOP = 2n ** 52n

/**
 * The idempotent writes of a batch except its ids, visitors and sessions, in batches of few partitions: a request costs
 * more than a row.
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
