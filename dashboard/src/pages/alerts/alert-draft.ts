import type { AlertKind, AlertView, NewAlert } from '@hopper/contracts'

/** The fields of the form, as text. */
export interface AlertDraft {
  readonly kind: AlertKind
  readonly name: string
  readonly funnel: string
  readonly period: string
  readonly threshold: string
  readonly sample: string
  readonly window: string
  readonly minutes: string
  readonly from: string
  readonly to: string
  readonly hour: string
  readonly webhook: string
  readonly email: string
}

/** Defaults of a new alert, the same as the API's. */
export const newDraft: AlertDraft = {
  kind: 'fall',
  name: '',
  funnel: '',
  period: 'week',
  threshold: '0.01',
  sample: '100',
  window: '86400000',
  minutes: '60',
  from: '',
  to: '',
  hour: '8',
  webhook: '',
  email: '',
}

/** Returns the kind of an alert. */
export function kindOf({ quiet, report }: Pick<AlertView, 'quiet' | 'report'>): AlertKind {
  return quiet ? 'quiet' : report ? 'report' : 'fall'
}

/** Returns the form of an alert. */
export function draftOf(alert: AlertView): AlertDraft {
  const { fall, quiet, report, webhook, email, name } = alert
  const text = (value: number | string | undefined, otherwise: string): string =>
    value === undefined ? otherwise : String(value)
  return {
    kind: kindOf(alert),
    name,
    funnel: fall?.funnel ?? '',
    period: text(fall?.period, newDraft.period),
    threshold: text(fall?.threshold, newDraft.threshold),
    sample: text(fall?.sample_min, newDraft.sample),
    window: text(fall?.window_ms, newDraft.window),
    minutes: text(quiet?.minutes, newDraft.minutes),
    from: text(quiet?.hours?.from, ''),
    to: text(quiet?.hours?.to, ''),
    hour: text(report?.hour, newDraft.hour),
    webhook: webhook?.url ?? '',
    email: email?.to?.join(', ') ?? '',
  }
}

/**
 * Returns the body that saves a form. What the form does not have (the number of earlier periods, the unit) is kept
 * from the alert that is edited; a channel that was emptied is null there.
 */
export function bodyOf(draft: AlertDraft, edited?: AlertView): Record<string, unknown> {
  const to = draft.email.split(/[,\s]+/).filter((each) => each !== '')
  const none = edited ? null : undefined
  const webhook = draft.webhook.trim() === '' ? none : { url: draft.webhook.trim() }
  const email = to.length === 0 ? none : { to }
  return {
    name: draft.name.trim(),
    ...ruleOf(draft, edited),
    ...(webhook === undefined ? {} : { webhook }),
    ...(email === undefined ? {} : { email }),
  }
}

function ruleOf(draft: AlertDraft, edited: AlertView | undefined): Pick<NewAlert, AlertKind> {
  if (draft.kind === 'report') return { report: { hour: Number(draft.hour) } }
  if (draft.kind === 'quiet') {
    const minutes = Number(draft.minutes)
    if (draft.from === '' && draft.to === '') return { quiet: { minutes } }
    return { quiet: { minutes, hours: { from: Number(draft.from), to: draft.to === '' ? 24 : Number(draft.to) } } }
  }
  return {
    fall: {
      ...edited?.fall,
      funnel: draft.funnel,
      period: draft.period === 'day' ? 'day' : 'week',
      threshold: Number(draft.threshold),
      sample_min: Number(draft.sample),
      window_ms: Number(draft.window),
    },
  }
}
