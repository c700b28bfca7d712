import type { Alert, AlertChannel, Delivery, Notice, NoticeKind } from '@hopper/contracts'
import type { AlertRecord, StoredNotice } from '@hopper/storage'
import type { CheckResult, Message } from './check.ts'
import type { Outcome } from './webhook.ts'

/** Maximum number of notices of an alert that are stored. */
const NOTICES_MAX = 20
const MINUTE_MS = 60_000
/** Pauses before the second attempt and later ones; after the last, a delivery has failed. */
const RETRY_MS = [1, 5, 15, 60, 240].map((minutes) => minutes * MINUTE_MS)
/** Random part of a pause, so that many deliveries are not repeated at the same time. */
const JITTER = 0.2

/** Turns a message into the text and the body to send. */
export type Write = (kind: NoticeKind, id: string, message: Message) => { readonly text: string; readonly body: string }

/** Returns whether an alert has fired and not recovered since. */
export function isFiring({ state }: AlertRecord): boolean {
  return state?.fired_at !== undefined && (state.recovered_at ?? -1) < state.fired_at
}

/** Key under which a decided period is stored: a rule that was changed is decided again. */
export function decidedFor(alert: Alert, period: string): string {
  return `${period} ${alert.changed_at}`
}

/** Returns the channels of an alert. */
export function channelsOf(alert: Pick<Alert, AlertChannel>): AlertChannel[] {
  return [...(alert.webhook ? ['webhook' as const] : []), ...(alert.email ? ['email' as const] : [])]
}

/** Returns a notice that is to be sent; one of a silenced alert is only recorded. */
export function newNotice(
  alert: Alert,
  kind: NoticeKind,
  id: string,
  message: Message,
  now: number,
  write: Write,
): StoredNotice {
  const notice: Notice = { id, kind, at: now, title: message.title, deliveries: [] }
  if (kind !== 'test' && (alert.silenced_until ?? 0) > now) return { ...notice, silenced: true }
  const deliveries = channelsOf(alert).map((channel): Delivery => ({
    channel,
    state: 'pending',
    attempts: 0,
    next_at: now,
  }))
  return { ...notice, deliveries, ...write(kind, id, message) }
}

/**
 * Returns the record after a check. A rule with periods fires at most once for each period, a rule without periods once
 * until it recovers. The id of a notice is derived from its period, or from the time at which the rule fired.
 */
export function afterCheck(
  alert: Alert,
  record: AlertRecord,
  { check, detail, period, message }: CheckResult,
  now: number,
  write: Write,
): AlertRecord {
  const state = { ...record.state, check, checked_at: now, detail }
  const checked: AlertRecord = {
    ...record,
    state,
    ...(period === undefined ? {} : { decided: decidedFor(alert, period) }),
  }
  const add = (kind: NoticeKind, id: string, changes: Partial<AlertRecord> = {}): AlertRecord => ({
    ...checked,
    ...changes,
    notices: kept([newNotice(alert, kind, `${alert.id}-${id}`, message!, now, write), ...record.notices]),
  })
  if (!message) return checked
  if (alert.report) {
    return period === undefined || record.noticed === period
      ? checked
      : add('report', `report-${period}`, { noticed: period })
  }
  if (check === 'firing') {
    if (period === undefined ? isFiring(record) : record.noticed === period) return checked
    const fired = { ...state, fired_at: isFiring(record) ? state.fired_at! : now }
    return add('fired', period ?? String(now), { state: fired, ...(period === undefined ? {} : { noticed: period }) })
  }
  if (check !== 'ok' || !isFiring(record)) return checked
  return add('recovered', `recovered-${state.fired_at}`, { state: { ...state, recovered_at: now } })
}

/** Keeps the newest notices, and all that are still to be sent. */
function kept(notices: readonly StoredNotice[]): StoredNotice[] {
  return notices.filter((notice, i) => i < NOTICES_MAX || notice.deliveries.some(isPending))
}

const isPending = ({ state }: Delivery): boolean => state === 'pending'

/** Returns whether a record has a delivery that is due. */
export function hasDue({ notices }: AlertRecord, now: number): boolean {
  return notices.some(({ deliveries }) => deliveries.some((each) => isPending(each) && (each.next_at ?? 0) <= now))
}

/** Returns a delivery after an attempt. `random` is between 0 and 1. */
export function afterAttempt(delivery: Delivery, outcome: Outcome, now: number, random: number): Delivery {
  const attempts = delivery.attempts + 1
  const common = {
    channel: delivery.channel,
    attempts,
    at: now,
    ...(outcome.fault === undefined ? {} : { fault: outcome.fault }),
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
  }
  if (outcome.isDelivered) return { ...common, state: 'delivered' }
  const pause = RETRY_MS[attempts - 1]
  if (outcome.isFinal || pause === undefined) return { ...common, state: 'failed' }
  return { ...common, state: 'pending', next_at: Math.round(now + pause * (1 + JITTER * (2 * random - 1))) }
}

/**
 * Returns a record in which a delivery of a notice is replaced. Once no delivery is pending, the text of the notice is
 * dropped.
 */
export function withDelivery(record: AlertRecord, id: string, delivery: Delivery): AlertRecord {
  const notices = record.notices.map((notice) => {
    if (notice.id !== id) return notice
    const deliveries = notice.deliveries.map((each) => (each.channel === delivery.channel ? delivery : each))
    const { text: _, body: __, ...rest } = notice
    return deliveries.some(isPending) ? { ...notice, deliveries } : { ...rest, deliveries }
  })
  return { ...record, notices }
}

/** Returns a notice without the text that is sent. */
export function viewOfNotice({ text: _, body: __, ...notice }: StoredNotice): Notice {
  return notice
}
