import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Context } from '../events/envelope.ts'
import { botSigns } from '../events/fate.ts'
import { botDefinition, ownBotReason, ownVerdict, withVerdict, type BotRule } from './bot-rules.ts'

const app = { keep_parameters: [] }
const context: Context = {
  device: 'desktop',
  browser: 'Firefox',
  os: 'Linux',
  country: 'DE',
  referrer: 'https://Spam.example/x',
}
const rule = (kind: BotRule['kind'], value: string, action: BotRule['action'] = 'bot'): BotRule => ({
  kind,
  value,
  action,
})
const page = 'https://shop.example/wp-login?x=1'

it.each([
  [rule('browser', 'firefox'), true],
  [rule('browser', 'Fire'), false],
  [rule('os', 'LINUX'), true],
  [rule('country', 'de'), true],
  [rule('referrer', 'spam.example'), true],
  [rule('referrer', 'other.example'), false],
  [rule('page', '/wp'), true],
  [rule('page', '/WP'), false],
  [rule('page', '/login'), false],
  [rule('user_agent', 'firefox'), false],
  [rule('network', '0.0.0.0/0'), false],
])('%j matches an event: %s', (one, isMatched) => {
  expect(ownVerdict({ context, url: page }, [one], app)).toBe(isMatched ? 'app_rule' : undefined)
})

it('applies no page rule to an event without a page', () => {
  expect(ownVerdict({ context, url: undefined }, [rule('page', '/')], app)).toBeUndefined()
})

it.each([
  [{ type: 'url_change', from: '', to: page, elapsed_time: 1 }, 'app_rule'],
  [{ type: 'url_change', from: page, to: '', elapsed_time: 1 }, undefined],
  [{ type: 'click', target: '//a', elapsed_time: 1, current_url: page }, 'app_rule'],
  [{ type: 'custom', name: 'n', current_url: page }, 'app_rule'],
  [{ type: 'custom', name: 'n', data: { current_url: page, page } }, undefined],
  [{ type: 'identify', user_id: 'ann' }, undefined],
] as const)(
  'holds a page rule against every kind of event with the address of its page: %j is %s',
  (fields, verdict) => {
    const event = { event_id: 'e', timestamp: 1, seq: 0, ...fields }
    expect(ownBotReason(context, event, [rule('page', '/wp')], app)).toBe(verdict)
  },
)

it('prefers a rule for humans, then one for bots, then what ingest said, in any order of the rules', () => {
  const [human, bot] = [rule('os', 'linux', 'human'), rule('browser', 'firefox')]
  const signed = { ...context, bot: 'webdriver' } as const
  for (const rules of [
    [human, bot],
    [bot, human],
  ])
    expect(ownVerdict({ context: signed, url: page }, rules, app)).toBe('human')
  expect(ownVerdict({ context: signed, url: page }, [bot], app)).toBe('app_rule')
  expect(ownVerdict({ context: signed, url: page }, [], app)).toBe('webdriver')
  expect(ownVerdict({ context: { ...context, bot_sign: 'human' }, url: page }, [bot], app)).toBe('human')
  expect(botDefinition({ ...app, bot_rules: [human, bot] })).toBe(botDefinition({ ...app, bot_rules: [bot, human] }))
})

it('keeps the verdict of ingest, however later verdicts change', () => {
  const sign = fc.constantFrom(...botSigns)
  const reasons = fc.array(fc.constantFrom('rate' as const, 'app_rule' as const, undefined))
  fc.assert(
    fc.property(sign, reasons, (said, later) => {
      const first: Context = {
        ...context,
        ...(said === 'human' ? { bot_sign: said } : said === 'none' ? {} : { bot: said }),
      }
      const last = later.reduce(withVerdict, first)
      expect(last.bot_sign ?? last.bot ?? 'none').toBe(said)
      if (later.length > 0) expect(last.bot).toBe(later.at(-1))
      expect(withVerdict(last, first.bot)).toEqual(first)
    }),
  )
})
