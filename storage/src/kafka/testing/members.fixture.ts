import { setTimeout as pause } from 'node:timers/promises'
import { decodeEnvelope } from '@hopper/contracts'
import type { LaneConsumer, LogMessage } from '../../ports/event-log.ts'

/** Durations of the calls, in turn: unequal, and long enough that another one may begin meanwhile. */
const CALL_MS = [3, 19, 0, 11, 7, 15, 1]

/**
 * The members of one group over one store. The store keeps the position of each lane, and a lease that a new owner
 * waits for, as the tables do. Records the calls of each member, and violations.
 */
export class Members {
  /** calls by member and lane: a(ssigned), b(atch), r(evoked) */
  readonly calls = new Map<string, string[]>()
  readonly faults: string[] = []
  readonly #delivered: { device: string; number: number }[] = []
  readonly #positions: number[]
  readonly #owners: (number | undefined)[]
  readonly #freed: (() => void)[][]
  #members = 0
  #calls = 0

  constructor(lanes: number) {
    this.#positions = new Array<number>(lanes).fill(0)
    this.#owners = new Array<number | undefined>(lanes).fill(undefined)
    this.#freed = Array.from({ length: lanes }, () => [])
  }

  get delivered(): number {
    return this.#delivered.length
  }

  get numbers(): readonly number[] {
    return this.#delivered.map(({ number }) => number)
  }

  numbersOf(device: string): readonly number[] {
    return this.#delivered.filter((each) => each.device === device).map(({ number }) => number)
  }

  /** number of lanes that each member holds */
  held(): readonly number[] {
    return Array.from({ length: this.#members }, (_, member) => this.#owners.filter((owner) => owner === member).length)
  }

  /** Adds a member. */
  join(): LaneConsumer {
    const member = this.#members++
    const busy = new Set<number>()
    const alone = async <T>(call: string, lane: number, work: () => Promise<T>): Promise<T> => {
      const key = `${member}/${lane}`
      this.calls.set(key, [...(this.calls.get(key) ?? []), call])
      if (busy.has(lane)) this.faults.push(`member ${member} was called twice concurrently for lane ${lane}`)
      busy.add(lane)
      try {
        await pause(CALL_MS[this.#calls++ % CALL_MS.length])
        return await work()
      } finally {
        busy.delete(lane)
      }
    }
    return {
      assigned: (lane) =>
        alone('a', lane, async () => {
          while (this.#owners[lane] !== undefined) await new Promise<void>((free) => this.#freed[lane]!.push(free))
          this.#owners[lane] = member
          return this.#positions[lane]!
        }),
      batch: (lane, messages) => alone('b', lane, async () => this.#count(member, lane, messages)),
      revoked: (lane) =>
        alone('r', lane, async () => {
          this.#owners[lane] = undefined
          for (const free of this.#freed[lane]!.splice(0)) free()
        }),
    }
  }

  #count(member: number, lane: number, messages: readonly LogMessage[]): void {
    if (this.#owners[lane] !== member)
      this.faults.push(`member ${member} got a batch of lane ${lane}, which is not its own`)
    if (messages[0]!.position !== this.#positions[lane])
      this.faults.push(`lane ${lane} is at position ${this.#positions[lane]}, but received ${messages[0]!.position}`)
    for (const { value } of messages) {
      const { device_id: device, received_at: number } = decodeEnvelope(value)
      this.#delivered.push({ device, number })
    }
    this.#positions[lane] = messages.at(-1)!.position + 1
  }
}
