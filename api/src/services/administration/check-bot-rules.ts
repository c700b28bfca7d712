import { isIP } from 'node:net'
import type { BotRule } from '@hopper/contracts'
import { regexProblem } from '@hopper/engine'
import type { Fault } from '../../http/faults.ts'

const BITS = { 4: 32, 6: 128 } as const

/** Lists the faults in the rules of an app about bots: values that nothing could ever match, and contradictions. */
export function botRuleProblems(rules: readonly BotRule[]): Fault[] {
  return rules.flatMap(({ kind, value, action }, index) => {
    const field = `bot_rules[${index}].value`
    const problem = problemOf(kind, value)
    const same = rules.findIndex((other) => valueKey(other) === valueKey(rules[index]!))
    const faults: Fault[] = problem === undefined ? [] : [{ field, message: problem }]
    if (same < index) {
      const other = `bot_rules[${same}], whose action is ${rules[same]!.action}`
      faults.push({ field, message: `is that of ${other}; remove the one with ${action}, or the other` })
    }
    return faults
  })
}

/** Rules with the same key match the same events. */
function valueKey({ kind, value }: BotRule): string {
  return `${kind} ${kind === 'page' || kind === 'user_agent_regex' ? value : value.toLowerCase()}`
}

function problemOf(kind: BotRule['kind'], value: string): string | undefined {
  if (value.trim() !== value) return 'must not begin or end with a space'
  if (kind === 'user_agent_regex') return regexProblem(value)
  if (kind === 'network')
    return isNetwork(value) ? undefined : 'must be a network, such as 192.0.2.0/24 or 2001:db8::/32'
  if (kind === 'country')
    return /^[a-z]{2}$/i.test(value) ? undefined : 'must be a code of two letters (ISO 3166-1), like DE'
  if (kind === 'page') return value.startsWith('/') ? undefined : 'must begin with /, like the path of a page'
  return undefined
}

function isNetwork(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= BITS[family as 4 | 6])
}
