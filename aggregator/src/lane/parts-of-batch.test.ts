import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { App, Event } from '@hopper/contracts'
import { withOverrides } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { Aggregator } from '../aggregator.ts'
import { BatchFold, foldBatch, type Folded } from '../fold/fold-batch.ts'
import { EarlierParts, judge, NO_PAST, seenDate, type Judged, type Message } from '../judge/judge.ts'
import { envelopeOf, messagesOf, openLane } from '../testing/lane.fixture.ts'
import { addVerdicts, type Verdicts } from '../judge/verdicts.ts'

const T0 = Date.parse('2026-06-15T23:00:00Z')
const apps: readonly App[] = ['a', 'b'].map((id) => ({
  id,
  organization: 'o',
  name: id,
  timezone: 'Asia/Kathmandu',
  origins: [],
  keep_parameters: [],
}))

const event = fc
  .record({
    id: fc.nat(6),
    minutes: fc.nat(120),
    page: fc.constantFrom('/a', '/b'),
    user: fc.constantFrom(undefined, undefined, 'ann', 'bob'),
    session: fc.constantFrom(undefined, 's', 't'),
  })
  .map(({ id, minutes, page, user, session }): Event => ({
    type: 'url_change',
    event_id: `e${id}`,
    timestamp: T0 + minutes * 60_000,
    seq: 0,
    from: '',
    to: page,
    elapsed_time: 0,
    ...(user ? { user_id: user } : {}),
    ...(session ? { session_id: session } : {}),
  }))
const message = fc.record({
  app: fc.constantFrom(...apps),
  device: fc.nat(2),
  bot: fc.boolean(),
  refused: fc.boolean(),
  events: fc.array(event, { maxLength: 4 }),
})
const batch = fc.array(message, { minLength: 1, maxLength: 12 }).map((all) =>
  all.map(({ app, device, bot, refused, events }, position): Message => ({
    position,
    app,
    envelope: envelopeOf(app.id, {
      device_id: `d${device}`,
      received_at: T0 + 3_600_000,
      events,
      ...(refused ? { rejected: [{ reason: 'too_old' as const }] } : {}),
      context: { device: 'desktop', browser: '', os: '', ...(bot ? { bot: 'webdriver' as const } : {}) },
    }),
  })),
)

/**
 * Judges and folds a batch in parts that end at these messages. As with a filter, `suspects` contains only ids that
 * occurred before in the batch, or twice in the part.
 */
function inParts(
  messages: readonly Message[],
  cuts: readonly number[],
): { folded: Folded; judged: Judged[]; verdicts: Verdicts[] } {
  const fold = new BatchFold(() => -1)
  const earlier = new EarlierParts()
  const judged: Judged[] = []
  const verdicts: Verdicts[] = []
  const seenIds = new Set<string>()
  const bounds = [...new Set([0, ...cuts.map((cut) => cut % messages.length), messages.length])].sort((a, b) => a - b)
  for (const [i, begin] of bounds.slice(0, -1).entries()) {
    const part = messages.slice(begin, bounds[i + 1])
    const ids = part.flatMap(({ app, envelope }) =>
      envelope.events.map((each) => ({ partition: { app: app.id, date: seenDate(each) }, ids: [each.event_id] })),
    )
    const suspects = new Set<string>()
    for (const {
      ids: [id],
    } of ids)
      if (seenIds.has(id!)) suspects.add(id!)
      else seenIds.add(id!)
    const judgement = judge(part, { ...NO_PAST, suspects, earlier })
    fold.add(part, judgement)
    earlier.add(judgement, ids)
    addVerdicts(verdicts, part, judgement)
    judged.push(...judgement.events)
  }
  return { folded: fold.changes(messages.at(-1)!.position), judged, verdicts }
}

const sorted = <T>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** Sorts rows, whose order is irrelevant. */
const inOrder = ({ counters, visitors, seen, identities, sessions }: Folded): unknown => ({
  counters: sorted(counters.map((change) => ({ ...change, rows: sorted(change.rows) }))),
  visitors: sorted(visitors.map((change) => ({ ...change, rows: sorted(change.rows) }))),
  seen,
  identities,
  sessions,
})

it('gives the same result for a batch that is judged and folded in parts as for the whole batch', () => {
  fc.assert(
    fc.property(batch, fc.array(fc.nat(), { maxLength: 6 }), (messages, cuts) => {
      const whole = judge(messages, NO_PAST)
      const { folded, judged, verdicts } = inParts(messages, cuts)
      expect(judged.map(({ fate, visitor, date }) => [fate, visitor, date])).toEqual(
        whole.events.map(({ fate, visitor, date }) => [fate, visitor, date]),
      )
      expect(inOrder(folded)).toEqual(inOrder(foldBatch(messages, whole)))
      const all: Verdicts[] = []
      addVerdicts(all, messages, whole)
      expect(sorted(verdicts)).toEqual(sorted(all))
    }),
    { numRuns: 500 },
  )
})

it('counts a repeated id of a large batch once, and keeps the user that a device got at the beginning', async () => {
  await using lane = await openLane(openEmbedded)
  const app = `p-${randomUUID()}`
  await lane.app(app)
  const view = (id: number, fields: object = {}): Event => ({
    type: 'url_change',
    event_id: `e${id}`,
    timestamp: T0,
    seq: id,
    from: '',
    to: `/${'long'.repeat(100)}`,
    elapsed_time: 0,
    ...fields,
  })
  const events = (position: number): Event[] =>
    position === 0 ? [view(0, { user_id: 'ann' })] : position === 999 ? [view(0), view(5), view(999)] : [view(position)]
  const messages = messagesOf(
    Array.from({ length: 1_000 }, (_, position) => ({
      position,
      envelope: envelopeOf(app, {
        device_id: position === 0 || position === 999 ? 'd' : `other-${position}`,
        received_at: T0,
        events: events(position),
      }),
    })),
  )
  const aggregator = new Aggregator({ ...lane.storage, owner: app })
  await aggregator.assigned(0)
  await aggregator.batch(0, messages)
  await aggregator.batch(0, messages)
  await aggregator.revoked(0)
  expect(await lane.fates(app)).toEqual({ accepted: 1_000, duplicate: 2 })
  const { persons, devices } = await lane.tables(app)
  expect(
    [persons, devices].map((rows) => Object.entries(rows).find(([row]) => row.startsWith('users_by_date'))![1]),
  ).toEqual([999, 999])
})

it('looks up a batch that is redelivered after a restart in few queries, not one per part', async () => {
  await using lane = await openLane(openEmbedded)
  const app = `p-${randomUUID()}`
  await lane.app(app)
  const messages = messagesOf(
    Array.from({ length: 2_000 }, (_, position) => ({
      position,
      envelope: envelopeOf(app, {
        device_id: `d${position}`,
        received_at: T0,
        events: [
          {
            type: 'custom',
            name: 'n',
            data: { long: 'x'.repeat(200) },
            event_id: `e${position}`,
            timestamp: T0,
            seq: 0,
          },
        ],
      }),
    })),
  )
  let lookUps = 0
  const writer = withOverrides(lane.storage.writer, {
    firstPositions: (...args) => (lookUps++, lane.storage.writer.firstPositions(...args)),
  })
  for (const restart of [0, 1]) {
    const aggregator = new Aggregator({ ...lane.storage, writer, owner: `${app}-${restart}` })
    await aggregator.assigned(0)
    lookUps = 0
    await aggregator.batch(0, messages)
    await aggregator.revoked(0)
  }
  expect(lookUps).toBeGreaterThan(0)
  expect(lookUps).toBeLessThanOrEqual(3)
  expect(await lane.fates(app)).toEqual({ accepted: 2_000 })
})

it('archives a batch that exceeds the buffer of a lane while it is folded', async () => {
  await using lane = await openLane(openEmbedded)
  const app = `p-${randomUUID()}`
  await lane.app(app)
  const notes = (position: number): Event[] =>
    Array.from({ length: 500 }, (_, index) => ({
      type: 'custom',
      name: 'n',
      event_id: `${position}-${index}`,
      timestamp: T0 + index,
      seq: index,
    }))
  const messages = messagesOf(
    Array.from({ length: 90 }, (_, position) => ({
      position,
      envelope: envelopeOf(app, { device_id: `d${position}`, received_at: T0, events: notes(position) }),
    })),
  )
  const aggregator = new Aggregator({ ...lane.storage, owner: app })
  await aggregator.assigned(0)
  await aggregator.batch(0, messages)
  const spans = (): Promise<readonly { readonly rows: number }[]> =>
    lane.storage.archive!.list({ app, from: 0, to: T0 * 2 })
  expect((await spans()).map(({ rows }) => rows)).toEqual([20_000, 20_000])
  await aggregator.revoked(0)
  expect((await spans()).map(({ rows }) => rows)).toEqual([20_000, 20_000, 5_000])
  expect(await lane.fates(app)).toEqual({ accepted: 45_000 })
})
