import { Type, type Static } from 'typebox'
import type { Context } from '../events/envelope.ts'
import type { Event } from '../events/event.ts'
import type { BotReason } from '../events/fate.ts'
import { limits } from '../limits.ts'
import { pageOf } from '../stages/page-url.ts'

/**
 * The field that a rule compares with its value.
 * - `user_agent`: the user agent contains it; `user_agent_regex`: a part of it matches (RE2); `network`: the address is
 *   in this network (CIDR). None of them is stored, so ingest applies these, and only to what it receives from then on.
 * - `browser`, `os`, `country`: equal; `page`: the path of the page begins with it; `referrer`: contains it. These are
 *   kept with each event, so a rule is also applied to the past.
 *
 * Case makes no difference, except for `page`.
 */
export const botRuleKinds = [
  'user_agent',
  'user_agent_regex',
  'network',
  'browser',
  'os',
  'country',
  'page',
  'referrer',
] as const
export type BotRuleKind = (typeof botRuleKinds)[number]
const kindsOfIngest: ReadonlySet<BotRuleKind> = new Set(['user_agent', 'user_agent_regex', 'network'])

/** A rule of an app about who is a bot; a rule with the action `human` wins over all others. */
export const BotRule = Type.Object({
  kind: Type.Enum([...botRuleKinds], {
    description:
      'user_agent: contains the value; user_agent_regex: a part matches, in RE2 syntax; network: the address is in ' +
      'this network, such as 192.0.2.0/24; browser, os, country: equals; page: its path begins with; referrer: ' +
      'contains. The first three are applied when events are received, the others to the past as well',
  }),
  value: Type.String({ minLength: 1, maxLength: limits.botRuleCharsMax }),
  action: Type.Enum(['bot', 'human'], { description: 'human: counted, whatever else speaks for a bot' }),
})
export type BotRule = Static<typeof BotRule>

export const BotRules = Type.Array(BotRule, {
  maxItems: limits.botRulesMax,
  description: 'who is a bot and who is not; a change is applied to the past in the background',
})

/** Verdict about an event by itself, without the others of its session; undefined if nothing speaks for either. */
export type OwnVerdict = BotReason | 'human' | undefined

/** The rules of an app that compare fields which are stored with each event, so that they apply to the past too. */
export type KeptRules = readonly BotRule[]

/** An app, as far as its rules matter. */
export interface RuledApp {
  readonly bot_rules?: readonly BotRule[] | undefined
  readonly keep_parameters: readonly string[]
  readonly hash_routing?: boolean | undefined
}

const none: KeptRules = []
/**
 * Version of the rule about which kinds of events have a page: a new version makes every app's past be reviewed.
 * Version 2 added custom events with `current_url`.
 */
const EVENTS_WITH_PAGE = 2

/** Selects the rules that can be applied to the past. */
export function keptRules({ bot_rules = none }: Pick<RuledApp, 'bot_rules'>): KeptRules {
  return bot_rules.length === 0 ? bot_rules : bot_rules.filter(({ kind }) => !kindsOfIngest.has(kind))
}

/** Selects the rules that only ingest can apply. */
export function ingestRules({ bot_rules = [] }: Pick<RuledApp, 'bot_rules'>): readonly BotRule[] {
  return bot_rules.filter(({ kind }) => kindsOfIngest.has(kind))
}

/** Serializes everything that verdicts about the past of an app depend on: while it stays the same, so do they. */
export function botDefinition(app: RuledApp): string {
  const rules = keptRules(app).map(({ kind, value, action }) => [kind, value, action])
  // The settings of the app decide which addresses are one page.
  const pages = rules.some(([kind]) => kind === 'page')
    ? [app.keep_parameters, app.hash_routing ?? false, EVENTS_WITH_PAGE]
    : []
  return JSON.stringify([rules.sort(), pages])
}

/** The properties of an event that rules compare with their values. */
export interface JudgedEvent {
  readonly context: Pick<Context, 'browser' | 'os' | 'country' | 'referrer' | 'bot' | 'bot_sign'>
  /** address of the page of the event; undefined where it has none */
  readonly url: string | undefined
}

/** Returns the address of the page that an event is on: the one from which the query key `page` is computed. */
export function urlOfEvent(event: Event): string | undefined {
  if (event.type === 'url_change') return event.to
  return 'current_url' in event ? event.current_url : undefined
}

/**
 * Returns the verdict about an event by itself: a rule with the action `human`, then one with the action `bot`, then
 * what ingest says. The order of the rules makes no difference.
 */
export function ownVerdict({ context, url }: JudgedEvent, rules: KeptRules, app: RuledApp): OwnVerdict {
  const sign = context.bot_sign ?? context.bot
  if (sign === 'human') return 'human'
  let verdict: OwnVerdict = sign === 'none' ? undefined : sign
  for (const rule of rules) {
    if (!isMatched(rule, context, url, app)) continue
    if (rule.action === 'human') return 'human'
    verdict = 'app_rule'
  }
  return verdict
}

function isMatched(
  { kind, value }: BotRule,
  { browser, os, country, referrer }: JudgedEvent['context'],
  url: string | undefined,
  app: RuledApp,
): boolean {
  const wanted = value.toLowerCase()
  switch (kind) {
    case 'browser':
      return browser.toLowerCase() === wanted
    case 'os':
      return os.toLowerCase() === wanted
    case 'country':
      return country?.toLowerCase() === wanted
    case 'referrer':
      return referrer?.toLowerCase().includes(wanted) ?? false
    case 'page':
      return url !== undefined && pathOf(pageOf(url, app.keep_parameters, app.hash_routing)).startsWith(value)
    case 'user_agent':
    case 'user_agent_regex':
    case 'network':
      return false
  }
}

/** Returns the path of a page, which is a host and a path, or a path alone. */
function pathOf(page: string): string {
  const slash = page.indexOf('/')
  return slash < 0 ? '/' : page.slice(slash)
}

/** Returns the reason for which an event is a bot's by itself; undefined if it is not. */
export function ownBotReason(context: Context, event: Event, rules: KeptRules, app: RuledApp): BotReason | undefined {
  // Nearly all events end here, before any object is allocated.
  if (rules.length === 0 && context.bot_sign === undefined) return context.bot
  const verdict = ownVerdict({ context, url: urlOfEvent(event) }, rules, app)
  return verdict === 'human' ? undefined : verdict
}

/**
 * Returns a context with another verdict; what ingest said stays in `bot_sign` where it differs, so that every verdict
 * can be reversed.
 */
export function withVerdict(context: Context, bot: BotReason | undefined): Context {
  const { bot: before, bot_sign = before ?? 'none', ...rest } = context
  const isOwn = bot_sign === (bot ?? 'none')
  return { ...rest, ...(bot === undefined ? {} : { bot }), ...(isOwn ? {} : { bot_sign }) }
}
