import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { TABLES_RECORD, type TablesRecord } from '../intact/find-damage.ts'
import { registryState } from '../registry-state.ts'
import { SideRecord } from '../side-record.ts'

const RECORD_MS = 1_000

/**
 * Records the progress of the tables beside them each second, so that lost or older tables are detected at the next
 * start.
 */
export class TablesRecorder {
  readonly #database: DatabaseSync
  readonly #installation: string
  readonly #lanes: number
  readonly #ends: () => readonly number[]
  readonly #record: SideRecord<TablesRecord>
  readonly #timer: NodeJS.Timeout
  #last = ''
  #failure: Error | undefined

  constructor(dir: string, database: DatabaseSync, installation: string, ends: () => readonly number[]) {
    this.#database = database
    this.#installation = installation
    this.#ends = ends
    this.#lanes = ends().length
    this.#record = new SideRecord(join(dir, TABLES_RECORD))
    this.#write()
    this.#timer = setInterval(() => this.#write(), RECORD_MS).unref()
  }

  /** the reason why the last attempt to record failed */
  get failure(): Error | undefined {
    return this.#failure
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
    this.#record.close()
  }

  #write(): void {
    try {
      const record = this.#state()
      const text = JSON.stringify(record)
      if (text !== this.#last) this.#record.write(record)
      this.#last = text
      this.#failure = undefined
      this.#record.sync((error) => (this.#failure = error))
    } catch (error) {
      this.#failure = error as Error
    }
  }

  #state(): TablesRecord {
    const counted = new Array<number>(this.#lanes).fill(0)
    for (const { lane, position } of this.#database.prepare('SELECT lane, position FROM lanes').all() as {
      lane: number
      position: number
    }[]) {
      if (lane < this.#lanes) counted[lane] = position
    }
    return { installation: this.#installation, counted, ends: this.#ends(), registry: registryState(this.#database) }
  }
}
