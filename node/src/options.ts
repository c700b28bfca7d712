import type { HopperClientError } from './client-error.ts'

export interface HopperOptions {
  /** write key of the app, `hw_…` */
  readonly apiKey: string
  /** address of Hopper's ingest, like `https://hopper.example` */
  readonly endpoint: string
  /** events in one request: 100 */
  readonly batchEventsMax?: number
  /** bytes of events in one request: 500,000 */
  readonly batchBytesMax?: number
  /** longest wait of an event for others: 1,000 ms */
  readonly flushIntervalMs?: number
  /** events that wait, those under way included: 10,000. Further ones are refused and reported. */
  readonly queueEventsMax?: number
  /** their bytes: 10,000,000 */
  readonly queueBytesMax?: number
  /** time for one request: 10,000 ms */
  readonly requestTimeoutMs?: number
  /** longest pause before the first retry; it doubles with each further one: 500 ms */
  readonly retryBaseMs?: number
  /** longest pause before any retry, unless Hopper asks for a longer one by Retry-After: 30,000 ms */
  readonly retryMaxMs?: number
  /** time for the delivery of queued events when the client is closed or the process ends: 5,000 ms */
  readonly closeTimeoutMs?: number
  /** true: on SIGTERM delivers queued events, then ends the process unless it has handlers of its own for SIGTERM */
  readonly flushOnSigterm?: boolean
  /** Receives every loss and every failed attempt. Written to the console by default. Whatever it throws is ignored. */
  readonly onError?: (error: HopperClientError) => void
}

/** Options with their defaults filled in. */
export interface Settings extends Required<Omit<HopperOptions, 'endpoint'>> {
  /** address of the call */
  readonly url: string
}

/** default, minimum and maximum */
const numbers = {
  batchEventsMax: [100, 1, 1_000],
  // Ingest accepts bodies of 1 MB; the rest is for the frame around the events.
  batchBytesMax: [500_000, 1_000, 990_000],
  flushIntervalMs: [1_000, 0, 600_000],
  queueEventsMax: [10_000, 1, 1_000_000],
  queueBytesMax: [10_000_000, 1_000, 1_000_000_000],
  requestTimeoutMs: [10_000, 1, 600_000],
  retryBaseMs: [500, 1, 600_000],
  retryMaxMs: [30_000, 1, 3_600_000],
  closeTimeoutMs: [5_000, 0, 600_000],
} as const satisfies Partial<Record<keyof HopperOptions, readonly [number, number, number]>>
type NumberName = keyof typeof numbers

/** @throws TypeError that names every bad option */
export function readOptions(options: HopperOptions): Settings {
  const bad: string[] = []
  const { apiKey, endpoint, flushOnSigterm = false, onError = writeToConsole } = options
  // The key is sent as a header, which can only contain visible ASCII.
  if (typeof apiKey !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(apiKey)) bad.push('apiKey must be a write key (hw_…)')
  const url = callOf(endpoint)
  if (url === undefined) bad.push('endpoint must be an address like https://hopper.example')
  const read = (name: NumberName): number => {
    const [normal, minimum, maximum] = numbers[name]
    const value = options[name] ?? normal
    if (!(Number.isInteger(value) && value >= minimum && value <= maximum))
      bad.push(`${name} must be a whole number from ${minimum} to ${maximum}`)
    return value
  }
  const values = Object.fromEntries((Object.keys(numbers) as NumberName[]).map((name) => [name, read(name)]))
  if (bad.length > 0) throw new TypeError(`hopper: ${bad.join('; ')}.`)
  return { apiKey, url: url!, flushOnSigterm, onError, ...(values as Record<NumberName, number>) }
}

function callOf(endpoint: unknown): string | undefined {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  const { protocol, origin, pathname, search, hash, username } = new URL(endpoint)
  if (!/^https?:$/.test(protocol) || search || hash || username) return undefined
  return `${origin}${pathname.replace(/\/+$/, '')}/v1/events`
}

function writeToConsole({ message }: HopperClientError): void {
  console.warn(`hopper: ${message}`)
}
