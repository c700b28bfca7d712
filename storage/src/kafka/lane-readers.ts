import { randomUUID } from 'node:crypto'
import { HopperError } from '@hopper/contracts'
import type { LogMessage } from '../ports/event-log.ts'
import type { AdminClient } from './admin-client.ts'
import { LaneReader, type LaneRange } from './lane-reader.ts'
import type { KafkaSettings } from './settings.ts'

/** Readers at a time; further reads wait for one. Each is a consumer group at the broker. */
export const READERS_MAX = 8
/** A reader that was not used for this time leaves its group. */
const IDLE_MS = 30_000

interface Idle {
  readonly reader: LaneReader
  readonly timer: NodeJS.Timeout
}

/**
 * Readers of lanes that are used again and again: joining a group takes some tenths of a second and several requests, a
 * read of a reader that has joined takes a fetch.
 */
export class LaneReaders {
  readonly #settings: KafkaSettings
  readonly #admin: AdminClient
  readonly #idle: Idle[] = []
  readonly #waiting: (() => void)[] = []
  readonly #closing = new Set<Promise<void>>()
  #open = 0
  #isClosed = false

  constructor(settings: KafkaSettings, admin: AdminClient) {
    this.#settings = settings
    this.#admin = admin
  }

  /** @throws an error of kafkajs, or HopperError HOP_LOG_UNAVAILABLE */
  async read(range: LaneRange): Promise<readonly LogMessage[]> {
    const reader = await this.#take()
    try {
      const found = await reader.read(range)
      this.#giveBack(reader)
      return found
    } catch (error) {
      this.#end(reader)
      throw error
    }
  }

  /** Resolves when every reader has left its group. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const wake of this.#waiting.splice(0)) wake()
    for (const { reader, timer } of this.#idle.splice(0)) {
      clearTimeout(timer)
      this.#end(reader)
    }
    await Promise.all(this.#closing)
  }

  async #take(): Promise<LaneReader> {
    for (;;) {
      if (this.#isClosed) throw new HopperError('HOP_LOG_UNAVAILABLE', 'The log is closed.')
      // The one used last: the others may leave.
      const idle = this.#idle.pop()
      if (idle) {
        clearTimeout(idle.timer)
        return idle.reader
      }
      if (this.#open < READERS_MAX) break
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#open++
    try {
      return await LaneReader.open(this.#settings, `${this.#settings.group}-read-${randomUUID()}`)
    } catch (error) {
      this.#open--
      this.#waiting.shift()?.()
      throw error
    }
  }

  #giveBack(reader: LaneReader): void {
    if (this.#isClosed) return this.#end(reader)
    const timer = setTimeout(() => {
      this.#idle.splice(
        this.#idle.findIndex((idle) => idle.reader === reader),
        1,
      )
      this.#end(reader)
    }, IDLE_MS)
    // The timer must not keep a command from ending.
    timer.unref()
    this.#idle.push({ reader, timer })
    this.#waiting.shift()?.()
  }

  #end(reader: LaneReader): void {
    const closed = reader
      .close()
      .then(() => this.#admin.send((admin) => admin.deleteGroups([reader.groupId])))
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#open--
        this.#closing.delete(closed)
        this.#waiting.shift()?.()
      })
    this.#closing.add(closed)
  }
}
