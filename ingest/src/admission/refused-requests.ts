import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import {
  REFUSALS_PER_DAY_MAX,
  REFUSAL_DAYS,
  refusalCodes,
  refusedDayId,
  shiftDate,
  utcDate,
  type ErrorCode,
  type Refusal,
  type RefusalCode,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'

const STORE_INTERVAL_MS = 10_000
/** Delay until a kind that is new on its date is stored: short, since somebody who installs a tag may wait for it. */
const STORE_NEW_MS = 500
const CLOSE_MS_MAX = 2_000
const HINT_CHARS = 4
/** A shorter key would be shown in large part. */
const HINTED_CHARS_MIN = 12
const ORIGIN_CHARS_MAX = 200
/** Records of all processes that are kept; a process that starts again and again adds one each time. */
const RECORDS_MAX = 500
const FORGET_INTERVAL_MS = 3_600_000

type Row = Omit<Refusal, 'date'>

/** Properties of the sender of a request that are known even if it is not admitted. */
interface KnownSender {
  readonly app?: string
  readonly key?: string
}

const senders = new WeakMap<FastifyRequest, KnownSender>()

/** Notes whose a request is, in case it is refused. */
export function recordSender(request: FastifyRequest, sender: KnownSender): void {
  senders.set(request, sender)
}

/**
 * Counts refused requests by reason, app, origin and the end of the key, for the people who must do something about
 * them. Addresses of senders are not recorded. Stored every few seconds; a process that is killed forgets the last
 * ones.
 */
export class RefusedRequests {
  readonly #registry: Pick<Registry, 'refusals'>
  readonly #logger: Pick<FastifyBaseLogger, 'info'>
  readonly #clock: () => number
  readonly #process = randomUUID()
  readonly #timer: NodeJS.Timeout
  /** rows by date; a date that is over goes once it is stored */
  readonly #days = new Map<string, Map<string, Row>>()
  readonly #unstored = new Set<string>()
  #isStoring = false
  #early: NodeJS.Timeout | undefined
  #forgotAt = -Infinity

  constructor(
    registry: Pick<Registry, 'refusals'>,
    logger: Pick<FastifyBaseLogger, 'info'>,
    clock: () => number,
    storeEveryMs = STORE_INTERVAL_MS,
  ) {
    this.#registry = registry
    this.#logger = logger
    this.#clock = clock
    this.#timer = setInterval(() => void this.#store(), storeEveryMs)
    this.#timer.unref()
  }

  /** Counts a request that was answered with an error; other codes than the remembered ones count nothing. */
  add(request: FastifyRequest, code: ErrorCode): void {
    if (!isRemembered(code)) return
    const now = this.#clock()
    const date = utcDate(now)
    const rows = this.#days.get(date) ?? new Map<string, Row>()
    this.#days.set(date, rows)
    const { app = null, key } = senders.get(request) ?? {}
    const row = { code, app, origin: originOf(request), key_hint: app === null ? hintOf(key) : null }
    const isFull = rows.size >= REFUSALS_PER_DAY_MAX && !rows.has(keyOf(row))
    const kept = isFull ? { code, app: null, origin: null, key_hint: null } : row
    const known = rows.get(keyOf(kept))
    rows.set(keyOf(kept), { ...kept, requests: (known?.requests ?? 0) + 1, last_at: now })
    this.#unstored.add(date)
    if (!known) this.#storeSoon()
  }

  /** Stores the counts that are not stored yet, as far as that is possible in a short time. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    clearTimeout(this.#early)
    await Promise.race([this.#store(), pause(CLOSE_MS_MAX, undefined, { ref: false })])
  }

  #storeSoon(): void {
    if (this.#early) return
    this.#early = setTimeout(() => {
      this.#early = undefined
      void this.#store()
    }, STORE_NEW_MS)
    this.#early.unref()
  }

  async #store(): Promise<void> {
    if (this.#isStoring) return
    this.#isStoring = true
    for (const date of [...this.#unstored]) await this.#storeDate(date)
    this.#isStoring = false
  }

  async #storeDate(date: string): Promise<void> {
    this.#unstored.delete(date)
    const record = { process: this.#process, date, rows: [...this.#days.get(date)!.values()] }
    try {
      await this.#registry.refusals.put('', refusedDayId(record), record)
      await this.#forgetOld(date)
      if (date !== utcDate(this.#clock()) && !this.#unstored.has(date)) this.#days.delete(date)
    } catch (err) {
      this.#unstored.add(date)
      this.#logger.info({ err }, 'what was refused is not stored yet; it is tried again')
    }
  }

  /** Removes what is too old or too much, once an hour. */
  async #forgetOld(today: string): Promise<void> {
    if (performance.now() - this.#forgotAt < FORGET_INTERVAL_MS) return
    this.#forgotAt = performance.now()
    const oldestFirst = await this.#registry.refusals.list('')
    const surplus = oldestFirst.length - RECORDS_MAX
    const from = shiftDate(today, 1 - REFUSAL_DAYS)
    for (const [n, old] of oldestFirst.entries())
      if (n < surplus || old.date < from) await this.#registry.refusals.remove('', refusedDayId(old))
  }
}

function isRemembered(code: ErrorCode): code is RefusalCode {
  return (refusalCodes as readonly ErrorCode[]).includes(code)
}

function keyOf({ code, app, origin, key_hint }: Pick<Row, 'code' | 'app' | 'origin' | 'key_hint'>): string {
  return JSON.stringify([code, app, origin, key_hint])
}

/** Returns the origin of the page that sent a request, if it is one. */
function originOf({ headers: { origin } }: FastifyRequest): string | null {
  if (origin === undefined || origin.length > ORIGIN_CHARS_MAX) return null
  const parsed = URL.parse(origin)?.origin
  return parsed === undefined || parsed === 'null' ? null : parsed
}

function hintOf(key: string | undefined): string | null {
  return key !== undefined && key.length >= HINTED_CHARS_MIN ? key.slice(-HINT_CHARS) : null
}
