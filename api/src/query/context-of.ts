import type { App } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'

/** What a question about an app's events has to know besides the events. */
export function contextOf({ timezone, keep_parameters, hash_routing = false }: App, completeTo: number): QueryContext {
  return { timezone, completeTo, pages: { keep_parameters, hash_routing } }
}
