import { HopperError, type PropertyOperation } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { classifyRows } from '../filter/classify-rows.ts'
import { holds } from '../filter/compile-filters.ts'
import { keyColumn } from '../filter/key-column.ts'
import type { Budget } from '../scan/budget.ts'
import { identityOf, type Identities } from '../scan/identities.ts'
import {
  bytesOfCollected,
  bytesOfDistinct,
  collect,
  mergeCollected,
  nothingCollected,
  valueOfCollected,
  type Collected,
} from './collected.ts'
import { placeReader } from './event-place.ts'
import type { DeviceKey, PersonValues } from './people.ts'
import type { PropertyPlan } from './property-plan.ts'

/** Maximum memory of the intermediate results of all people for one computed property. */
const PROPERTIES_BYTES_MAX = 128 * 1024 * 1024
/** Approximate memory of a fact or an entry, in addition to its intermediate result. */
const ENTRY_BYTES = 120

/**
 * The intermediate result of a computed property over the events of a device in one chunk, as a user or still
 * anonymous.
 */
export interface PropertyFact extends DeviceKey {
  readonly user: string | undefined
  readonly collected: Collected
}

/** Reads the facts of a chunk, or only of some of its runs. Needs the columns of the plan. */
export function propertyFacts(
  plan: PropertyPlan,
  chunk: Chunk,
  budget: Budget,
  only?: readonly number[],
): PropertyFact[] {
  budget.check()
  const { codes, classes, truths } = classifyRows(chunk, plan.atoms, budget, plan.known)
  const matching = Uint8Array.from(truths, (truth) => Number(holds(plan.expression, truth)))
  if (!matching.includes(1)) return []
  const add = adder(plan, chunk)
  const { keys, rests, starts } = chunk.runs()
  const users = chunk.values('user')
  const facts: PropertyFact[] = []
  const readRun = (run: number): void => {
    const byUser = new Map<string | undefined, Collected>()
    for (let row = starts[run]!; row < starts[run + 1]!; row++) {
      if (matching[classes[codes[row]!]!] === 0) continue
      const user = users ? users.values[users.codes[row]!]! : null
      const name = user === null ? undefined : String(user)
      let collected = byUser.get(name)
      if (!collected) byUser.set(name, (collected = nothingCollected(plan.definition.operation)))
      add(collected, row)
    }
    for (const [user, collected] of byUser) facts.push({ key: keys[run]!, rest: rests[run]!, user, collected })
  }
  if (only) only.forEach(readRun)
  else for (let run = 0; run < keys.length; run++) readRun(run)
  return facts
}

/** Creates a function that adds the event of a matching row. */
function adder(plan: PropertyPlan, chunk: Chunk): (into: Collected, row: number) => void {
  const { key, operation } = plan.definition
  const column = key === undefined ? undefined : keyColumn(chunk, key)
  if (key !== undefined && !column) return () => undefined
  const rates = chunk.values('samplerate')
  // created when the first value needs it: for other operations the columns of the order are not fetched
  let place: ReturnType<typeof placeReader> | undefined
  return (into, row) => {
    const value = column ? column.values[column.codes[row]!]! : true
    if (value === null) return
    const weight = rates ? Number(rates.values[rates.codes[row]!] ?? 1) : 1
    collect(into, operation, value, weight, () => (place ??= placeReader(chunk))(row))
  }
}

/** Estimates the memory of facts in bytes. */
export function bytesOfPropertyFacts(facts: readonly PropertyFact[]): number {
  return facts.reduce((sum, { collected }) => sum + ENTRY_BYTES + bytesOfCollected(collected), 100)
}

/** Sums the facts of many chunks by person. */
export class PropertyTotals implements PersonValues {
  readonly #operation: PropertyOperation
  readonly #identities: Identities
  readonly #users = new Map<string, Collected>()
  readonly #devices = new Map<string, Collected>()
  #bytes = 0

  constructor(operation: PropertyOperation, identities: Identities) {
    this.#operation = operation
    this.#identities = identities
  }

  /** @throws HopperError HOP_LIMIT if there are too many persons or values to hold */
  add(facts: readonly PropertyFact[]): void {
    const { users, firstUser } = this.#identities
    for (const fact of facts) {
      const entry = fact.user === undefined ? identityOf(this.#identities, fact.key, fact.rest) : -1
      const user = entry < 0 ? fact.user : users[firstUser[entry]!]!
      if (user === undefined) this.#merge(this.#devices, deviceName(fact), fact.collected)
      else this.#merge(this.#users, user, fact.collected)
    }
    if (this.#bytes > PROPERTIES_BYTES_MAX)
      throw new HopperError(
        'HOP_LIMIT',
        `The values of a computed property take more than ${PROPERTIES_BYTES_MAX / 1024 ** 2} MB, over all people. ` +
          'Give it filters that fewer events match, or count something that has fewer values.',
      )
  }

  get bytes(): number {
    return this.#bytes
  }

  ofUser(user: string): ReturnType<PersonValues['ofUser']> {
    return valueOfCollected(this.#operation, this.#users.get(user))
  }

  ofDevice(device: DeviceKey): ReturnType<PersonValues['ofDevice']> {
    return valueOfCollected(this.#operation, this.#devices.get(deviceName(device)))
  }

  #merge(persons: Map<string, Collected>, name: string, from: Collected): void {
    let into = persons.get(name)
    if (!into) {
      // never the fact itself, which may be cached
      persons.set(name, (into = nothingCollected(this.#operation)))
      this.#bytes += ENTRY_BYTES + name.length * 2 + bytesOfCollected({ ...from, values: undefined })
    }
    from.values?.forEach((value) => {
      if (!into.values!.has(value)) this.#bytes += bytesOfDistinct(value)
    })
    mergeCollected(into, this.#operation, from)
  }
}

function deviceName({ key, rest }: DeviceKey): string {
  return `${key}/${rest}`
}
