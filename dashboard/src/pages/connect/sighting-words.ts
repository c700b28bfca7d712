import type { BotReason, RefusalCode } from '@hopper/contracts'
import { formatCount } from '../../format/numbers.ts'

const robotReasons: Record<BotReason, string> = {
  app_rule: 'by a rule of the app',
  user_agent: 'its browser says so',
  webdriver: 'a browser driven by a program',
  no_user_agent: 'it names no browser',
  headless: 'HeadlessChrome, or another browser without a window',
  no_language: 'a browser without a language',
  rate: 'faster than a person',
}

const advice: Partial<Record<RefusalCode, string>> = {
  HOP_KEY_MISSING: 'Put the tag as it is above: it has the key.',
  HOP_KEY_UNKNOWN: 'Put the tag as it is above: the key that was sent belongs to no app.',
  HOP_KEY_POWER: 'Put the tag as it is above: only a write key can send events.',
  HOP_ORIGIN: 'Add this origin to those of the app, in Settings.',
}

/** The texts about what arrives and is not counted. */
export const sightingWords = {
  title: 'Arrived, but not counted',
  refused: (requests: number, why: string, from: string): string =>
    `${formatCount(requests)} ${requests === 1 ? 'request' : 'requests'} refused: ${why}, ${from}.`,
  key: (end: string): string => ` (${end})`,
  from: (origin: string): string => `from ${origin}`,
  noPage: 'not from a page',
  last: (time: string): string => `Last at ${time}.`,
  advice: (code: RefusalCode): string => advice[code] ?? '',
  robot: (events: number, reason: string): string =>
    `${formatCount(events)} ${events === 1 ? 'event' : 'events'} from a robot (${
      (robotReasons as Readonly<Record<string, string>>)[reason] ?? reason
    }): kept, but not counted.`,
  rejected: (events: number, reason: string): string =>
    `${formatCount(events)} ${events === 1 ? 'event' : 'events'} rejected: ${reason.replaceAll('_', ' ')}.`,
} as const
