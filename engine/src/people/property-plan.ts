import { eventTypes, type ChunkSummary, type Filter, type PropertyDefinition } from '@hopper/contracts'
import { isPersonKey } from '../chunk/event-keys.ts'
import { possibleOutcomes } from '../filter/classify-rows.ts'
import { AtomSet, keysOfAtoms, possible, type Atom, type Expression } from '../filter/compile-filters.ts'
import { columnsToRead } from '../filter/key-column.ts'
import { invalid, parseFilters, parseKey, refusePersonKeys } from '../filter/parse-filters.ts'
import { ValueTruths } from '../filter/value-truths.ts'
import { withoutBots } from '../filter/without-bots.ts'
import { isOrdered } from './collected.ts'
import { orderColumns } from './event-place.ts'

/** A compiled computed property. */
export class PropertyPlan {
  readonly definition: PropertyDefinition
  /** the tests of all filters */
  readonly atoms: readonly Atom[]
  readonly expression: Expression
  /** cached results of the tests, for all chunks */
  readonly known: ValueTruths

  /** @throws HopperError HOP_PARAM_INVALID if the definition is contradictory or incomplete */
  constructor(definition: PropertyDefinition) {
    const { event, key, operation, filters = [] } = definition
    if (key === undefined && operation !== 'count')
      throw invalid('key', `is missing: ${operation} needs the key whose values it takes`)
    if (key !== undefined && isPersonKey(parseKey(key, 'key')))
      throw invalid('key', `cannot be ${key}, which is a value of the person`)
    const parsed = parseFilters(filters)
    refusePersonKeys(parsed, 'filters')
    const atoms = new AtomSet()
    this.definition = definition
    this.expression = atoms.compile(withoutBots([...filtersOf(event), ...parsed]))
    this.atoms = atoms.atoms
    this.known = new ValueTruths(this.atoms)
  }

  /** Lists the columns of a chunk that computing the property needs. */
  columns({ columns }: ChunkSummary): readonly string[] {
    const { key, operation } = this.definition
    const keys = [...keysOfAtoms(this.atoms), ...(key === undefined ? [] : [key]), 'samplerate']
    const order = isOrdered(operation) ? orderColumns : []
    const user = Object.hasOwn(columns, 'user') ? ['user'] : []
    return [...new Set(['runs', ...user, ...order, ...keys.flatMap((each) => columnsToRead(columns, each))])]
  }

  /** Returns whether a chunk can have a matching event, according to its summary. */
  canMatch(summary: ChunkSummary): boolean {
    return (possible(this.expression, possibleOutcomes(summary, this.atoms, this.known)) & 1) === 1
  }
}

function filtersOf(event: string): Filter[] {
  if ((eventTypes as readonly string[]).includes(event)) return [{ type: 'eq', key: 'type', value: event }]
  return [
    { type: 'eq', key: 'type', value: 'custom' },
    { type: 'eq', key: 'name', value: event },
  ]
}
