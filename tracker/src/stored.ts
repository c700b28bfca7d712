import { attempt } from './attempt.ts'
import { key } from './tag.ts'

/** A storage, or memory of this page where storage is blocked. */
type Store = Record<string, string>
const open = (storage: () => Storage): Store => attempt(storage) || {}

/** shared by all tabs of this site */
export const local = open(() => localStorage)
/** of this tab, through its loads of pages */
export const tab = open(() => sessionStorage)

/**
 * What is stored under the app's key, else `fallback`: what the page holds in memory goes on when nothing can be
 * written.
 */
export const load = <T>(store: Store, fallback: T): T => attempt(() => JSON.parse(store[key]!) as T) || fallback

export const save = (store: Store, value: unknown): unknown => attempt(() => (store[key] = JSON.stringify(value)))
