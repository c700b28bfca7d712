import type { FunnelRequest, Funnel } from '@hopper/contracts'

/** The stages of a configured funnel as the steps of a query: a step is the event that its stage was entered. */
export function stepsOfFunnel({ id, stages }: Funnel): FunnelRequest['steps'] {
  return stages.map((stage) => ({
    name: stage.name,
    filters: [
      { type: 'eq', key: 'type', value: 'funnel_change' },
      { type: 'eq', key: 'funnel', value: id },
      { type: 'eq', key: 'entered', value: stage.id },
    ],
  }))
}
