import { attempt } from './attempt.ts'
import { device } from './device.ts'
import { local } from './stored.ts'
import { endpoint, key } from './tag.ts'

const eventsMax = 1000
const delayMs = 1000
/**
 * UTF-16 units: an event is at most this long, a body at most twice; in the worst encoding 60 KB, and a keepalive body
 * may have 64
 */
const charsMax = 10_000

/**
 * The JSON of the events that wait. Each is at the same time a name in localStorage (its value: the app's key), where
 * it stays until the server has acknowledged it: names are a set, so two tabs never overwrite each other's, and a page
 * adopts what earlier ones could not deliver.
 */
let waiting: string[] = []
let busy: unknown = 0
let timer: unknown = 0
let backoff = delayMs

const forget = (json?: string): unknown => delete local[json!]

/** Keeps an event until the server has it; an oversize one is dropped, as the server would. */
export const enqueue = (json: string): void => {
  if (json.length < charsMax) {
    attempt(() => (local[json] = key))
    if (waiting.push(json) > eventsMax) forget(waiting.shift())
    timer ||= setTimeout(send, backoff)
  }
}

/** Sends what waits, one request at a time; a page that is being left sends everything at once. */
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

// in the order of time, because an event's JSON begins with it
Object.keys(local)
  .sort()
  .map((name) => local[name] === key && enqueue(name))
