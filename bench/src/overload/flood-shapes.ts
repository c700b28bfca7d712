import { randomBytes, randomUUID } from 'node:crypto'

const DAY_MS = 86_400_000
const INGEST_DAYS_MAX = 25 * 365

/** The fields that make an event of a flood costly; all others are those of a custom event. */
type Shape = () => object

const text = (bytes: number): string => randomBytes(bytes).toString('base64url')

/** Builds events that one app may send and that are the most expensive to count. */
export const floodShapes: Readonly<Record<string, Shape>> = {
  'random keys': () => ({ data: Object.fromEntries(Array.from({ length: 64 }, () => [text(3), 1])) }),
  'thousands of dates': () => ({ timestamp: Date.now() - Math.floor(Math.random() * INGEST_DAYS_MAX) * DAY_MS }),
  'distinct values': () => ({ data: { a: text(9), b: Math.random(), c: randomUUID() } }),
  'distinct pages': () => ({ type: 'url_change', from: '', to: `https://flood.example/${text(9)}`, elapsed_time: 5 }),
  'distinct targets': () => ({
    type: 'click',
    target: `//*[@id='${text(9)}']`,
    elapsed_time: 5,
    current_url: `https://flood.example/${text(6)}`,
  }),
  'distinct users': () => ({ type: 'identify', user_id: randomUUID() }),
}
