import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { LaneMerges, MergeThread, type Merged } from '@hopper/aggregator'
import type { ArchivedEvent, ChunkSummary, EncodedChunk } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import type { Archive } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { wireEventsOf } from '../harness/bodies.ts'

const SPANS = 1_200
const ROWS = 250
const EVENTS = 5
const DEVICES = 2_000
const names = ['custom', 'click', 'url_change', 'btn_time', 'funnel_change'] as const

/**
 * Archives twenty minutes of a lane with 250 events per second, second by second, while its spans are merged, and
 * measures the cost of merging.
 */
export async function mergeBench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-merge-'))
  const storage = await openEmbedded({ dir, lanes: 1 })
  const archive = storage.archive!
  const merger = new MergeThread()
  const merges = new LaneMerges(archive, 0, merger, async () => [])
  const date = new Date().toISOString().slice(0, 10)
  try {
    const lease = { ...(await storage.lanes.acquire(0, 'bench')), expiresAt: Infinity }
    const tally = new Tally()
    let appendedBytes = 0
    let position = 0
    for (let span = 0; span < SPANS; span++) {
      const chunks = spanOf(date, span, position)
      position += ROWS / EVENTS
      await archive.append(lease, chunks)
      appendedBytes += bytesOf(chunks[0]!.summary)
      merges.appended({ app: 'bench', date })
      await tally.measure(() => merges.step(() => lease))
    }
    console.log(
      `  ${SPANS * ROWS} events of one lane and date came in ${SPANS} spans, ` +
        `${(appendedBytes / SPANS / ROWS).toFixed(1)} bytes an event`,
    )
    await tally.report('during the date', archive)
    const finished = new Tally()
    await finished.measure(() => merges.step(() => lease, Date.parse(date) + 3 * 86_400_000))
    await finished.report('when the date is over', archive)
  } finally {
    await merger.close()
    await storage.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const devices = Array.from({ length: DEVICES }, () => ({ device_id: randomUUID(), session_id: randomUUID() }))

/** One second of the lane: envelopes of five events of some of the devices. */
function spanOf(date: string, second: number, first: number): EncodedChunk[] {
  const at = Date.parse(date) + second * 1_000
  const rows = Array.from({ length: ROWS / EVENTS }, (_, envelope) => first + envelope).flatMap((position) => {
    const { device_id, session_id } = devices[(position * 7) % DEVICES]!
    return wireEventsOf(EVENTS, at).map((event, index): ArchivedEvent => ({
      event: { ...event, type: names[event.type as number], session_id } as unknown as ArchivedEvent['event'],
      device_id,
      user: '',
      context: { device: 'desktop', browser: 'Chrome', os: 'Linux' },
      received_at: at + 900,
      position,
      index,
    }))
  })
  return encodeChunks(rows, {
    app: 'bench',
    date,
    lane: 0,
    first_position: first,
    last_position: first + ROWS / EVENTS - 1,
  })
}

/** The cost of merges. */
class Tally {
  readonly #delay = monitorEventLoopDelay({ resolution: 1 })
  #merges = 0
  #rewritten = 0
  #written = 0
  #ms = 0
  #cpuUs = 0
  #foldingUs = 0

  async measure(step: () => Promise<Merged | 'checked' | undefined>): Promise<void> {
    const cpu = process.cpuUsage()
    const folding = process.threadCpuUsage()
    const started = performance.now()
    this.#delay.enable()
    for (let done = await step(); done !== undefined; done = await step()) {
      if (done === 'checked') continue
      this.#merges++
      this.#rewritten += done.rows
      this.#written += done.bytesAfter
    }
    this.#delay.disable()
    const all = process.cpuUsage(cpu)
    const own = process.threadCpuUsage(folding)
    this.#cpuUs += all.user + all.system
    this.#foldingUs += own.user + own.system
    this.#ms += performance.now() - started
  }

  async report(what: string, archive: Archive): Promise<void> {
    const { rows, spans, bytes } = await standing(archive)
    const perSecond = this.#merges === 0 ? 0 : Math.round(this.#rewritten / (this.#ms / 1000))
    console.log(
      `  ${what}: ${this.#merges} merges rewrote each event ` +
        `${(this.#rewritten / rows).toFixed(2)} times, ${perSecond} events/s, ` +
        `CPU ${(this.#cpuUs / rows).toFixed(1)} us an event and of these ` +
        `${(this.#foldingUs / rows).toFixed(1)} us in the folding thread, ` +
        `whose longest wait was ${(this.#delay.max / 1e6).toFixed(0)} ms; ` +
        `${(this.#written / 1e6).toFixed(1)} MB written`,
    )
    console.log(`    left: ${spans} spans, ${(bytes / rows).toFixed(1)} bytes an event`)
  }
}

async function standing(archive: Archive): Promise<{ rows: number; spans: number; bytes: number }> {
  const chunks = await archive.list({ app: 'bench', from: 0, to: Number.MAX_SAFE_INTEGER })
  return {
    rows: chunks.reduce((sum, chunk) => sum + chunk.rows, 0),
    spans: new Set(chunks.map(({ first_position }) => first_position)).size,
    bytes: chunks.reduce((sum, chunk) => sum + bytesOf(chunk), 0),
  }
}

function bytesOf({ columns }: ChunkSummary): number {
  return Object.values(columns).reduce((sum, cell) => sum + cell, 0)
}
