import { HopperError, type App, type BotRule } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { boundOrigin, keys, openIngest } from './ingest-server.fixture.ts'
import { actionOfRules } from './ingest-rules.ts'
import { OfflineIntake } from './offline-intake.ts'
import { PatternTime, UserAgentPattern } from './user-agent-patterns.ts'

const rule = (value: string, action: BotRule['action'] = 'bot'): BotRule => ({
  kind: 'user_agent_regex',
  value,
  action,
})
const app: App = { id: 'shop', organization: 'acme', name: 'x', timezone: 'UTC', origins: [], keep_parameters: [] }

it('matches a part of the user agent, whatever its case', () => {
  const action = (userAgent: string | undefined, ...rules: BotRule[]): unknown =>
    actionOfRules({ bot_rules: rules }, { userAgent, address: undefined })
  const tools = rule('^(curl|wget)/\\d')
  expect(['CURL/8', 'Wget/1.2', 'my curl/8', 'curl/x', undefined].map((one) => action(one, tools))).toEqual([
    'bot',
    'bot',
    undefined,
    undefined,
    undefined,
  ])
  expect(action('curl/8', tools, rule('8$', 'human'))).toBe('human')
  expect(action('curl/8', rule('('))).toBeUndefined()
})

it('takes time linear in the user agent for a pattern on which others backtrack', () => {
  const start = performance.now()
  expect(new UserAgentPattern('(a+)+$').matches(`${'a'.repeat(511)}b`, undefined)).toBe(false)
  expect(performance.now() - start).toBeLessThan(5_000)
})

it('refuses an app that has used up its time; known user agents cost no time', () => {
  let now = 0
  const time = new PatternTime(() => now)
  const slow = (ms: number) => () => void (now += ms)
  time.spend(slow(400))
  time.spend(slow(400))
  expect(() => time.spend(slow(1))).toThrow(HopperError)
  const pattern = new UserAgentPattern('x')
  expect(() => pattern.matches('a', time)).toThrow('take too long')
  now += 20_000
  expect(pattern.matches('a', time)).toBe(false)
  time.spend(slow(10_000))
  expect(pattern.matches('a', time)).toBe(false)
  expect(() => pattern.matches('b', time)).toThrow('take too long')
})

it('an app with a costly pattern is refused, and its neighbour is served', async () => {
  await using ingest = await openIngest()
  const { registry } = ingest.storage
  const costly = Array.from({ length: 20 }, (_, at) => rule(`(a?){200}a{200}b${at}`))
  await registry.apps.put('acme', 'shop', { ...(await registry.app('shop'))!, bot_rules: costly })
  const send = async (key: string, userAgent: string): Promise<{ status: number; body: string; wait: unknown }> => {
    const { statusCode, body, headers } = await ingest.server.inject({
      method: 'POST',
      url: `/v1/events?key=${key}`,
      payload: { device_id: 'd', events: [{ type: 'custom', name: 'x' }] },
      headers: { 'user-agent': userAgent, origin: boundOrigin },
    })
    return { status: statusCode, body, wait: headers['retry-after'] }
  }
  let refused: Awaited<ReturnType<typeof send>> | undefined
  for (let at = 0; at < 500 && !refused; at++) {
    const answer = await send(keys.write, `${'a'.repeat(500)}${at}`)
    if (answer.status !== 202) refused = answer
  }
  expect(refused).toMatchObject({ status: 429, body: expect.stringContaining('user agents'), wait: expect.anything() })
  expect(await send(keys.bound, `${'a'.repeat(500)}x`)).toMatchObject({ status: 202 })
})

it('applies rules about user agents and networks to events of files that have them', () => {
  const rules: BotRule[] = [rule('^curl/'), { kind: 'network', value: '192.0.2.0/24', action: 'bot' }]
  const botOf = (supplement: object | undefined): unknown => {
    const event = { type: 'custom', name: 'n', device_id: 'd', timestamp: 1_600_000_000_000 }
    const batch = { receivedAt: 1_700_000_000_000, historical: true, isUnicode: true, small: true }
    const events = [{ event, supplement }]
    const { envelopes } = new OfflineIntake().take({ app: { ...app, bot_rules: rules }, events, ...batch })
    return envelopes[0]!.context.bot
  }
  expect([
    botOf({ userAgent: 'curl/8' }),
    botOf({ address: '192.0.2.7' }),
    botOf({ userAgent: 'Mozilla/5.0', address: '198.51.100.1' }),
    botOf(undefined),
  ]).toEqual(['app_rule', 'app_rule', undefined, undefined])
})
