import { attempt } from './attempt.ts'
import { key, options } from './settings.ts'

/** Storage, or memory of this page. */
type Store = Record<string, string>

type Signals = Navigator & { globalPrivacyControl?: boolean }

const memory: Store = {}
let real: Store

/** localStorage, which all tabs of this site share; memory where nothing may be stored or fits into it. */
export let local = memory

/** State of recording. 1: events are withheld until the visitor consents; 2: none is recorded. */
export let silent: 0 | 1 | 2

const cookie = (): string | undefined => document.cookie.match(`\\b${key}=([^;]+)`)?.[1]
const read = (): string => (options.subdomains ? decodeURIComponent(cookie()!) : real[key]!)
const write = (text: string): void => {
  if (options.subdomains) {
    text = encodeURIComponent(text)
    // the shortest domain that the browser accepts is that of all subdomains
    for (let labels = location.hostname.split('.'), index = labels.length; index-- && cookie() !== text;)
      document.cookie = `${key}=${text};domain=${labels.slice(index).join('.')};path=/;max-age=31536000;samesite=lax`
  } else real[key] = text
}

/** Reads whether the visitor may be tracked. */
export const open = (): void => {
  real = attempt(() => localStorage as never as Store) || memory
  const record = attempt(read)
  silent =
    record === '0' ||
    (options.respect_privacy_signals && ((navigator as Signals).globalPrivacyControl || navigator.doNotTrack === '1'))
      ? 2
      : options.consent && !record
        ? 1
        : 0
  if (!silent) unseal()
}

/** From here on, events are stored and sent, also those that waited in memory. */
export const unseal = (): void => {
  silent = 0
  if (!options.cookieless) local = (options.consent && attempt(() => Object.assign(real, local))) || real
}

/** From here on, nothing is recorded, also on later pages. */
export const seal = (): void => {
  silent = 2
  attempt(() => write('0'))
}

/** Stores an event that waits. Where it does not fit, this page uses its memory from here on. */
export const put = (json: string, header: string): unknown =>
  attempt(() => (local[json] = header)) || ((local = memory)[json] = header)

/** Returns the stored record of the device; nothing where none is stored. */
export const load = <T>(): T | void | false => !options.cookieless && attempt(() => JSON.parse(read()) as T)

/** Stores the record of the device, unless the tracker stores nothing or is silent. */
export const save = (record: unknown): unknown =>
  options.cookieless || silent || attempt(() => write(JSON.stringify(record)))
