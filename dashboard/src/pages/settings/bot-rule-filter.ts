import type { BotRule, Filter } from '@hopper/contracts'
import { SHOW_ROBOTS } from '../../state/filters.ts'

/**
 * Returns filters for the events that a rule matches; undefined for a rule about values that are not stored. Events of
 * robots are included.
 */
export function filtersOfRule({ kind, value }: Pick<BotRule, 'kind' | 'value'>): Filter[] | undefined {
  const text = value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const regex = (key: string, pattern: string): Filter[] => [SHOW_ROBOTS, { type: 'regex', key, value: pattern }]
  switch (kind) {
    case 'browser':
    case 'os':
    case 'country':
      return regex(kind, `(?i)${text}`)
    case 'referrer':
      return regex(kind, `(?i).*${text}.*`)
    case 'page':
      // A page is a host and a path, or a path alone.
      return regex(kind, `[^/]*${text}.*`)
    case 'user_agent':
    case 'user_agent_regex':
    case 'network':
      return undefined
  }
}
