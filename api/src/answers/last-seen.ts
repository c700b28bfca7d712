import type { Collection, LastSeenLog } from '@hopper/storage'

const ID = 'last'
const PUT_INTERVAL_MS = 10_000

/**
 * The recorded state of the log, so that a process started while the log is unavailable knows up to when everything is
 * counted. Every API process records it, and the last write wins: at worst, the record claims less than is true.
 */
export class LastSeen {
  private readonly records: Collection<LastSeenLog>
  private firstRead: Promise<LastSeenLog | undefined> | undefined
  /** monotonic time of the last record of this process */
  private putAt = -Infinity

  constructor(records: Collection<LastSeenLog>) {
    this.records = records
  }

  /** The record as it was when this process first needed it. Undefined if there is none or it cannot be read now. */
  async get(): Promise<LastSeenLog | undefined> {
    this.firstRead ??= this.records.get('', ID)
    try {
      return await this.firstRead
    } catch {
      // the next call tries again
      this.firstRead = undefined
      return undefined
    }
  }

  /** The newest instant before which everything received is counted, given how far the lanes are counted. */
  async proved(done: readonly number[]): Promise<number | undefined> {
    const seen = await this.get()
    if (!seen) return undefined
    const isReached = seen.ends.length === done.length && seen.ends.every((end, lane) => done[lane]! >= end)
    return isReached ? seen.at : (seen.complete_to ?? undefined)
  }

  /** Records the state of the log, at most every ten seconds. */
  async put(seen: LastSeenLog): Promise<void> {
    if (performance.now() - this.putAt < PUT_INTERVAL_MS) return
    // The record of a process before this one may prove a later instant.
    const before = (await this.get())?.complete_to ?? null
    const known = Math.max(before ?? 0, seen.complete_to ?? 0)
    await this.records.put('', ID, { ...seen, complete_to: known > 0 ? known : null })
    this.putAt = performance.now()
  }
}
