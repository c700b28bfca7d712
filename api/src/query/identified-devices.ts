import type { ChunkSummary } from '@hopper/contracts'
import { Chunk, chunkRowReader, type DeviceUsers } from '@hopper/engine'
import type { FetchedChunk } from './query-job.ts'

/** The columns that tell who the devices of a chunk belong to. */
export const identifyingColumns = ['runs', 'device_id', 'user', 'event_id', 'timestamp', 'seq', 'received_at', 'position', 'index'] as const

interface Seen {
  readonly user: string
  readonly position: number
  readonly index: number
}

/** The users of every device that was ever identified, in the order of the log. All events of a device are in one lane, so positions order them. */
export function identifiedDevices(chunks: readonly FetchedChunk[]): DeviceUsers[] {
  const devices = new Map<string, Map<string, Seen>>()
  for (const { summary, columns } of chunks) {
    const chunk = new Chunk(narrowed(summary), (column) => columns.get(column))
    const users = chunk.values('user')
    if (!users) continue
    const { starts } = chunk.runs()
    const [positions, indexes, read] = [chunk.numbers('position'), chunk.numbers('index'), chunkRowReader(chunk)]
    for (let run = 0; run + 1 < starts.length; run++) {
      let known: Map<string, Seen> | undefined
      for (let row = starts[run]!; row < starts[run + 1]!; row++) {
        const user = users.values[users.codes[row]!] as string | null
        if (user === null) continue
        if (!known) {
          const device = read(row).device_id
          known = devices.get(device)
          if (!known) devices.set(device, (known = new Map()))
        }
        const [position, index, earlier] = [positions[row]!, indexes[row]!, known.get(user)]
        if (!earlier || position < earlier.position || (position === earlier.position && index < earlier.index)) known.set(user, { user, position, index })
      }
    }
  }
  return [...devices].map(([device_id, users]) => ({
    device_id, users: [...users.values()].sort((a, b) => a.position - b.position || a.index - b.index).map(({ user }) => user),
  }))
}

function narrowed(summary: ChunkSummary): ChunkSummary {
  const columns = identifyingColumns.flatMap((name): [string, number][] => (Object.hasOwn(summary.columns, name) ? [[name, summary.columns[name]!]] : []))
  return { ...summary, columns: Object.fromEntries(columns) }
}
