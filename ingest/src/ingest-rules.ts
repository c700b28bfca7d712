import { BlockList, isIP } from 'node:net'
import { ingestRules, type App, type BotRule } from '@hopper/contracts'
import { LRUCache } from 'lru-cache'
import { cutUserAgent } from './agent.ts'
import { UserAgentPattern, type PatternTime } from './user-agent-patterns.ts'

/** Properties of a sender that the rules of ingest compare with their values; none of them is stored. */
export interface RuledSender {
  readonly userAgent: string | undefined
  /** of the visitor in the network; undefined if only the address of a server is known */
  readonly address: string | undefined
  /** time budget of the app whose rules these are; unlimited if missing */
  readonly patternTime?: PatternTime
}

interface CompiledRule {
  readonly action: BotRule['action']
  readonly isMatched: (sender: RuledSender) => boolean
}

const RULES_MAX = 2_000
/** Rules by their text, since apps are read again every few seconds. */
const compiledByText = new LRUCache<string, readonly CompiledRule[]>({ max: RULES_MAX })
const compiled = new WeakMap<readonly BotRule[], readonly CompiledRule[]>()

/** Returns how the rules of an app judge a sender; undefined if no rule matches. A rule for humans wins. */
export function actionOfRules(
  { bot_rules }: Pick<App, 'bot_rules'>,
  sender: RuledSender,
): BotRule['action'] | undefined {
  if (bot_rules === undefined || bot_rules.length === 0) return undefined
  let rules = compiled.get(bot_rules)
  if (!rules) compiled.set(bot_rules, (rules = compiledRules(ingestRules({ bot_rules }))))
  const matched = rules.filter((rule) => rule.isMatched(sender))
  return (matched.find(({ action }) => action === 'human') ?? matched[0])?.action
}

function compiledRules(rules: readonly BotRule[]): readonly CompiledRule[] {
  const text = JSON.stringify(rules)
  let known = compiledByText.get(text)
  if (!known) compiledByText.set(text, (known = rules.map(compile)))
  return known
}

function compile({ kind, value, action }: BotRule): CompiledRule {
  if (kind === 'network') {
    const network = networkOf(value)
    return { action, isMatched: ({ address = '' }) => network !== undefined && has(network, address) }
  }
  if (kind === 'user_agent_regex') {
    const pattern = new UserAgentPattern(value)
    return {
      action,
      isMatched: ({ userAgent = '', patternTime }) => pattern.matches(cutUserAgent(userAgent), patternTime),
    }
  }
  const wanted = value.toLowerCase()
  return { action, isMatched: ({ userAgent = '' }) => userAgent.toLowerCase().includes(wanted) }
}

function has(network: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && network.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** Parses a network, such as `192.0.2.0/24`; undefined for one that the API would refuse. */
function networkOf(cidr: string): BlockList | undefined {
  const [address = '', prefix] = cidr.split('/')
  const family = isIP(address)
  const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix)
  if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) return undefined
  const network = new BlockList()
  network.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
  return network
}
