import type { Identity, IdentityChange, LaneBatch, RemovedIdentities } from '../ports/tables.ts'
import { statement, type Statement } from './client/statements.ts'

/** Greater than every place, so that write timestamps can descend as places ascend. */
const TOP = 2n ** 52n
/** Greater than every timestamp of a generation. */
export const GENERATION = 2n ** 53n

/**
 * The idempotent writes of a batch except its ids, visitors and sessions, in batches of few partitions: a request costs
 * more than a row.
 */
export function idempotentWrites(batch: LaneBatch): Statement[][] {
  return [...identityWrites(batch), ...deadLetterWrites(batch)]
}

function identityWrites({ lane, identities }: LaneBatch): Statement[][] {
  return identities.flatMap((identity) => {
    const { app, device, user, place } = identity
    return [
      [{ query: statement('identity.insert'), params: [app, device, BigInt(place), user] }],
      [{ query: statement('identity.insertDevice'), params: [app, user, device] }],
      [firstUserWrite(lane, identity)],
    ]
  })
}

/**
 * Of two writes the later generation wins, then the smaller place. A deletion hides everything with a lower timestamp.
 */
function firstUserWrite(lane: number, { app, device, user, place, generation = 0 }: IdentityChange): Statement {
  const timestamp = BigInt(generation) * GENERATION + TOP - BigInt(place)
  return { query: statement('identity.insertFirst'), params: [app, lane, device, BigInt(place), user, timestamp] }
}

/**
 * Statements that remove identities of a device, of which `remaining` stay. Either all of them take effect or none, so
 * that after an interruption the device is found both by its id and by its user.
 */
export function identityRemovals(
  lane: number,
  { app, device, generation }: RemovedIdentities,
  removed: readonly Identity[],
  remaining: readonly Identity[],
): Statement[] {
  const [first] = remaining
  const users = new Set(removed.map(({ user }) => user))
  for (const { user } of remaining) users.delete(user)
  const timestamp = BigInt(generation) * GENERATION - 1n
  return [
    first
      ? firstUserWrite(lane, { app, device, ...first, generation })
      : { query: statement('identity.removeFirst'), params: [timestamp, app, lane, device] },
    ...removed.map(({ place }) => ({ query: statement('identity.remove'), params: [app, device, BigInt(place)] })),
    ...[...users].map((user) => ({ query: statement('identity.removeDevice'), params: [app, user, device] })),
  ]
}

function deadLetterWrites({ lane, deadLetters }: LaneBatch): Statement[][] {
  const query = statement('dead-letters.insert')
  return deadLetters.map((letter) => [
    { query, params: [lane, BigInt(letter.position), letter.reason, letter.detail, Buffer.from(letter.value)] },
  ])
}
