import type { Event } from '@hopper/contracts'
import type { ExportedEvent } from './exported-event.ts'

/**
 * Representation of a column in Arrow: `id` = text that hardly repeats, `text` = dictionary-encoded text, `count` =
 * whole number, `time` = ms, UTC. A missing value is null.
 */
export type ExportKind = 'id' | 'text' | 'count' | 'time'
export interface ExportColumn<K extends ExportKind = ExportKind> {
  readonly name: string
  readonly kind: K
  readonly value: (event: ExportedEvent) => K extends 'id' | 'text' ? string | undefined : number | undefined
}
type Columns = readonly { [K in ExportKind]: ExportColumn<K> }[ExportKind][]
type TextField = 'name' | 'user_id' | 'target' | 'action' | 'pointer' | 'current_url' | 'from' | 'to' | 'funnel'
type CountField = 'elapsed_time' | 'entered' | 'samplerate'

const field = <N extends string>(event: Event, name: N): unknown => (event as Readonly<Record<string, unknown>>)[name]
const text = (name: TextField): ExportColumn<'text'> => ({
  name,
  kind: 'text',
  value: ({ event }) => textOf(field(event, name)),
})
const count = (name: CountField): ExportColumn<'count'> => ({
  name,
  kind: 'count',
  value: ({ event }) => numberOf(field(event, name)),
})
const utm = (name: string): ExportColumn<'text'> => ({
  name: `utm_${name}`,
  kind: 'text',
  value: ({ context }) => context.utm?.[`utm_${name}`],
})

/**
 * The columns of `arrow` and `csv`. They are the same for every export, so that exports can be concatenated. `data`
 * contains the free keys of an event as one JSON object; `from` is the URL left, `from_stage` the stage left.
 */
export const exportColumns: Columns = [
  { name: 'event_id', kind: 'id', value: ({ event }) => event.event_id },
  { name: 'timestamp', kind: 'time', value: ({ event }) => event.timestamp },
  { name: 'type', kind: 'text', value: ({ event }) => event.type },
  text('name'),
  { name: 'device_id', kind: 'text', value: ({ device_id }) => device_id },
  { name: 'user', kind: 'text', value: ({ user }) => user || undefined },
  { name: 'session_id', kind: 'text', value: ({ event }) => event.session_id },
  { name: 'seq', kind: 'count', value: ({ event }) => event.seq },
  text('user_id'),
  text('target'),
  text('action'),
  text('pointer'),
  text('current_url'),
  text('from'),
  text('to'),
  text('funnel'),
  { name: 'from_stage', kind: 'count', value: ({ event }) => numberOf(field(event, 'from')) },
  count('entered'),
  count('elapsed_time'),
  count('samplerate'),
  {
    name: 'data',
    kind: 'id',
    value: ({ event }) => ('data' in event && event.data ? JSON.stringify(event.data) : undefined),
  },
  { name: 'payload', kind: 'id', value: ({ event }) => textOf(field(event, 'payload')) },
  { name: 'timestamp_ns', kind: 'id', value: ({ event }) => textOf(field(event, 'timestamp_ns')) },
  { name: 'device', kind: 'text', value: ({ context }) => context.device },
  { name: 'browser', kind: 'text', value: ({ context }) => context.browser },
  { name: 'os', kind: 'text', value: ({ context }) => context.os },
  { name: 'country', kind: 'text', value: ({ context }) => context.country },
  { name: 'region', kind: 'text', value: ({ context }) => context.region },
  { name: 'channel', kind: 'text', value: ({ context }) => context.channel },
  { name: 'referrer', kind: 'text', value: ({ context }) => context.referrer },
  { name: 'landing_page', kind: 'text', value: ({ context }) => context.landing_page },
  { name: 'click_id', kind: 'text', value: ({ context }) => context.click_id },
  utm('source'),
  utm('medium'),
  utm('campaign'),
  utm('term'),
  utm('content'),
  { name: 'language', kind: 'text', value: ({ context }) => context.language },
  { name: 'screen', kind: 'text', value: ({ context }) => context.screen },
  { name: 'numbered', kind: 'text', value: ({ context }) => context.numbered && 'true' },
  { name: 'historical', kind: 'text', value: ({ context }) => context.historical && 'true' },
  { name: 'bot', kind: 'text', value: ({ context }) => context.bot },
  { name: 'bot_sign', kind: 'text', value: ({ context }) => context.bot_sign },
  { name: 'client_time', kind: 'time', value: ({ event }) => event.client_time },
  { name: 'received_at', kind: 'time', value: ({ received_at }) => received_at },
  { name: 'lane', kind: 'count', value: ({ lane }) => lane },
  { name: 'position', kind: 'count', value: ({ position }) => position },
  { name: 'index', kind: 'count', value: ({ index }) => index },
]

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
