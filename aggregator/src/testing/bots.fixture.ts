import type { App, BotReason, BotRule, Context, Event } from '@hopper/contracts'
import type { Placed } from './recount.fixture.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const order: readonly BotReason[] = [
  'app_rule',
  'user_agent',
  'webdriver',
  'no_user_agent',
  'headless',
  'no_language',
  'rate',
]

interface Sent {
  readonly event: Event
  readonly device: string
  readonly context: Context
}

/**
 * Returns a log in which every event has the verdict of its session, under rules that hold from the start: written
 * from the text of the documentation, with no code of Hopper. Each event gets a message of its own at the same
 * position.
 */
export function withSessionVerdicts(app: App, log: readonly Placed[], rules: readonly BotRule[]): Placed[] {
  const seen = new Set<string>()
  const first: Sent[] = []
  for (const { envelope } of log)
    for (const event of envelope.events) {
      const id = `${new Date(event.client_time ?? event.timestamp).toISOString().slice(0, 10)} ${event.event_id}`
      if (envelope.app !== app.id || seen.has(id)) continue
      seen.add(id)
      first.push({ event, device: envelope.device_id, context: envelope.context })
    }
  const own = (sent: Sent): BotReason | 'human' | undefined => ownOf(sent, rules)
  const tooFast = new Set(first.filter((sent) => isTooFast(sent, first)))
  const verdict = (sent: Sent): BotReason | undefined => {
    const { event, device } = sent
    const near = first.filter(
      (other) =>
        other === sent ||
        (event.session_id !== undefined &&
          other.event.session_id === event.session_id &&
          other.device === device &&
          Math.abs(other.event.timestamp - event.timestamp) <= DAY_MS),
    )
    const verdicts = near.map(own)
    if (verdicts.includes('human')) return undefined
    if (near.some((other) => tooFast.has(other))) verdicts.push('rate')
    return order.find((reason) => verdicts.includes(reason))
  }
  const bots = new Map(first.map((sent) => [sent.event, verdict(sent)]))
  return log.flatMap(({ position, envelope }) => {
    const { events, rejected = [], ...head } = envelope
    const { bot: _, bot_sign: __, ...context } = envelope.context
    const single = events.map((event): Placed => {
      const bot = bots.get(event)
      return { position, envelope: { ...head, context: bot ? { ...context, bot } : context, events: [event] } }
    })
    return [...single, { position, envelope: { ...head, events: [], rejected } }]
  })
}

function ownOf({ event, context }: Sent, rules: readonly BotRule[]): BotReason | 'human' | undefined {
  const url = 'to' in event ? event.to : 'current_url' in event ? event.current_url : undefined
  const path = url === undefined ? undefined : (/^https:\/\/[^/]*(\/[^?]*)/.exec(url)?.[1] ?? '/')
  const holds = ({ kind, value }: BotRule): boolean =>
    kind === 'browser' ? context.browser === value : kind === 'page' ? (path?.startsWith(value) ?? false) : false
  const matched = rules.filter(holds).map(({ action }) => action)
  if (context.bot_sign === 'human' || matched.includes('human')) return 'human'
  return matched.includes('bot') ? 'app_rule' : context.bot
}

/** True for an event that is the last of more than a thousand actions of its session within a minute. */
function isTooFast({ event, device }: Sent, all: readonly Sent[]): boolean {
  const isAction = ({ type }: Event): boolean => ['click', 'url_change', 'btn_time'].includes(type)
  if (all.length <= 1_000 || event.session_id === undefined || !isAction(event)) return false
  const before = all.filter(
    (other) =>
      other.device === device &&
      other.event.session_id === event.session_id &&
      isAction(other.event) &&
      other.event.timestamp <= event.timestamp &&
      event.timestamp - other.event.timestamp < MINUTE_MS,
  )
  return before.length > 1_000
}
