import type { ChunkSummary } from '@hopper/contracts'
import {
  columnsOfKey,
  identityColumns,
  isPropertyKey,
  isTraitKey,
  PROPERTY_PREFIX,
  PropertyPlan,
  TRAIT_PREFIX,
  traitColumns,
  type QueryContext,
} from '@hopper/engine'
import { invalidFields } from '../http/checked.ts'
import { withoutPatterns } from './filter-parts.ts'
import type { Outline } from './scan-scope.ts'

// Summaries reduced to what a thread needs: whole ones would be expensive to send.

/** Returns the summary without the values of any column. */
export function withoutValues(summary: ChunkSummary): ChunkSummary {
  return { ...summary, values: {} }
}

/** Keeps only the values of the given columns. */
export function withValues(summary: ChunkSummary, names: readonly string[]): ChunkSummary {
  return {
    ...summary,
    values: Object.fromEntries(
      names.filter((name) => Object.hasOwn(summary.values, name)).map((name) => [name, summary.values[name]!]),
    ),
  }
}

/**
 * Keeps only what identifies the users of devices, and their traits: those of the keys, or all if `keys` is undefined.
 */
export function identifyingColumns(summary: ChunkSummary, keys: readonly string[] | undefined): ChunkSummary {
  const traits = keys?.filter(isTraitKey).map((key) => key.slice(TRAIT_PREFIX.length))
  const names = [...identityColumns, ...(traits?.length === 0 ? [] : traitColumns(summary, traits))]
  return {
    ...withValues(summary, ['type']),
    columns: pick(summary.columns, names),
  }
}

/** Returns a function that keeps only what the computed properties of a query need. */
export function historyColumns({ properties = {} }: QueryContext): (summary: ChunkSummary) => ChunkSummary {
  const plans = Object.values(properties).map((definition) => new PropertyPlan(withoutPatterns(definition)))
  const values = plans.flatMap((plan) => plan.atoms.flatMap(({ key }) => columnsOfKey(key)))
  return (summary) => ({
    ...withValues(summary, values),
    columns: pick(
      summary.columns,
      plans.flatMap((plan) => plan.columns(summary)),
    ),
  })
}

function pick(columns: ChunkSummary['columns'], names: readonly string[]): ChunkSummary['columns'] {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(columns, name)).map((name) => [name, columns[name]!]))
}

/**
 * Keeps only the computed properties that a query needs: those that it names, or all if it shows persons.
 * @throws HopperError HOP_PARAM_INVALID for a key of a computed property that does not exist
 */
export function withNamedProperties(context: QueryContext, { personKeys, showsPersons }: Outline): QueryContext {
  const { properties = {}, ...rest } = context
  const named = personKeys.filter(isPropertyKey).map((key) => key.slice(PROPERTY_PREFIX.length))
  const unknown = named.filter((name) => !Object.hasOwn(properties, name))
  if (unknown.length > 0)
    throw invalidFields(
      unknown.map((name) => ({
        field: PROPERTY_PREFIX + name,
        message: `is not a computed property of this app; PUT properties/${name} defines one`,
      })),
    )
  const kept = showsPersons ? Object.entries(properties) : named.map((name) => [name, properties[name]!] as const)
  return kept.length === 0 ? rest : { ...rest, properties: Object.fromEntries(kept) }
}
