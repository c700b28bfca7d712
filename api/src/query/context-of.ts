import type { App } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'

/** Builds the context of a query: what it needs to know about the app besides its events. */
export function contextOf(
  { timezone, keep_parameters, hash_routing = false }: App,
  completeTo: number | null,
): QueryContext {
  return { timezone, completeTo: completeTo ?? 0, pages: { keep_parameters, hash_routing } }
}
