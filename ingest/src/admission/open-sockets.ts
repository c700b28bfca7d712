import { HopperError } from '@hopper/contracts'
import type { Sender } from './key-check.ts'

/** Shares of all sockets that one app and one address may hold. */
const [APP_SHARE, SOURCE_SHARE] = [1 / 2, 1 / 4]

type Owner = Pick<Sender, 'app' | 'source'>

/** The open sockets of a process: bounded in total, for each app, and for each address but those of this machine. */
export class OpenSockets<S> {
  readonly #owners = new Map<S, Owner>()
  readonly #socketsMax: number

  constructor(socketsMax: number) {
    this.#socketsMax = socketsMax
  }

  [Symbol.iterator](): IterableIterator<S> {
    return this.#owners.keys()
  }

  /** Adds a socket; false if there is no room. */
  add(socket: S, owner: Owner): boolean {
    if (this.#owners.size >= this.#socketsMax) return false
    if (this.#count((other) => other.app.id === owner.app.id) >= this.#socketsMax * APP_SHARE) return false
    if (this.#isShareTaken(owner)) return false
    this.#owners.set(socket, owner)
    return true
  }

  delete(socket: S): void {
    this.#owners.delete(socket)
  }

  /** @throws HopperError HOP_SHARE if the address of a sender has used up its share */
  assertShare(owner: Owner): void {
    if (!this.#isShareTaken(owner)) return
    const max = this.#socketsMax * SOURCE_SHARE
    throw new HopperError('HOP_SHARE', `The limit sockets_per_address (${max}) is reached.`, {
      details: { limit: 'sockets_per_address', max, retry_after: 1 },
    })
  }

  #isShareTaken({ source }: Owner): boolean {
    return source !== undefined && this.#count((other) => other.source === source) >= this.#socketsMax * SOURCE_SHARE
  }

  #count(isCounted: (owner: Owner) => boolean): number {
    let count = 0
    for (const owner of this.#owners.values()) if (isCounted(owner)) count++
    return count
  }
}
