import { limits, type App, type Envelope, type Event } from '@hopper/contracts'
import { placeOf } from '@hopper/storage'
import { expect, it } from 'vitest'
import { deviceKey, judge, NO_PAST, seenKey, seenPartition, type Message, type Past } from './judge.ts'
import { envelopeOf } from '../testing/lane.fixture.ts'

const noon = Date.parse('2026-06-15T12:00:00Z')
const app: App = {
  id: 'shop',
  organization: 'o',
  name: 'Shop',
  timezone: 'Europe/Berlin',
  origins: [],
  keep_parameters: [],
}
const note = (event_id: string, fields: object = {}): Event => ({
  type: 'custom',
  name: 'n',
  event_id,
  timestamp: noon,
  seq: 0,
  ...fields,
})
const at = (position: number, events: Event[], fields: Partial<Envelope> = {}): Message => ({
  position,
  app,
  envelope: envelopeOf('shop', { events, ...fields }),
})
const fatesOf = (messages: Message[], past = NO_PAST): string[] => judge(messages, past).events.map(({ fate }) => fate)
const usersOf = (messages: Message[], past = NO_PAST): string[] =>
  judge(messages, past).events.map(({ visitor }) => visitor.user)
const seenAt = (position: number): Past => ({
  ...NO_PAST,
  firstPositions: new Map([[seenKey(seenPartition('shop', note('a')), 'a'), position]]),
})

it('judges an id as repeated if and only if it occurs earlier in the log', () => {
  expect(fatesOf([at(4, [note('a'), note('a'), note('b')]), at(5, [note('b')])])).toEqual([
    'accepted',
    'duplicate',
    'accepted',
    'duplicate',
  ])
  expect(fatesOf([at(4, [note('a')])], seenAt(3))).toEqual(['duplicate'])
})

it('judges the same in a replay that finds its own ids in the store', () => {
  expect(fatesOf([at(4, [note('a'), note('a')])], seenAt(4))).toEqual(['accepted', 'duplicate'])
  expect(fatesOf([at(4, [note('a')])], seenAt(9))).toEqual(['accepted'])
})

it('recognizes a repetition by the client time, even if the clock correction differs', () => {
  const corrected = note('a', { timestamp: noon + 86_400_000, client_time: noon })
  expect(fatesOf([at(1, [note('a')]), at(2, [corrected])])).toEqual(['accepted', 'duplicate'])
})

it('prefers duplicate over bot, and bot over late', () => {
  const bot = {
    context: { device: 'desktop', browser: '', os: '', bot: 'webdriver' },
    received_at: noon + 30 * 86_400_000,
  } as const
  expect(fatesOf([at(1, [note('a')]), at(2, [note('a'), note('b')], bot)])).toEqual(['accepted', 'duplicate', 'bot'])
})

it("judges events as late from a week after the end of the date in the app's time zone", () => {
  const end = Date.parse('2026-06-15T22:00:00Z') + limits.lateAfterMs
  expect(fatesOf([at(1, [note('a')], { received_at: end }), at(2, [note('b')], { received_at: end + 1 })])).toEqual([
    'accepted',
    'late',
  ])
})

it('accepts imported events of any age, with reason historical only where they would be late', () => {
  const imported = { context: { device: 'server', browser: '', os: '', historical: true } } as const
  const judged = judge(
    [at(1, [note('a')], imported), at(2, [note('b')], { ...imported, received_at: noon + 300 * 86_400_000 })],
    NO_PAST,
  ).events
  expect(judged.map(({ fate, reason }) => [fate, reason])).toEqual([
    ['accepted', 'new'],
    ['accepted', 'historical'],
  ])
})

it('assigns events to the last user that their device was identified as', () => {
  const ann = note('b', { type: 'identify', user_id: 'ann' })
  const bob = note('d', { user_id: 'bob' })
  const messages = [
    at(1, [note('a'), ann, note('c')]),
    at(2, [bob, note('e')]),
    at(3, [note('f')], { device_id: 'other' }),
  ]
  expect(usersOf(messages)).toEqual(['', 'ann', 'ann', 'bob', 'bob', ''])
  expect(judge(messages, NO_PAST).identities.map(({ user, place }) => [user, place])).toEqual([
    ['ann', placeOf(1, 1)],
    ['bob', placeOf(2, 0)],
  ])
})

it('uses only identities before a replayed batch, not those that the batch itself wrote', () => {
  const known = [
    { user: 'ann', place: placeOf(1, 1) },
    { user: 'bob', place: placeOf(2, 1) },
  ]
  const past: Past = { ...NO_PAST, identities: new Map([[deviceKey('shop', 'd'), known]]) }
  expect(usersOf([at(2, [note('a'), note('b', { user_id: 'bob' })])], past)).toEqual(['ann', 'bob'])
  expect(usersOf([at(1, [note('a')])], past)).toEqual([''])
})

it('ignores identities of repetitions, and takes those of bots, whose verdict can be reversed', () => {
  const machine = { context: { device: 'desktop', browser: '', os: '', bot: 'webdriver' } } as const
  const messages = [
    at(1, [note('a')]),
    at(2, [note('a', { user_id: 'ann' })]),
    at(3, [note('b', { user_id: 'bob' })], machine),
  ]
  expect(judge(messages, NO_PAST).identities.map(({ user, place }) => [user, place])).toEqual([['bob', placeOf(3, 0)]])
})

it('judges by the rules of the app, and an event of the archive by the verdict that it has there', () => {
  const context = { device: 'desktop', browser: 'Firefox', os: 'Linux' } as const
  const ruled = (position: number, sign: object, isArchived: boolean): Message => {
    const message = at(position, [note(`e${position}`)], { context: { ...context, ...sign } })
    const app = { ...message.app, bot_rules: [{ kind: 'browser', value: 'firefox', action: 'bot' } as const] }
    return { ...message, app, ...(isArchived ? { isArchived } : {}) }
  }
  const messages = [
    ruled(1, {}, false),
    ruled(2, { bot_sign: 'human' }, false),
    ruled(3, {}, true),
    ruled(4, { bot: 'rate', bot_sign: 'none' }, true),
  ]
  expect(judge(messages, NO_PAST).events.map(({ fate, reason }) => [fate, reason])).toEqual([
    ['bot', 'app_rule'],
    ['accepted', 'new'],
    ['accepted', 'new'],
    ['bot', 'rate'],
  ])
})
