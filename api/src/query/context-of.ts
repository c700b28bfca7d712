import { keptFromInstant, type App } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'

/** Builds the context of a query: what it needs to know about the app besides its events. */
export function contextOf(app: App, completeTo: number | null): QueryContext {
  const { timezone, keep_parameters, hash_routing = false, kept_from } = app
  const kept = kept_from === undefined ? {} : { keptFrom: keptFromInstant(app) }
  return { timezone, completeTo: completeTo ?? 0, pages: { keep_parameters, hash_routing }, ...kept }
}
