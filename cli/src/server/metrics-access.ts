import { hash, timingSafeEqual } from 'node:crypto'
import { HopperError, isLoopback, sourceOf } from '@hopper/contracts'

/** A request for the metrics. */
export interface MetricsRequest {
  /** address of the client */
  readonly ip: string
  readonly headers: { readonly authorization?: string | undefined }
}

/**
 * Creates the check whether a caller may read the metrics: with a token, every caller that sends it; without one,
 * programs on this machine. The check throws HopperError HOP_KEY_MISSING or HOP_KEY_UNKNOWN.
 */
export function metricsAccess(token: string | undefined): (request: MetricsRequest) => void {
  return ({ ip, headers: { authorization } }) => {
    if (token === undefined) {
      if (isLoopback(sourceOf(ip))) return
      throw new HopperError(
        'HOP_KEY_MISSING',
        'Metrics are for this machine only; set --metrics-token, and send it as "Authorization: Bearer TOKEN".',
      )
    }
    const sent = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (sent === undefined)
      throw new HopperError('HOP_KEY_MISSING', 'Send the token of --metrics-token as "Authorization: Bearer TOKEN".')
    if (!timingSafeEqual(hash('sha256', sent, 'buffer'), hash('sha256', token, 'buffer')))
      throw new HopperError('HOP_KEY_UNKNOWN', 'This is not the token of --metrics-token.')
  }
}
