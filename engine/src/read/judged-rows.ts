import type { BotReason, BotSign, EventType, Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { idAt } from '../chunk/ids.ts'
import type { ExportRange } from '../export/exported-event.ts'

const valueColumns = [
  'type',
  'session_id',
  'to',
  'current_url',
  'browser',
  'os',
  'country',
  'referrer',
  'bot',
  'bot_sign',
] as const

/** The columns that `judgedRows` reads, those of them that a chunk has. */
export const judgedColumns: ReadonlySet<string> = new Set([
  ...['runs', 'device_id', 'timestamp', 'position', 'index', 'received_at'],
  ...valueColumns,
])

/** An archived event, with the fields that decide whether its sender is a bot. */
export interface JudgedRow {
  readonly device: string
  readonly session: string | undefined
  readonly type: EventType
  readonly timestamp: number
  readonly received_at: number
  readonly position: number
  readonly index: number
  /** address of the page that the event is on */
  readonly url: string | undefined
  readonly context: {
    readonly browser: string
    readonly os: string
    readonly country?: string
    readonly referrer?: string
    readonly bot?: BotReason
    readonly bot_sign?: BotSign
  }
}

/** Yields the events of a chunk that are in the range, device by device. */
export function* judgedRows(chunk: Chunk, { from, to }: ExportRange): Generator<JudgedRow> {
  const columns = Object.fromEntries(valueColumns.map((name) => [name, chunk.values(name)])) as Record<
    (typeof valueColumns)[number],
    ReturnType<Chunk['values']>
  >
  const at = (name: (typeof valueColumns)[number], row: number): Value | undefined => {
    const column = columns[name]
    return column ? (column.values[column.codes[row]!] ?? undefined) : undefined
  }
  const text = (name: (typeof valueColumns)[number], row: number): string | undefined => {
    const value = at(name, row)
    return value === undefined ? undefined : String(value)
  }
  const [times, receivedAt] = [chunk.times(), chunk.numbers('received_at')]
  const [positions, indexes] = [chunk.numbers('position'), chunk.numbers('index')]
  const [{ starts }, ids] = [chunk.runs(), chunk.deviceIds()]
  for (let run = 0; run < starts.length - 1; run++) {
    const device = idAt(ids, run)
    for (let row = starts[run]!; row < starts[run + 1]!; row++) {
      const timestamp = times[row]!
      if (timestamp < from || timestamp >= to) continue
      const type = text('type', row) as EventType
      const [country, referrer] = [text('country', row), text('referrer', row)]
      const [bot, sign] = [text('bot', row) as BotReason | undefined, text('bot_sign', row) as BotSign | undefined]
      yield {
        device,
        session: text('session_id', row),
        type,
        timestamp,
        received_at: receivedAt[row]!,
        position: positions[row]!,
        index: indexes[row]!,
        url: type === 'url_change' ? (text('to', row) ?? '') : text('current_url', row),
        context: {
          browser: text('browser', row) ?? '',
          os: text('os', row) ?? '',
          ...(country === undefined ? {} : { country }),
          ...(referrer === undefined ? {} : { referrer }),
          ...(bot === undefined ? {} : { bot }),
          ...(sign === undefined ? {} : { bot_sign: sign }),
        },
      }
    }
  }
}
