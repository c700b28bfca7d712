import type { LogMessage } from '@hopper/storage'

/** Bytes of messages that may be held, by all lanes of a process together. */
export class HeldBytes {
  readonly max: number
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  /** Answers whether there was room. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.max) return false
    this.#used += bytes
    return true
  }

  /** Takes it although there may be no room. */
  force(bytes: number): void {
    this.#used += bytes
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

/** Messages of deferred apps that are counted together. */
export interface DeferredPiece {
  readonly messages: readonly LogMessage[]
  /** the position before which nothing of these apps is left when they are counted */
  readonly until: number
  /** whose they are */
  readonly apps: ReadonlySet<string>
  readonly version: number
}

/**
 * The apps of a lane whose messages wait for turns of their own, because there are more of them than can be counted in
 * time, and how far they are counted. Their messages are held while there is room, and read from the log again where
 * there was none.
 */
export class DeferredApps {
  readonly #room: HeldBytes
  /** for each app the first message that waits here */
  readonly #since = new Map<string, number>()
  /** all messages of these apps from `#next` to before `#heldUntil` */
  #held: LogMessage[] = []
  #next = 0
  #heldUntil = 0
  #routed = 0
  /** changes when messages that were held or under way are to be looked at again */
  #version = 0

  constructor(room: HeldBytes) {
    this.#room = room
  }

  get isEmpty(): boolean {
    return this.#since.size === 0
  }

  /** The position before which all messages of these apps are counted; only while there are any apps. */
  get next(): number {
    return this.#next
  }

  /** True when everything that the lane was given of these apps is counted. */
  get isDone(): boolean {
    return this.#next >= this.#routed
  }

  /** Where messages begin that must be read from the log, and where they end; undefined while all of them are held. */
  get missing(): { readonly from: number; readonly to: number } | undefined {
    return this.#held.length === 0 && this.#heldUntil < this.#routed
      ? { from: this.#heldUntil, to: this.#routed }
      : undefined
  }

  /** Tells whether a message of an app waits here: what came before the app was deferred is counted. */
  includes(app: string, position: number): boolean {
    const since = this.#since.get(app)
    return since !== undefined && since <= position
  }

  /**
   * Lets the messages of an app wait from a position on, which is the next that is routed or was delivered again.
   * Answers false when they do already.
   */
  defer(app: string, from: number): boolean {
    if (this.#since.has(app)) return false
    if (this.isEmpty) this.#next = this.#heldUntil = this.#routed = from
    else if (from < this.#routed) this.#lookAgain(from)
    this.#since.set(app, from)
    return true
  }

  /**
   * Keeps what is delivered of these apps, as far as there is room; answers the messages of all others. `apps` are
   * those of the messages, one by one.
   */
  route(delivered: readonly LogMessage[], apps: readonly (string | undefined)[]): readonly LogMessage[] {
    let isComplete = this.#heldUntil >= this.#routed
    const others: LogMessage[] = []
    for (const [at, message] of delivered.entries()) {
      const app = apps[at]
      if (app === undefined || !this.includes(app, message.position)) others.push(message)
      else if (isComplete && message.position >= this.#routed && !this.#hold(message)) {
        this.#heldUntil = message.position
        isComplete = false
      }
    }
    this.#routed = Math.max(this.#routed, (delivered.at(-1)?.position ?? -1) + 1)
    if (isComplete) this.#heldUntil = this.#routed
    return others
  }

  /** Takes what was read of `missing`, from its begin to a position; even without room, so that there is progress. */
  refill(messages: readonly LogMessage[], from: number, until: number): void {
    // Asked for before apps were deferred that have messages there.
    if (from !== this.#heldUntil || this.#held.length > 0) return
    for (const message of messages) this.#room.force(message.value.length)
    this.#held = [...messages]
    this.#heldUntil = until
  }

  /** The messages that are counted next: up to `bytesMax` of them and at least one. */
  piece(bytesMax: number): DeferredPiece {
    let end = 0
    for (let bytes = 0; end < this.#held.length && (end === 0 || bytes < bytesMax); end++) {
      bytes += this.#held[end]!.value.length
    }
    const messages = this.#held.slice(0, end)
    const until = end === this.#held.length ? this.#heldUntil : messages.at(-1)!.position + 1
    return { messages, until, apps: new Set(this.#since.keys()), version: this.#version }
  }

  /** The first `count` messages of a piece are counted; `count` is all of them when not given. */
  counted({ messages, until, apps, version }: DeferredPiece, count = messages.length): void {
    const next = count === messages.length ? until : messages[count]!.position
    if (version === this.#version) {
      for (const { value } of this.#held.splice(0, count)) this.#room.give(value.length)
      this.#next = next
    } else {
      for (const app of apps) this.#skip(app, next)
    }
  }

  /** The messages of these apps are counted with all others again. */
  clear(): void {
    this.#release()
    this.#since.clear()
  }

  /** A copy: `value` may be a small part of what a broker sent. */
  #hold({ position, value, isDamaged }: LogMessage): boolean {
    if (!this.#room.take(value.length)) return false
    this.#held.push({ position, value: Uint8Array.from(value), ...(isDamaged && { isDamaged }) })
    return true
  }

  /** Messages of one app more stand among those that are counted: all are read again, and the counted ones skipped. */
  #lookAgain(from: number): void {
    for (const app of this.#since.keys()) this.#skip(app, this.#next)
    this.#release()
    this.#version++
    this.#next = this.#heldUntil = Math.min(this.#next, from)
  }

  #skip(app: string, to: number): void {
    const since = this.#since.get(app)
    if (since !== undefined && since < to) this.#since.set(app, to)
  }

  #release(): void {
    for (const { value } of this.#held) this.#room.give(value.length)
    this.#held = []
  }
}
