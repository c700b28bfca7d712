import { hash, randomBytes } from 'node:crypto'
import { HopperError, sourceOf } from '@hopper/contracts'
import type { Clock } from '../tokens.ts'

const ROWS = 4
const CELLS_PER_ROW = 1 << 16
const COUNT_MAX = 0xffff

/**
 * Counts failures per subject in fixed windows. The counts are a count-min sketch (Cormode and Muthukrishnan, 2005) of
 * 512 KB: memory does not grow with the number of subjects, and no flood of other subjects makes it forget one. A count
 * may be too high if a subject shares a cell with others in every row; with 10,000 failing subjects that happens to one
 * in 2,000. Subjects are hashed with a salt of this process, so nobody can choose whom to share with.
 */
export class FailureCounter {
  private readonly cells = new Uint16Array(ROWS * CELLS_PER_ROW)
  private readonly salt = randomBytes(16).toString('hex')
  private endsAt = 0

  private readonly max: number
  private readonly windowMs: number

  constructor(max: number, windowMs: number) {
    this.max = max
    this.windowMs = windowMs
  }

  /** @throws HopperError HOP_RATE once the subject has used up the current window */
  check(subject: string, now: number): void {
    this.begin(now)
    if (this.countOf(subject) < this.max) return
    throw new HopperError('HOP_RATE', 'Too many failed logins.', {
      details: { retry_after_seconds: Math.ceil((this.endsAt - now) / 1000) },
    })
  }

  fail(subject: string, now: number): void {
    this.begin(now)
    for (const cell of this.cellsOf(subject)) this.cells[cell] = Math.min(COUNT_MAX, this.cells[cell]! + 1)
  }

  /**
   * Runs a check that throws for a wrong guess. It counts as a failure before it runs, so that concurrent guesses do
   * not all get through; success clears the failures.
   * @throws HopperError HOP_RATE once the subject has used up the current window
   */
  async guard<T>(subject: string, now: number, check: () => Promise<T>): Promise<T> {
    this.check(subject, now)
    this.fail(subject, now)
    const result = await check()
    this.succeed(subject)
    return result
  }

  /** Clears the failures of a subject that has authenticated. */
  succeed(subject: string): void {
    this.subtract(subject, this.countOf(subject))
  }

  /** Subtracts one failure. */
  forgive(subject: string): void {
    this.subtract(subject, Math.min(1, this.countOf(subject)))
  }

  private subtract(subject: string, count: number): void {
    for (const cell of this.cellsOf(subject)) this.cells[cell] = this.cells[cell]! - count
  }

  private begin(now: number): void {
    // a clock that was set back must not extend a window
    if (now < this.endsAt && this.endsAt - now <= this.windowMs) return
    this.cells.fill(0)
    this.endsAt = now + this.windowMs
  }

  private countOf(subject: string): number {
    return Math.min(...this.cellsOf(subject).map((cell) => this.cells[cell]!))
  }

  private cellsOf(subject: string): number[] {
    const digest = hash('sha256', this.salt + subject, 'buffer')
    return Array.from({ length: ROWS }, (_, row) => row * CELLS_PER_ROW + digest.readUInt16LE(row * 2))
  }
}

const GUESS_WINDOW_MS = 15 * 60_000
const GUESSES_PER_SUBJECT_MAX = 10
const GUESSES_PER_SOURCE_MAX = 100

/**
 * Bounds wrong guesses at the secrets of people who are not logged in: per subject (an account, a link) and source
 * address, so that nobody can lock others out from elsewhere, and per source address over all subjects.
 */
export class GuessLimit {
  private readonly perSubject = new FailureCounter(GUESSES_PER_SUBJECT_MAX, GUESS_WINDOW_MS)
  private readonly perSource = new FailureCounter(GUESSES_PER_SOURCE_MAX, GUESS_WINDOW_MS)
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** @throws HopperError HOP_RATE after too many failures of the subject from this address, or of the address */
  check(subject: string, address: string): void {
    const source = sourceOf(address)
    this.perSubject.check(JSON.stringify([subject, source]), this.clock())
    this.perSource.check(source, this.clock())
  }

  fail(subject: string, address: string): void {
    const source = sourceOf(address)
    this.perSubject.fail(JSON.stringify([subject, source]), this.clock())
    this.perSource.fail(source, this.clock())
  }

  /**
   * Runs a check that throws for a wrong guess at the secret of a subject, and counts as in `FailureCounter.guard`.
   * @throws HopperError HOP_RATE after too many failures
   */
  async guard<T>(subject: string, address: string, check: () => Promise<T>): Promise<T> {
    this.check(subject, address)
    this.fail(subject, address)
    const result = await check()
    const source = sourceOf(address)
    this.perSubject.succeed(JSON.stringify([subject, source]))
    this.perSource.forgive(source)
    return result
  }

  /**
   * Runs a check that throws for a wrong guess at a secret that names no subject.
   * @throws HopperError HOP_RATE after too many failures
   */
  async guardSource<T>(address: string, check: () => Promise<T>): Promise<T> {
    this.checkSource(address)
    const source = sourceOf(address)
    this.perSource.fail(source, this.clock())
    const result = await check()
    this.perSource.forgive(source)
    return result
  }

  /** @throws HopperError HOP_RATE for an address with too many failures */
  checkSource(address: string): void {
    this.perSource.check(sourceOf(address), this.clock())
  }
}
