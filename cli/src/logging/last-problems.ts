import { PROBLEMS_KEPT, type ProcessProblem } from '@hopper/contracts'
import { pino } from 'pino'

const MESSAGE_CHARS_MAX = 300
/** Causes of an error whose codes are kept. */
const CAUSES_MAX = 4
/** Matches a code, as of Hopper, Node or an engine. Anything else could be a value. */
const code = /^[A-Z][A-Z0-9_]{1,59}$/
/**
 * Matches keys, tokens, and addresses with a password or parameters. Texts of Hopper never contain these, but texts
 * that a library logs might.
 */
const secrets = /\bh[wra]_\S+|\bBearer\s+\S+|\S+:\/\/\S*[@?]\S*|\S+@\S+|[\w+/=-]{32,}/g

/** Remembers the last warnings and errors of a log, without values: those may be secrets or personal. */
export class LastProblems {
  /** the one that was written last is the last */
  readonly #problems = new Map<string, ProcessProblem>()
  readonly #clock: () => number
  /** called after each problem */
  onProblem: (() => void) | undefined

  constructor(clock: () => number = Date.now) {
    this.#clock = clock
  }

  /** Takes the arguments of a call of a log method, as pino does. */
  add(level: number, [first, second]: readonly unknown[]): void {
    const label = labelOf(level)
    if (!label) return
    const error = first instanceof Error ? first : (first as { err?: unknown } | null | undefined)?.err
    const text = typeof first === 'string' ? first : typeof second === 'string' ? second : undefined
    const codes = codesOf(error)
    const message = messageOf(text, error)
    const key = JSON.stringify([label, message, codes])
    const times = (this.#problems.get(key)?.times ?? 0) + 1
    this.#problems.delete(key)
    this.#problems.set(key, { level: label, message, codes, times, last_at: this.#clock() })
    if (this.#problems.size > PROBLEMS_KEPT) this.#problems.delete(this.#problems.keys().next().value!)
    this.onProblem?.()
  }

  /** the newest first */
  get all(): readonly ProcessProblem[] {
    return [...this.#problems.values()].reverse()
  }
}

function labelOf(level: number): ProcessProblem['level'] | undefined {
  const { warn, error, fatal } = pino.levels.values
  if (level >= fatal!) return 'fatal'
  if (level >= error!) return 'error'
  return level >= warn! ? 'warn' : undefined
}

/** Returns the text of a record, never that of an error, which may contain values of events or addresses of people. */
function messageOf(text: string | undefined, error: unknown): string {
  const isOfError = error instanceof Error && (text === undefined || text === error.message)
  if (isOfError) return error.name.slice(0, MESSAGE_CHARS_MAX)
  return (text ?? 'without a text').replace(secrets, '[removed]').slice(0, MESSAGE_CHARS_MAX)
}

/** Returns the codes of an error and of its causes. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  let current = error
  for (let depth = 0; depth < CAUSES_MAX && typeof current === 'object' && current !== null; depth++) {
    const { code: text, cause } = current as { code?: unknown; cause?: unknown }
    if (typeof text === 'string' && code.test(text) && !codes.includes(text)) codes.push(text)
    current = cause
  }
  return codes
}
