import type { App, ArchivedEvent } from '@hopper/contracts'
import type { CounterChange } from '@hopper/storage'
import { foldBatch, type Folded } from '../fold/fold-batch.ts'
import { judge, NO_PAST, type Judged } from '../judge/judge.ts'

/**
 * Folds archived events into the counters and visitor sets of their dates, with the folds of the aggregator. The
 * archive contains each event once and with the user in effect, so nothing before it is needed. `fates_by_date` is
 * excluded: its dates are those of receipt, see `foldArchivedFates`.
 */
export function foldArchived(app: App, events: readonly ArchivedEvent[]): Pick<Folded, 'counters' | 'visitors'> {
  const { counters, visitors } = foldBatch([], {
    events: events.map((event) => judgeArchived(app, event)),
    identities: [],
  })
  return { counters: counters.filter(({ table }) => table !== 'fates_by_date'), visitors }
}

/**
 * Folds the fates of archived events, by the date of their receipt. Each archived event reduces the number of
 * duplicates among the received events by one, see `foldReceived`.
 */
export function foldArchivedFates(app: App, events: readonly ArchivedEvent[]): Pick<Folded, 'counters' | 'visitors'> {
  const { counters } = foldBatch([], { events: events.map((event) => judgeArchived(app, event)), identities: [] })
  const fates = counters.filter(({ table }) => table === 'fates_by_date')
  const oneLess = (deltas: readonly number[]): CounterChange['rows'][number] => ({
    key: ['duplicate', 'repeated_id'],
    deltas: deltas.map((n) => -n),
  })
  const noDuplicates = fates.map((change) => ({ ...change, rows: change.rows.map(({ deltas }) => oneLess(deltas)) }))
  return { counters: [...fates, ...noDuplicates], visitors: [] }
}

/** Judges an archived event. The archive contains no duplicates; all other fates follow from the event itself. */
export function judgeArchived(
  app: App,
  { event, device_id, user, context, received_at, position, index }: ArchivedEvent,
): Judged {
  const envelope = { version: 1, app: app.id, device_id, received_at, context, events: [event] } as const
  const [judged] = judge([{ position, envelope, app, isArchived: true }], NO_PAST).events
  return { ...judged!, index, visitor: { user, device: device_id } }
}
