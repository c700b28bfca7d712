import * as fc from 'fast-check'
import {
  laneOf,
  type ArchivedEvent,
  type ChunkSummary,
  type ComputedProperty,
  type Context,
  type Event,
} from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeChunks } from '../chunk/encoding/encode-chunk.ts'
import { mergeChunks } from '../chunk/merge-chunks.ts'
import type { LaneInput } from '../funnel/scan/unit-scan.ts'
import { spansOf } from '../scan/device-cursor.ts'
import { PROPERTY_PREFIX, TRAIT_PREFIX } from '../chunk/event-keys.ts'
import { People, type PersonValues } from '../people/people.ts'
import { propertyFacts, PropertyTotals } from '../people/property-facts.ts'
import { PropertyPlan } from '../people/property-plan.ts'
import { traitFacts, Traits } from '../people/traits.ts'
import { unlimitedBudget } from '../scan/budget.ts'
import { identitiesOf, type Identities } from '../scan/identities.ts'
import type { NaivePerson } from './naive-filter.ts'
import { naivePeople } from './naive-people.ts'

/** Unit of time in the random worlds: three ticks are the pause that ends a session. */
export const TICK_MS = 600_000
/** A Sunday evening: Monday in Berlin begins at tick 12. */
export const T0 = 1_767_560_400_000
export const APP = 'a'

/** Events of an app as chunks of the archive, and the same events as plain rows. */
export interface World {
  readonly rows: readonly (ArchivedEvent & { readonly lane: number; readonly person: NaivePerson })[]
  readonly users: ReadonlyMap<string, readonly string[]>
  readonly identities: Identities
  readonly chunks: readonly (readonly Chunk[])[]
  readonly lanes: readonly LaneInput[]
}

interface Draft {
  readonly device: number
  readonly tick: number
  readonly seq: number
  readonly name: 'a' | 'b' | 'c' | 'd' | 'identify' | 'url' | 'click' | 'hover'
  readonly user: number
  readonly item: string | number | boolean | undefined
  readonly plan: number
  readonly session: number
  readonly bot: boolean
  readonly samplerate: number
  /** values of rare keys; there are more such keys than columns in a chunk */
  readonly rare: readonly (readonly [key: string, value: string | number | boolean])[]
}

/** Keys that only some events have, including names of fields. */
export const rareKeys = [
  ...Array.from({ length: 30 }, (_, i) => `k${i}`),
  'name',
  'to',
  'user_id',
  'utm_source',
  'channel',
  'landing_page',
  '__proto__',
]

const rare = fc.array(
  fc.tuple(fc.constantFrom(...rareKeys), fc.constantFrom<string | number | boolean>('x', 'a', 1, '1', true, 'user-1')),
  { maxLength: 9, size: 'max' },
)

const various = ['a', 'a', 'a', 'b', 'b', 'c', 'c', 'd', 'url', 'click', 'hover', 'identify'] as const
/** Half of them visits and clicks, close together. */
const visits = ['a', 'a', 'b', 'c', 'url', 'url', 'url', 'click', 'click', 'identify'] as const

const draftOf = (names: readonly Draft['name'][], ticks: number): fc.Arbitrary<Draft> =>
  fc.record({
    device: fc.nat({ max: 3 }),
    tick: fc.nat({ max: ticks }),
    seq: fc.nat({ max: 2 }),
    name: fc.constantFrom(...names),
    user: fc.nat({ max: 11 }),
    item: fc.constantFrom('x', 'x', 'x', 'y', 1, '1', true, undefined),
    plan: fc.nat({ max: 2 }),
    session: fc.nat({ max: 4 }),
    bot: fc.nat({ max: 30 }).map((n) => n === 0),
    samplerate: fc.constantFrom(1, 1, 1, 5),
    rare,
  })

const worldOf = (draft: fc.Arbitrary<Draft>): fc.Arbitrary<World> =>
  fc
    .record({
      drafts: fc.array(draft, { minLength: 12, maxLength: 45, size: 'max' }),
      lanes: fc.constantFrom(1, 2, 3),
      rowsMax: fc.constantFrom(2, 5, 100, 100),
      cuts: fc.array(fc.integer({ min: 2, max: 16 }), { minLength: 4, maxLength: 4 }),
      merge: fc.nat({ max: 3 }),
      wide: fc.boolean(),
    })
    .map(({ drafts, lanes, rowsMax, cuts, merge, wide }) =>
      build(wide ? drafts : drafts.map((draft) => ({ ...draft, rare: [] })), lanes, rowsMax, cuts, merge),
    )

/** Generates small worlds with many ties, repeated steps, shared devices and split chunks. */
export const world = worldOf(draftOf(various, 30))
/** Generates worlds in which people often go from place to place within a session. */
export const worldOfVisits = worldOf(draftOf(visits, 12))

function build(
  drafts: readonly Draft[],
  lanes: number,
  rowsMax: number,
  cuts: readonly number[],
  merge: number,
): World {
  const positions = new Array<number>(lanes).fill(0)
  const users = new Map<string, string[]>()
  const rows = drafts.map((d, i) => {
    const device_id = `device-${d.device}`
    const lane = laneOf(APP, device_id, lanes)
    const identified = d.name === 'identify' || d.user < 2
    if (identified) users.set(device_id, [...(users.get(device_id) ?? []), `user-${d.user % 3}`])
    const user = users.get(device_id)?.at(-1) ?? ''
    const position = positions[lane]! + (i % 3 === 0 ? 0 : 1)
    positions[lane] = position
    return {
      event: eventOf(d, i, identified),
      device_id,
      lane,
      user,
      context: contextOf(d),
      received_at: T0 + 40 * TICK_MS + i,
      position,
      index: i,
    }
  })
  const identities = identitiesOf(
    APP,
    [...users].map(([device_id, names]) => ({ device_id, users: names })),
  )
  const unknown = Array.from({ length: lanes }, (_, lane) =>
    chunksOf(
      rows.filter((row) => row.lane === lane),
      lane,
      rowsMax,
      cuts,
      merge,
    ),
  )
  const people = peopleOf(identities, unknown.flat())
  const chunks = unknown.map((list) => list.map((chunk) => chunk.withPeople(people)))
  const persons = naivePeople(rows, users, properties)
  return {
    rows: rows.map((row) => ({ ...row, person: persons.get(row)! })),
    users,
    identities,
    chunks,
    lanes: chunks.map((list, lane) => ({ lane, spans: spansOf(list), identities })),
  }
}

/** Traits and computed properties that queries of the random worlds name. */
export const traits = ['item', 'plan', 'k1', 'k2', 'user_id']
export const properties: readonly ComputedProperty[] = [
  { name: 'a', event: 'a', operation: 'count', filters: [{ type: 'gt', key: 'plan', value: 0 }] },
  { name: 'items', event: 'custom', operation: 'count', key: 'item' },
  { name: 'sum', event: 'b', operation: 'sum', key: 'item' },
  { name: 'difference', event: 'a', operation: 'difference', key: 'plan' },
  { name: 'first', event: 'a', operation: 'first', key: 'item' },
  { name: 'latest', event: 'custom', operation: 'latest', key: 'k1' },
  { name: 'minimum', event: 'identify', operation: 'minimum', key: 'plan' },
  { name: 'maximum', event: 'c', operation: 'maximum', key: 'item' },
  { name: 'unique', event: 'custom', operation: 'unique', key: 'item' },
  { name: 'pages', event: 'url_change', operation: 'unique', key: 'page' },
]

function peopleOf(identities: Identities, chunks: readonly Chunk[]): People {
  const known = new Traits()
  // in an order of its own, since none is promised
  const unordered = chunks.toReversed()
  for (const chunk of unordered) known.add(traitFacts(chunk, traits))
  return new People(
    identities,
    new Map<string, PersonValues>([
      ...traits.map((name) => [TRAIT_PREFIX + name, known.valuesOf(name)] as const),
      ...properties.map(({ name, ...definition }) => {
        const plan = new PropertyPlan(definition)
        const totals = new PropertyTotals(definition.operation, identities)
        for (const chunk of unordered)
          if (plan.canMatch(chunk.summary)) totals.add(propertyFacts(plan, chunk, unlimitedBudget))
        return [PROPERTY_PREFIX + name, totals] as const
      }),
    ]),
  )
}

/** Different spellings of one page, as a path and with a host. */
const addresses: readonly ((plan: number) => string)[] = [
  (plan) => `/p${plan}`,
  (plan) => `/p${plan}/`,
  (plan) => `https://S.example/p${plan}?plan=${plan}#top`,
  (plan) => `https://s.example/%70${plan}`,
  () => '',
]

function eventOf(d: Draft, i: number, identified: boolean): Event {
  const base = {
    event_id: i % 2 === 0 ? `evt_${i}` : `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
    timestamp: T0 + d.tick * TICK_MS,
    seq: d.seq,
    ...(d.session > 2 ? { session_id: `s-${d.session}` } : {}),
  }
  const user = identified ? { user_id: `user-${d.user % 3}` } : {}
  const data = {
    ...(d.item === undefined ? {} : { item: d.item, page: d.item }),
    plan: d.plan,
    constructor: 'k',
    ...Object.fromEntries(d.rare),
  }
  if (d.name === 'identify') return { ...base, type: 'identify', user_id: `user-${d.user % 3}`, data }
  if (d.name === 'url')
    return {
      ...base,
      ...user,
      type: 'url_change',
      from: '',
      to: addresses[i % addresses.length]!(d.plan),
      elapsed_time: d.tick,
    }
  if (d.name === 'click')
    return {
      ...base,
      ...user,
      type: 'click',
      target: d.seq === 0 ? '//a' : '//b',
      current_url: addresses[i % addresses.length]!(d.plan),
      elapsed_time: d.tick,
    }
  if (d.name === 'hover')
    return {
      ...base,
      type: 'btn_time',
      target: d.session > 1 ? '//a' : '//b',
      action: d.seq === 0 ? 'hover-then-clicked' : 'hover-then-leave',
      elapsed_time: d.tick * (d.plan + 1) * 10,
    }
  return {
    ...base,
    ...user,
    type: 'custom',
    name: d.name,
    data,
    ...(d.seq === 0 ? { current_url: addresses[i % addresses.length]!(d.plan) } : {}),
    ...(d.samplerate > 1 ? { samplerate: d.samplerate } : {}),
  }
}

function contextOf(d: Draft): Context {
  return {
    device: 'desktop',
    browser: 'Firefox',
    os: 'Linux',
    ...(d.plan > 0 ? { country: d.plan === 1 ? 'DE' : 'FR' } : {}),
    ...(d.plan === 1 ? { region: 'DE-BY', channel: 'search' as const, referrer: 'google.com/', numbered: true } : {}),
    ...(d.plan === 2 ? { channel: 'direct' as const, landing_page: 'shop.example/', screen: 'small' as const } : {}),
    ...(d.plan > 1 ? { language: 'de-AT', click_id: 'fbclid' as const } : {}),
    ...(d.bot ? { bot: 'user_agent' as const } : {}),
    ...(d.plan === 2 ? { utm: { utm_source: 'news' } } : {}),
  }
}

function chunksOf(
  rows: readonly ArchivedEvent[],
  lane: number,
  rowsMax: number,
  cuts: readonly number[],
  merge: number,
): Chunk[] {
  const spans: Chunk[][] = []
  for (let begin = 0, cut = 0; begin < rows.length; cut++) {
    const end = begin + cuts[cut % cuts.length]!
    const batch = rows.slice(begin, end)
    const cover = {
      app: APP,
      date: '2026-01-01',
      lane,
      first_position: begin,
      last_position: Math.min(end, rows.length) - 1,
    }
    spans.push(encodeChunks(batch, cover, rowsMax).map((chunk) => Chunk.of(chunk)))
    begin = end
  }
  if (merge === 0) return mergeChunks(spans.flat()).map((chunk) => Chunk.of(chunk))
  if (merge === 1 && spans.length > 1)
    return [...mergeChunks(spans.slice(0, 2).flat()).map((chunk) => Chunk.of(chunk)), ...spans.slice(2).flat()]
  return spans.flat()
}

/** Returns the positions that a chunk covers, for assertions. */
export function coverOf({ first_position, last_position }: ChunkSummary): readonly [number, number] {
  return [first_position, last_position]
}
