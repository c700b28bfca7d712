import type { AlertCheck, AlertView, Delivery, ListedFunnel, Notice } from '@hopper/contracts'
import { alertWords } from './alert-words.ts'

/** Returns the sentence of a rule. */
export function ruleText({ fall, quiet, report }: AlertView, funnels: readonly ListedFunnel[]): string {
  if (fall) {
    const name = funnels.find(({ id }) => id === fall.funnel)?.name ?? fall.funnel
    const { period = 'week', threshold = 0.01 } = fall
    return alertWords.fallRule(`“${name}”`, period, `${Number((threshold * 100).toPrecision(6))}\u202f%`)
  }
  if (quiet) {
    const { minutes, hours } = quiet
    const text = alertWords.quietRule(alertWords.minutes(minutes))
    return hours ? `${text}, ${alertWords.quietHours(hours.from, hours.to)}` : text
  }
  return alertWords.reportRule(report?.hour ?? 8)
}

/** Describes where the notices of an alert go. */
export function channelsText({ webhook, email }: AlertView): string {
  return alertWords.sentTo([
    ...(webhook ? [alertWords.webhookTo(webhook.origin)] : []),
    ...(email ? [alertWords.mailTo(email.recipients)] : []),
  ])
}

/** The look of the result of a check. */
export function badgeOf(check: AlertCheck | undefined): string {
  if (check === 'ok') return 'badge settled'
  if (check === 'firing') return 'badge bad'
  return check === 'failed' || check === 'behind' ? 'badge warn' : 'badge open'
}

/** Describes what became of a notice on every channel. */
export function deliveriesText({ deliveries, silenced }: Notice): string {
  return silenced ? alertWords.silenced : deliveries.map(deliveryText).join('; ')
}

function deliveryText({ channel, state, fault, status }: Delivery): string {
  const name = alertWords.channels[channel]
  const why = fault === undefined ? '' : alertWords.because(alertWords.faults[fault], status)
  if (state === 'delivered') return fault === undefined ? alertWords.delivered(name) : alertWords.partly(name)
  return state === 'pending' ? alertWords.pending(name, why) : alertWords.failed(name, why)
}
