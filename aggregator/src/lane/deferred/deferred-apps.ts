import type { LogMessage } from '@hopper/storage'

/** Memory budget of held messages, in bytes, shared by all lanes of a process. */
export class ByteBudget {
  readonly max: number
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  /** Takes the bytes if there is room; returns whether there was. */
  tryReserve(bytes: number): boolean {
    if (this.#used + bytes > this.max) return false
    this.#used += bytes
    return true
  }

  /** Takes the bytes even if there is no room. */
  reserve(bytes: number): void {
    this.#used += bytes
  }

  release(bytes: number): void {
    this.#used -= bytes
  }
}

/** Messages of deferred apps that are counted together. */
export interface DeferredPiece {
  readonly messages: readonly LogMessage[]
  /** once this piece is counted, no messages of these apps before this position are left */
  readonly until: number
  /** the deferred apps */
  readonly apps: ReadonlySet<string>
  readonly version: number
}

/**
 * Tracks the apps of a lane that have more messages than can be counted in time, so that they wait for turns of their
 * own, and how far they are counted. Their messages are held while there is room; the rest is read from the log again.
 */
export class DeferredApps {
  readonly #budget: ByteBudget
  /** by app, the position of the first message that waits here */
  readonly #since = new Map<string, number>()
  /** all messages of these apps in [`#next`, `#heldUntil`) */
  #held: LogMessage[] = []
  #next = 0
  #heldUntil = 0
  #routed = 0
  /** changes when messages that were held or in flight must be read again */
  #version = 0

  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  get isEmpty(): boolean {
    return this.#since.size === 0
  }

  /** Position before which all messages of these apps are counted; meaningful only while there are deferred apps. */
  get next(): number {
    return this.#next
  }

  /** For each app, the position before which all its messages are counted. */
  get positions(): ReadonlyMap<string, number> {
    return new Map([...this.#since].map(([app, since]) => [app, Math.max(since, this.#next)]))
  }

  /** True when all messages of these apps that the lane has received are counted. */
  get isDone(): boolean {
    return this.#next >= this.#routed
  }

  /** Range of positions that must be read from the log; undefined while all messages are held. */
  get missing(): { readonly from: number; readonly to: number } | undefined {
    return this.#held.length === 0 && this.#heldUntil < this.#routed
      ? { from: this.#heldUntil, to: this.#routed }
      : undefined
  }

  /** True when a message of an app waits here; messages from before the app was deferred are counted. */
  includes(app: string, position: number): boolean {
    const since = this.#since.get(app)
    return since !== undefined && since <= position
  }

  /**
   * Defers an app from a position on, which is the next to be routed or was delivered again. Returns false when the app
   * is already deferred.
   */
  defer(app: string, from: number): boolean {
    if (this.#since.has(app)) return false
    if (this.isEmpty) this.#next = this.#heldUntil = this.#routed = from
    else if (from < this.#routed) this.#rewind(from)
    this.#since.set(app, from)
    return true
  }

  /**
   * Holds the delivered messages of deferred apps as far as there is room; returns the messages of all other apps.
   * `apps` contains the app of each message, by index.
   */
  route(delivered: readonly LogMessage[], apps: readonly (string | undefined)[]): readonly LogMessage[] {
    let isComplete = this.#heldUntil >= this.#routed
    const remaining: LogMessage[] = []
    for (const [index, message] of delivered.entries()) {
      const app = apps[index]
      if (app === undefined || !this.includes(app, message.position)) remaining.push(message)
      else if (isComplete && message.position >= this.#routed && !this.#hold(message)) {
        this.#heldUntil = message.position
        isComplete = false
      }
    }
    this.#routed = Math.max(this.#routed, (delivered.at(-1)?.position ?? -1) + 1)
    if (isComplete) this.#heldUntil = this.#routed
    return remaining
  }

  /**
   * Takes messages that were read from the start of `missing` up to `until`, even without room, so that there is
   * progress.
   */
  refill(messages: readonly LogMessage[], from: number, until: number): void {
    // This range was requested before further apps with messages in it were deferred.
    if (from !== this.#heldUntil || this.#held.length > 0) return
    for (const message of messages) this.#budget.reserve(message.value.length)
    this.#held = [...messages]
    this.#heldUntil = until
  }

  /** Returns the messages to count next: at least one, and up to about `bytesMax`. */
  piece(bytesMax: number): DeferredPiece {
    let end = 0
    for (let bytes = 0; end < this.#held.length && (end === 0 || bytes < bytesMax); end++) {
      bytes += this.#held[end]!.value.length
    }
    const messages = this.#held.slice(0, end)
    const until = end === this.#held.length ? this.#heldUntil : messages.at(-1)!.position + 1
    return { messages, until, apps: new Set(this.#since.keys()), version: this.#version }
  }

  /** Records that the first `count` messages of a piece are counted; all of them by default. */
  counted({ messages, until, apps, version }: DeferredPiece, count = messages.length): void {
    const next = count === messages.length ? until : messages[count]!.position
    if (version === this.#version) {
      for (const { value } of this.#held.splice(0, count)) this.#budget.release(value.length)
      this.#next = next
    } else {
      for (const app of apps) this.#skip(app, next)
    }
  }

  /** Ends deferring: messages of these apps are counted with all others again. */
  clear(): void {
    this.#release()
    this.#since.clear()
  }

  /** Holds a copy: `value` may be a small slice of a large buffer from the broker. */
  #hold({ position, value, isDamaged }: LogMessage): boolean {
    if (!this.#budget.tryReserve(value.length)) return false
    this.#held.push({ position, value: Uint8Array.from(value), ...(isDamaged && { isDamaged }) })
    return true
  }

  /**
   * Restarts from an earlier position: messages of another app lie between those that are counted. All are read again,
   * and the counted ones are skipped.
   */
  #rewind(from: number): void {
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
    for (const { value } of this.#held) this.#budget.release(value.length)
    this.#held = []
  }
}
