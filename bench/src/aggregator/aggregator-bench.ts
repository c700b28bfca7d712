import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aggregator } from '@hopper/aggregator'
import { openEmbedded } from '@hopper/storage/embedded'
import { fillLog } from './aggregate.ts'

const ENVELOPES = 4_000
const EVENTS = 25

/**
 * Measures events per second from the log into all tables and the archive on SQLite, exactly once and synced, in one
 * thread.
 */
export async function aggregatorBench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-bench-'))
  const storage = await openEmbedded({ dir, lanes: 8 })
  try {
    await fillLog(storage, 'bench', ENVELOPES, EVENTS)
    const aggregator = new Aggregator({
      log: storage.log,
      writer: storage.writer,
      lanes: storage.lanes,
      registry: storage.registry,
      owner: 'bench',
      ...(storage.archive ? { archive: storage.archive } : {}),
    })
    const started = performance.now()
    const cpu = process.cpuUsage()
    await aggregator.start()
    const today = new Date().toISOString().slice(0, 10)
    let counted = 0
    while (counted < ENVELOPES * EVENTS) {
      if (performance.now() - started > 300_000) throw new Error(`only ${counted} events counted in 300 s`)
      await new Promise((next) => setTimeout(next, 50))
      counted = (await storage.reader.counters('fates_by_date', 'bench', [today])).reduce(
        (sum, row) => sum + row.counters[0]!,
        0,
      )
    }
    await aggregator.close()
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(cpu)
    console.log(
      `  aggregator on SQLite: ${Math.round((ENVELOPES * EVENTS) / seconds)} events/s ` +
        `(${ENVELOPES * EVENTS} events in ${seconds.toFixed(1)} s, ` +
        `CPU ${((user + system) / ENVELOPES / EVENTS).toFixed(1)} us an event)`,
    )
  } finally {
    await storage.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
