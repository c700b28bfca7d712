import { stageNumber, type Filter, type Funnel, type FunnelRequest, type PageRule, type Stage } from '@hopper/contracts'

/**
 * Converts the stages of a configured funnel to the steps of a query. A stage is entered by a `funnel_change` event of
 * the tracker, and by any event that matches its condition: a URL stage by a `url_change` to a matching page, a click
 * stage by a click on a matching element. So it also covers events from before the funnel was created.
 */
export function stepsOfFunnel(
  { id, stages }: Funnel,
  { keep_parameters, hash_routing = false }: PageRule,
): FunnelRequest['steps'] {
  const rule = { keep_parameters, hash_routing }
  return stages.map((stage) => ({
    name: stage.name,
    filters: [{ type: 'or', filters: entriesOf(id, stage, stages, rule) }],
  }))
}

function entriesOf(funnel: string, stage: Stage, stages: Stage[], rule: PageRule): Filter[] {
  const means = (key: 'to' | 'target', type: string): Filter =>
    allOf([
      { type: 'eq', key: 'type', value: type },
      { type: 'stage', key, stages, stage: stageNumber(stage), rule },
    ])
  return [
    allOf([
      { type: 'eq', key: 'type', value: 'funnel_change' },
      { type: 'eq', key: 'funnel', value: funnel },
      { type: 'eq', key: 'entered', value: stageNumber(stage) },
    ]),
    ...(stage.url === undefined ? [] : [means('to', 'url_change')]),
    ...(stage.click === undefined ? [] : [means('target', 'click')]),
  ]
}

function allOf(filters: Filter[]): Filter {
  return { type: 'not', filter: { type: 'or', filters: filters.map((filter) => ({ type: 'not', filter })) } }
}
