import { laneOf } from '@hopper/contracts'
import type { Sender } from './sender.ts'
import type { Visit } from './traffic.ts'

/** bounds how far generation runs ahead of sending */
const VISITS_AHEAD_PER_CONNECTION = 8

/** Outcome of the events so far. */
export interface Tally {
  visits: number
  sent: number
  accepted: number
  rejected: number
}

/**
 * Sends the visits over n connections in parallel. Visits of one device go in sequence, as in life: an identify takes
 * effect at its place in the log. Rejects with the first error.
 */
export async function sendVisits(
  visits: Iterable<Visit>,
  sender: Sender,
  connections: number,
  progress: (tally: Tally) => void,
): Promise<Tally> {
  const tally: Tally = { visits: 0, sent: 0, accepted: 0, rejected: 0 }
  const slots = Array.from({ length: connections }, () => Promise.resolve())
  const inFlight = new Set<Promise<void>>()
  const sendVisit = async ({ batches }: Visit): Promise<void> => {
    for (const batch of batches) {
      const { accepted, rejected } = await sender.send(batch)
      tally.sent += batch.events.length
      tally.accepted += accepted
      tally.rejected += rejected.length
    }
    tally.visits++
    progress(tally)
  }
  for (const visit of visits) {
    if (inFlight.size >= connections * VISITS_AHEAD_PER_CONNECTION) await Promise.race(inFlight)
    const slot = laneOf('', visit.device, connections)
    const done = slots[slot]!.then(() => sendVisit(visit))
    slots[slot] = done
    inFlight.add(done)
    // A failed visit stays, so that the next wait rejects with its error.
    done.then(
      () => inFlight.delete(done),
      () => undefined,
    )
  }
  await Promise.all(inFlight)
  return tally
}
