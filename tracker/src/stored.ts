import { attempt } from './attempt.ts'
import { key } from './tag.ts'

/** Storage, or memory of this page where storage is blocked. */
type Store = Record<string, string>
const open = (storage: () => Storage): Store => attempt(storage) || {}

/** shared by all tabs of this site */
export const local = open(() => localStorage)
/** of this tab, across page loads */
export const tab = open(() => sessionStorage)

/**
 * Returns the value stored under the app's key, else `fallback`: the page's value in memory stays in use when storage
 * cannot be written.
 */
export const load = <T>(store: Store, fallback: T): T => attempt(() => JSON.parse(store[key]!) as T) || fallback

export const save = (store: Store, value: unknown): unknown => attempt(() => (store[key] = JSON.stringify(value)))
