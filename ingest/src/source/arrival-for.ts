import type { App } from '@hopper/contracts'
import type { Supplement } from '../batch/incoming.ts'
import { arrivalOf, completeArrival, hasOrigin, statedArrival, type Arrival, type StatedArrival } from './arrival.ts'
import { channelOf } from './channel.ts'
import type { SessionArrivals } from './session-arrivals.ts'

/** Evidence in one request of how the session of a device began. */
export interface ArrivalEvidence {
  readonly app: App
  readonly device: string
  readonly session: string | undefined
  /** ms since the epoch */
  readonly receivedAt: number
  /** stated for the whole session */
  readonly source: StatedArrival | undefined
  /** the first URL change of the request, as it was sent */
  readonly first: { readonly from: string; readonly to: string } | undefined
  /** stated by a server for these events */
  readonly supplement: Supplement | undefined
  readonly referer: string | undefined
  /** origin of the page that sent the request */
  readonly origin: string | undefined
}

/**
 * Returns how a session began: as its sender states it for the session; else as this request shows it, which holds for
 * the later requests of the session; else as an earlier request of the session has shown it. Empty where nothing is
 * known.
 */
export function arrivalFor(evidence: ArrivalEvidence, arrivals?: SessionArrivals): Arrival {
  const { app, device, session, receivedAt, source, first, supplement, referer, origin } = evidence
  if (source) {
    const stated = completeArrival(source, app, origin)
    // a sender that stores nothing states it with the first page only
    if (session === undefined) arrivals?.set(app.id, device, session, receivedAt, stated)
    return stated
  }
  const shown: Arrival = {
    ...(first && arrivalOf(first, referer, app)),
    ...(supplement && statedArrival(supplement, app, first?.to)),
  }
  if (hasOrigin(shown)) {
    const arrival = { ...shown, channel: channelOf(shown) }
    arrivals?.set(app.id, device, session, receivedAt, arrival)
    return arrival
  }
  const known = arrivals?.get(app.id, device, session, receivedAt)
  if (known) return known
  // The first page of a session, to which no other page of the site led. Otherwise, the session began before everything
  // that is known.
  if (!first || first.from !== '' || first.to === '') return shown
  const direct = completeArrival({ landing_page: shown.landing_page ?? first.to }, app)
  arrivals?.set(app.id, device, session, receivedAt, direct)
  return direct
}
