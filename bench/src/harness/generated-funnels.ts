import type { FunnelRequest } from '@hopper/contracts'
import { GENERATED_DAYS, GENERATED_FROM, generatedSteps } from './generated-columns.ts'

const DAY_MS = 86_400_000
const MORE_STEPS = 15
const to = GENERATED_FROM + GENERATED_DAYS * DAY_MS

/** A time zone and a `complete_to` after all generated events. */
export const generatedContext = { timezone: 'UTC', completeTo: to + DAY_MS }

const named = (name: string): FunnelRequest['steps'][number] => ({
  name,
  filters: [{ type: 'eq', key: 'name', value: name }],
})

/** A funnel of five steps over all generated events. */
export const plain: FunnelRequest = { from: GENERATED_FROM, to, window_ms: DAY_MS, steps: generatedSteps.map(named) }

/** The same with a filter that 8 % of the devices pass, by country. */
export const filtered: FunnelRequest = {
  ...plain,
  filters: [{ type: 'eq', key: 'plan', value: 'pro' }],
  breakdown: 'country',
}

/** The same with twenty steps. */
export const twentySteps: FunnelRequest = {
  ...plain,
  steps: [
    ...plain.steps,
    ...Array.from({ length: MORE_STEPS }, (_, i) => named(`event_${String(i).padStart(2, '0')}`)),
  ],
}
