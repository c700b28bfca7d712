import type { Hopper } from './api.ts'
import { options } from './settings.ts'
import { start } from './start.ts'

export type { Data, Hopper, HopperMethods } from './api.ts'

/** Options of the tracker; each is off by default. docs/tracker.md says what they do. */
export type Options = Partial<typeof options>

/**
 * Starts the tracker once, and returns it; `url` is the address of the server that takes the events, with the path
 * under which it is served. Where there is no page (on a server), nothing happens.
 */
export const init = ({ key, url, ...chosen }: { key: string; url: string } & Options): Hopper | undefined => {
  if (typeof document === 'undefined') return undefined
  Object.assign(options, chosen)
  start(key, url.replace(/\/*$/, '/'))
  return window.hopper
}
