import type { ArchivedEvent, Envelope } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import type { Archive } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { LaneMerges } from './lane-merges.ts'
import { MergeThread } from './merge-thread.ts'

/** Returns the event at a position of the lane; the expected content of the archive follows from the last position. */
export function eventAt(position: number): ArchivedEvent {
  return {
    event: {
      type: 'custom',
      name: `n${position % 3}`,
      event_id: `e${position}`,
      timestamp: Date.parse(DATE) + ((position * 37) % 5_000),
      seq: 0,
    },
    device_id: `d${position % 7}`,
    user: '',
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    received_at: Date.parse(DATE),
    position,
    index: 0,
  }
}
export const DATE = '2026-06-15'

/** Makes `replace` two steps instead of an atomic one, and waits between them until the process is killed. */
function torn(archive: Archive): Archive {
  return {
    covered: (...args) => archive.covered(...args),
    append: (...args) => archive.append(...args),
    purge: (...args) => archive.purge(...args),
    list: (...args) => archive.list(...args),
    columns: (...args) => archive.columns(...args),
    async replace(lease, old) {
      await archive.replace(lease, old, [])
      process.send!('merging')
      await new Promise(() => undefined)
    },
  }
}

/**
 * Appends small spans and merges them until the process is killed. Arguments of the process: directory, `atomic` or
 * `torn`.
 */
async function appendAndMerge(dir: string, mode: string): Promise<never> {
  const storage = await openEmbedded({ dir, lanes: 1 })
  const archive = mode === 'torn' ? torn(storage.archive!) : storage.archive!
  const partition = { app: 'shop', date: DATE }
  let lease = await storage.lanes.acquire(0, `${process.pid}`)
  const merges = new LaneMerges(archive, 0, new MergeThread(), async () => ['shop'])
  const message: Envelope = {
    version: 1,
    app: 'shop',
    device_id: 'd',
    received_at: 0,
    context: eventAt(0).context,
    events: [],
  }
  let position = (await archive.covered(0, [partition]))[0]! + 1
  for (;;) {
    lease = await storage.lanes.renew(lease)
    // The archive never contains positions that the log lacks: such a directory is refused as damaged.
    await storage.log.append(Array.from({ length: 16 }, () => message))
    const spans = Array.from({ length: 8 }, () => {
      const rows = [eventAt(position), eventAt(position + 1)]
      position += 2
      merges.appended(partition)
      return encodeChunks(rows, {
        ...partition,
        lane: 0,
        first_position: rows[0]!.position,
        last_position: rows[1]!.position,
      })
    })
    await archive.append(lease, spans.flat())
    if (await merges.step(() => lease)) process.send!('merging')
  }
}

if (process.send && process.argv[2]) await appendAndMerge(process.argv[2], process.argv[3]!)
