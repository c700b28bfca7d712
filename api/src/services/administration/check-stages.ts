import { limits, parametersOfStages, patternProblem, type App, type Funnel, type PageRule } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { invalidFields } from '../../http/checked.ts'
import type { Fault } from '../../http/faults.ts'
import { selectorProblem } from '../../validation/selector.ts'

/**
 * Lists the faults in the stages of a funnel: duplicate ids, stages that nothing enters, patterns that no page can
 * match, and selectors that no browser accepts.
 */
export function stageProblems({ stages }: Pick<Funnel, 'stages'>, rule: Pick<PageRule, 'hash_routing'>): Fault[] {
  const ids = stages.map(({ id }) => id)
  return stages.flatMap(({ id, url, click }, index) => {
    const field = `stages[${index}]`
    const faults: Fault[] = []
    if (ids.indexOf(id) !== index)
      faults.push({ field: `${field}.id`, message: `is ${id}, like that of an earlier stage; give each its own` })
    if (url === undefined && click === undefined)
      faults.push({ field, message: 'must have a url or a click, otherwise nothing can enter the stage' })
    const problem = url === undefined ? undefined : patternProblem(url, rule)
    if (problem !== undefined) faults.push({ field: `${field}.url`, message: problem })
    const unusable = click === undefined ? undefined : selectorProblem(click)
    if (unusable !== undefined) faults.push({ field: `${field}.click`, message: unusable })
    return faults
  })
}

/** @throws HopperError HOP_PARAM_INVALID with every invalid field of the funnel */
export function checkStages(funnel: Funnel, app: App): void {
  const faults = [...stageProblems(funnel, app), ...keptProblems(keptParameters(app.keep_parameters, [funnel]))]
  if (faults.length > 0) throw invalidFields(faults)
}

/**
 * Lists the parameters that an app keeps: those it lists, then those that its stages use, which could never be entered
 * otherwise.
 */
export function keptParameters(listed: readonly string[], funnels: readonly Pick<Funnel, 'stages'>[]): string[] {
  return [...new Set([...listed, ...parametersOfStages(funnels.flatMap(({ stages }) => stages))])]
}

/** Checks the number of parameters that an app keeps. */
export function keptProblems(parameters: readonly string[], field = 'stages'): Fault[] {
  if (parameters.length <= limits.keepParametersMax) return []
  return [
    {
      field,
      message:
        `must not use more parameters: the app would keep ${parameters.length}, ` +
        `at most ${limits.keepParametersMax} are allowed`,
    },
  ]
}

/**
 * Adds the parameters that the stages of a funnel use to those that the app keeps. A parameter that no stage uses any
 * more stays until it is removed from the list.
 */
export async function addKeptParameters(registry: Registry, app: App, funnel: Funnel): Promise<void> {
  const parameters = keptParameters(app.keep_parameters, [funnel])
  if (parameters.length > app.keep_parameters.length)
    await registry.apps.put(app.organization, app.id, { ...app, keep_parameters: parameters })
}
