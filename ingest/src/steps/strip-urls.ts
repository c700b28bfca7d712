import { storableUrl } from '@hopper/contracts'
import type { Incoming } from '../batch/incoming.ts'

/**
 * Removes query and fragment from the addresses of an event, except for parameters that identify a page of the app:
 * they contain tokens and e-mail addresses, and are stored nowhere, not even in the log. `wire` keeps the original
 * address, since the campaign is read from it.
 */
export function stripUrls(incoming: Incoming): Incoming {
  const { type } = incoming
  if (type === 'url_change') {
    strip(incoming, 'to')
    strip(incoming, 'from')
  } else if (type === 'click' || incoming.wire['current_url'] !== undefined) strip(incoming, 'current_url')
  return incoming
}

function strip(incoming: Incoming, field: 'to' | 'from' | 'current_url'): void {
  const {
    wire,
    batch: { app },
  } = incoming
  const sent = wire[field] as string
  const stored = storableUrl(sent, app.keep_parameters, app.hash_routing)
  if (stored !== sent) incoming.stored = { ...incoming.stored, [field]: stored }
}
