import { header } from './session.ts'
import { endpoint, key } from './settings.ts'
import { local, put, silent } from './store.ts'

const eventsMax = 1000
/** events after which the queue is read again to keep its bound */
const unreadMax = 50
const delayMs = 1000
/**
 * UTF-16 units: a batch ends with the event that reaches it. In the worst encoding that is 30 KB; the limit of a
 * keepalive body is 64 KB.
 */
const charsMax = 10_000

/** events of the request under way */
let flight: string[] = []
let timer: unknown
/** events of this page so far */
let queued = 0
/** ms until the next request */
export let backoffMs = delayMs

const forget = (json: string): unknown => delete local[json]

/**
 * Returns the waiting events in the order of their time, with which their JSON begins. Until the server has
 * acknowledged it, an event is a key of the store; its value is the header of its session. Keys form a set, so two tabs
 * never overwrite each other's events, and a page also sends events that earlier pages could not deliver.
 */
const waiting = (): string[] =>
  Object.keys(local)
    .filter((json) => json[0] === '{' && local[json]!.startsWith(key))
    .sort()

/** Returns the events that go into the next request: the first ones of one session. */
const batchOf = (events: string[], chars = 0): string[] =>
  events.filter((json) => local[json] === local[events[0]!] && chars < charsMax && (chars += json.length))

const bodyOf = (batch: string[], of = local[batch[0]!]!): string =>
  of.slice(of.indexOf('{'), -1) + `,"sent_at":${Date.now()},"events":[${batch}]}`

/**
 * Calls the server, and returns its answer. Returns none when there was no answer, or when the server refused the key,
 * was too busy or at fault: the call is then repeated, after longer and longer pauses. In development, logs what the
 * server refused or changed.
 */
export const call = async (url: string, body?: string): Promise<Response | void> => {
  const answer = await fetch(
    url,
    body ? { method: 'POST', body, keepalive: body.length < 2 * charsMax } : undefined,
  ).catch(() => {})
  if (body && answer && /^(localhost|127)/.test(location.hostname)) {
    const text = await answer.text()
    // longer than that all is well
    if (text[40]) console.warn(text)
  }
  if (answer && !/40[13]|429|^5/.test(answer.status as never)) return answer
  // no answer and a date are no number of seconds
  const pauseMs = (answer?.headers.get('retry-after') as unknown as number) * 1000 || 0
  backoffMs = Math.max(backoffMs * (2 + Math.random()), pauseMs)
}

const post = async (lock: unknown): Promise<void> => {
  const batch = batchOf(waiting())
  if (lock && batch[0]) {
    flight = batch
    if (await call(endpoint('events'), bodyOf(batch))) {
      batch.map(forget)
      backoffMs = delayMs
    }
    flight = []
  }
  if (waiting()[0]) schedule()
}

/**
 * Sends the first batch. Tabs take turns where events of other pages wait, so that no two send the same; a lock costs
 * as much as a request, so a page that has only its own to send takes none.
 */
export const send = (): void => {
  timer = 0
  // the request under way is followed by the next one
  if (!silent && !flight[0]) {
    const isAlone = !navigator.locks || waiting().every((json) => local[json] === header)
    const sent = isAlone ? post(1) : navigator.locks.request(key, { ifAvailable: true }, post)
    sent.catch(() => {})
  }
}
const schedule = (): unknown => (timer ||= setTimeout(send, backoffMs))

/** Sends immediately, unless the server has asked for a pause. */
export const sendNow = (): unknown => backoffMs === delayMs && send()

/** Stores an event until the server has it; beyond the bound, the oldest are dropped. */
export const enqueue = (json: string): void => {
  // to read the queue takes longer than to add to it
  if (!(queued++ % unreadMax))
    waiting()
      .slice(0, unreadMax - eventsMax)
      .map(forget)
  put(json, header)
  schedule()
}

/** Drops the queue. */
export const forgetAll = (): unknown => waiting().map(forget)

/**
 * Sends the events that this page has not sent yet, when it is left. Without a response, a later page sends them again.
 */
export const sendLeaving = (): void => {
  const own = batchOf(waiting().filter((json) => local[json] === header && !flight.includes(json)))
  if (!silent && own[0]) navigator.sendBeacon(endpoint('events'), bodyOf(own))
}
