import { attempt } from './attempt.ts'
import { device } from './device.ts'
import { local } from './stored.ts'
import { endpoint, key } from './tag.ts'

const eventsMax = 1000
const delayMs = 1000
/**
 * UTF-16 units: an event has at most this length, a body at most twice that. In the worst encoding that is 60 KB; the
 * limit of a keepalive body is 64 KB.
 */
const charsMax = 10_000

/**
 * JSON of the waiting events. Each is also a key in localStorage (its value: the app's key) until the server has
 * acknowledged it. Keys form a set, so two tabs never overwrite each other's events, and a page adopts events that
 * earlier pages could not deliver.
 */
let waiting: string[] = []
let busy: unknown = 0
let timer: unknown = 0
let backoff = delayMs

const forget = (json?: string): unknown => delete local[json!]

/** Stores an event until the server has it; drops an oversize one, as the server would. */
export const enqueue = (json: string): void => {
  if (json.length < charsMax) {
    attempt(() => (local[json] = key))
    if (waiting.push(json) > eventsMax) forget(waiting.shift())
    timer ||= setTimeout(send, backoff)
  }
}

/** Sends waiting events, one request at a time; a page that is being left sends all of them immediately. */
export const send = (leaving?: boolean): void => {
  clearTimeout(timer as number)
  timer = 0
  while (waiting[0] && (leaving || !busy)) {
    const batch: string[] = []
    while (waiting[0] && `${batch}`.length < charsMax) batch.push(waiting.shift()!)
    const body = `{"sent_at":${Date.now()},"device_id":"${device.d}","events":[${batch}]}`
    const url = endpoint('events')
    if (!leaving || !attempt(() => navigator.sendBeacon(url, body)))
      busy = fetch(url, { method: 'POST', body, keepalive: true })
        .then(({ status }) => {
          if (status === 429 || status > 499) throw 0
          backoff = delayMs
          batch.map(forget)
        })
        .catch(() => {
          backoff *= 2
          waiting = batch.concat(waiting)
        })
        .then(() => {
          busy = 0
          timer ||= setTimeout(send, backoff)
        })
  }
}

// sorted by time, because an event's JSON begins with it
Object.keys(local)
  .sort()
  .map((name) => local[name] === key && enqueue(name))
