import * as fc from 'fast-check'
import type { Filter, FunnelRequest, InsteadRequest } from '@hopper/contracts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { T0, TICK_MS } from './random-world.ts'

/** Time in which a person must take the next step. */
export const STEP_WINDOW_MS = 6 * TICK_MS
export const stepContext: QueryContext = { timezone: 'UTC', completeTo: T0 + 16 * TICK_MS }

/** Returns steps by the names of events; `url` is a change of the address. */
export function stepsNamed(names: readonly string[]): FunnelRequest['steps'] {
  return names.map((name) =>
    name === 'url'
      ? { name, filters: [{ type: 'eq', key: 'type', value: 'url_change' }] }
      : { name, filters: [{ type: 'eq', key: 'name', value: name }] },
  )
}

/** Random fields of a query about a step of a funnel over `worldOfVisits`; see `stepRequest`. */
export const stepFields = {
  from: fc.nat({ max: 4 }),
  ticks: fc.integer({ min: 1, max: 20 }),
  filters: fc.constantFrom<Filter[]>([], [], [{ type: 'ne', key: 'device_id', value: 'device-1' }]),
  count_by: fc.constantFrom('person' as const, 'person' as const, 'device' as const, 'session' as const),
  order: fc.constantFrom('ordered' as const, 'strict' as const, 'any' as const),
  names: fc.constantFrom(['a', 'b'], ['a', 'c', 'b'], ['url', 'd'], ['b', 'url', 'a']),
  step: fc.constantFrom(1, 2),
}

interface StepFields {
  readonly from: number
  readonly ticks: number
  readonly names: readonly string[]
  readonly step: number
  readonly outcome: InsteadRequest['outcome']
}

type StepRequest<T> = Omit<T, keyof StepFields> &
  Pick<InsteadRequest, 'from' | 'to' | 'steps' | 'step' | 'outcome'> & { readonly window_ms: number }

/** Makes the query of random fields: only the second step can be missed. */
export function stepRequest<T extends StepFields>({ from, ticks, names, step, outcome, ...rest }: T): StepRequest<T> {
  return {
    ...rest,
    from: T0 + from * TICK_MS,
    to: T0 + (from + ticks) * TICK_MS,
    steps: stepsNamed(names),
    window_ms: STEP_WINDOW_MS,
    step: outcome === 'reached' ? step : 2,
    outcome,
  }
}
