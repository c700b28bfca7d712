import type { App, ArchivedEvent } from '@hopper/contracts'
import type { CounterChange } from '@hopper/storage'
import { foldBatch, type Folded } from '../fold/fold-batch.ts'
import { judge, type Judged, type Past } from '../judge/judge.ts'

const NOTHING: Past = { firstPositions: new Map(), identities: new Map() }

/**
 * What archived events feed into the counters and the sets of visitors of their dates, by the folds of the aggregator.
 * The archive has each event once and with the user in effect, so nothing before it is asked. Not `fates_by_date`: its
 * dates are those of receipt, see `foldArchivedFates`.
 */
export function foldArchived(app: App, events: readonly ArchivedEvent[]): Pick<Folded, 'counters' | 'visitors'> {
  const { counters, visitors } = foldBatch([], {
    events: events.map((event) => judgeArchived(app, event)),
    identities: [],
  })
  return { counters: counters.filter(({ table }) => table !== 'fates_by_date'), visitors }
}

/**
 * The fates of archived events, by the date of their receipt. Each is one duplicate less among what was received, see
 * `foldReceived`.
 */
export function foldArchivedFates(app: App, events: readonly ArchivedEvent[]): Pick<Folded, 'counters' | 'visitors'> {
  const { counters } = foldBatch([], { events: events.map((event) => judgeArchived(app, event)), identities: [] })
  const fates = counters.filter(({ table }) => table === 'fates_by_date')
  const less = (deltas: readonly number[]): CounterChange['rows'][number] => ({
    key: ['duplicate', 'repeated_id'],
    deltas: deltas.map((n) => -n),
  })
  const noDuplicates = fates.map((change) => ({ ...change, rows: change.rows.map(({ deltas }) => less(deltas)) }))
  return { counters: [...fates, ...noDuplicates], visitors: [] }
}

/** Nothing in the archive is a duplicate; all other fates follow from the event itself. */
function judgeArchived(
  app: App,
  { event, device_id, user, context, received_at, position, index }: ArchivedEvent,
): Judged {
  const envelope = { version: 1, app: app.id, device_id, received_at, context, events: [event] } as const
  const [judged] = judge([{ position, envelope, app }], NOTHING).events
  return { ...judged!, index, visitor: { user, device: device_id } }
}
