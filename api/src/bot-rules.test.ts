import { botDefinition, botReviewId, type BotReview } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { provision } from './provisioning/provision.ts'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

const admin = { authorization: `Bearer ${keys.admin}` }
const read = { authorization: `Bearer ${keys.read}` }
const app = '/api/v1/apps/shop'
const rule = { kind: 'browser', value: 'Firefox', action: 'bot' }

test('rules about bots are validated, replaced as a whole, and shown', async () => {
  const patch = async (bot_rules: unknown) => hopper.send('PATCH', app, { bot_rules }, admin)
  expect((await hopper.get(app, admin)).body).toMatchObject({ bot_rules: [] })
  const wrong: [unknown, RegExp][] = [
    [{}, /array/],
    [[{ ...rule, kind: 'cookie' }], /kind/],
    [[{ ...rule, action: 'maybe' }], /action/],
    [[{ ...rule, value: '' }], /value/],
    [[{ ...rule, value: 'x'.repeat(201) }], /value/],
    [[{ ...rule, more: 1 }], /more/],
    [[{ ...rule, value: ' Firefox' }], /space/],
    [[{ ...rule, kind: 'network', value: '10.0.0.0/33' }], /192\.0\.2\.0\/24/],
    [[{ ...rule, kind: 'network', value: 'example.com' }], /192\.0\.2\.0\/24/],
    [[{ ...rule, kind: 'country', value: 'Germany' }], /ISO 3166-1/],
    [[{ ...rule, kind: 'page', value: 'admin' }], /must begin with/],
    [[{ ...rule, kind: 'user_agent_regex', value: '(a' }], /RE2/],
    [[{ ...rule, kind: 'user_agent_regex', value: '(?=a)' }], /RE2/],
    [[{ ...rule, kind: 'user_agent_regex', value: '(a{500}){500}' }], /RE2/],
    [[rule, { ...rule, value: 'firefox', action: 'human' }], /bot_rules\[0\]/],
    [Array.from({ length: 21 }, (_, index) => ({ ...rule, value: `b${index}` })), /20/],
  ]
  for (const [rules, message] of wrong) {
    const { status, body } = await patch(rules)
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(message) as string])
    expect(body).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  }
  const rules = [
    rule,
    { kind: 'network', value: '2001:db8::/32', action: 'human' },
    { kind: 'page', value: '/a', action: 'bot' },
    { kind: 'user_agent_regex', value: '^(curl|wget)/', action: 'bot' },
  ]
  expect(await patch(rules)).toMatchObject({ status: 200, body: { bot_rules: rules } })
  expect((await hopper.get(app, admin)).body).toMatchObject({ bot_rules: rules })
  expect(await patch([])).toMatchObject({ status: 200, body: { bot_rules: [] } })
  expect((await hopper.send('PATCH', app, { bot_rules: [rule] }, read)).status).toBe(403)
  expect((await hopper.send('PATCH', app, { bot_review: {} }, admin)).status).toBe(400)
  const created = await hopper.send('POST', '/api/v1/apps', { id: 'ruled', name: 'R', bot_rules: [rule] }, admin)
  expect(created.body).toMatchObject({ app: { bot_rules: [rule] } })
})

test('the progress of applying rules to the past covers all lanes, and begins again when rules change', async () => {
  const { registry, log } = hopper.storage
  const progress = async (): Promise<unknown> => {
    const { body } = await hopper.get(app, admin)
    return (body as { bot_review: unknown }).bot_review
  }
  expect(await progress()).toEqual({ state: 'waiting', share: 0 })
  const shop = (await registry.app('shop'))!
  const lanes = Array.from({ length: log.lanes }, (_, lane): BotReview => ({
    ...{ app: 'shop', lane, lanes: log.lanes, definition: botDefinition(shop), until: 0, reviewed: 0 },
    ...{ changes: 0, dates: [], received: [] },
  }))
  for (const lane of lanes) await registry.botReviews.put('shop', botReviewId(lane), lane)
  expect(await progress()).toEqual({ state: 'done', share: 1 })
  const half: BotReview = { ...lanes[0]!, whole: { since: 0, done: 1, dates: 2 } }
  await registry.botReviews.put('shop', botReviewId(half), half)
  expect(await progress()).toEqual({ state: 'running', share: 1 - 0.5 / log.lanes })
  await hopper.send('PATCH', app, { bot_rules: [{ kind: 'user_agent', value: 'pingdom', action: 'human' }] }, admin)
  expect(await progress()).toMatchObject({ state: 'running' })
  await hopper.send('PATCH', app, { bot_rules: [rule] }, admin)
  expect(await progress()).toEqual({ state: 'waiting', share: 0 })
})

test('a provision file sets rules, and keeps them when it names none', async () => {
  const { registry } = hopper.storage
  const apply = async (more: object): Promise<unknown> => {
    const apps = [{ id: 'provided', name: 'P', ...more }]
    await provision(registry, { organizations: [{ id: 'o', name: 'O', apps }] })
    return (await registry.app('provided'))?.bot_rules
  }
  expect(await apply({ bot_rules: [rule] })).toEqual([rule])
  expect(await apply({})).toEqual([rule])
  await expect(apply({ bot_rules: [{ ...rule, kind: 'network' }] })).rejects.toThrow('must be a network')
})
