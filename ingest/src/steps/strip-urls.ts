import { storableUrl } from '@hopper/contracts'
import type { Incoming } from '../batch/incoming.ts'

/**
 * Takes query and fragment off the addresses of an event, but for what the app says belongs to a page: they hold tokens
 * and e-mail addresses, and are stored nowhere, also not in the log. What was sent stays in `wire`, as the campaign is
 * read from it.
 */
export function stripUrls(incoming: Incoming): Incoming {
  const { type } = incoming
  if (type === 'url_change') {
    strip(incoming, 'to')
    strip(incoming, 'from')
  } else if (type === 'click') strip(incoming, 'current_url')
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
