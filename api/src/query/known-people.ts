import { createHash } from 'node:crypto'
import { HopperError, type ChunkSummary } from '@hopper/contracts'
import {
  bytesOfPropertyFacts,
  bytesOfTraits,
  isPropertyKey,
  isTraitKey,
  mayHaveTraits,
  noPeople,
  People,
  PROPERTY_PREFIX,
  propertyFacts,
  PropertyPlan,
  PropertyTotals,
  TRAIT_PREFIX,
  traitColumns,
  traitFacts,
  traitNames,
  Traits,
  type Budget,
  type Chunk,
  type Identities,
  type PersonValues,
} from '@hopper/engine'
import { batchesOf } from './batches.ts'
import type { ChunkSource } from './chunk-source.ts'
import { canonicalJson, chunkName, fingerprintOf } from './fingerprint.ts'
import { identityDigest, type KnownIdentities } from './known-identities.ts'
import type { QueryJob } from './pool/query-job.ts'
import { BoundedMap } from './sharing/bounded-map.ts'

/** Maximum bytes of the people known from single chunks, and of the people of an app combined from them. */
const FACTS_BYTES_MAX = 64 * 1024 * 1024
const VALUES_BYTES_MAX = 128 * 1024 * 1024
/** Maximum bytes of the values of all keys of a query. */
const QUERY_BYTES_MAX = 256 * 1024 * 1024

/** The values of a key. `name` is the key of the caches, both of the values and of everything computed from them. */
interface Known {
  readonly name: string
  readonly values: PersonValues
  readonly bytes: number
}

/** The parts of a job that state what a query needs to know about people. */
export type PeopleJob = Pick<QueryJob, 'app' | 'context' | 'identifying' | 'history'>

const digests = new WeakMap<People, string>()

/** Returns a hash that is equal for people with the same devices and the same values of the keys of a query. */
export function peopleDigest(people: People): string {
  return digests.get(people) ?? identityDigest(people.identities)
}

/**
 * Finds out what a query needs to know about people: users of devices, traits and computed properties. Each chunk is
 * read once for each of these; a later query reads only the chunks that are new.
 */
export class KnownPeople {
  readonly #source: ChunkSource
  readonly #identities: KnownIdentities
  readonly #facts = new BoundedMap<unknown>(FACTS_BYTES_MAX)
  readonly #values = new BoundedMap<Known>(VALUES_BYTES_MAX)
  #last: { readonly identities: Identities; readonly digest: string; readonly people: People } | undefined

  constructor(source: ChunkSource, identities: KnownIdentities) {
    this.#source = source
    this.#identities = identities
  }

  /**
   * Returns the people of an app with the values of some keys. Also sets them in the chunk source, for all chunks that
   * it opens afterwards.
   * @throws HopperError HOP_LIMIT if the values of a key do not fit into memory
   */
  async of(job: PeopleJob, keys: readonly string[], budget: Budget): Promise<People> {
    // without chunks to read, the known people of the app stay as they are
    const isAnonymous = job.identifying.length === 0
    const identities = isAnonymous ? noPeople.identities : await this.#identities.of(job.app, job.identifying)
    const known = new Map<string, Known>()
    for (const key of keys) {
      const found = isTraitKey(key)
        ? await this.#trait(job, key.slice(TRAIT_PREFIX.length), budget)
        : isPropertyKey(key)
          ? await this.#property(job, key.slice(PROPERTY_PREFIX.length), identities, budget)
          : undefined
      if (found) known.set(key, found)
    }
    assertFits([...known.values()])
    this.#source.people = this.#peopleOf(identities, known)
    return this.#source.people
  }

  /** Returns all traits of all users of an app. */
  async traits({ app, identifying }: PeopleJob, budget: Budget, names?: readonly string[]): Promise<Traits> {
    const traits = new Traits()
    const chunks = identifying.filter((summary) => mayHaveTraits(summary, names))
    const read = (chunk: Chunk): { value: ReturnType<typeof traitFacts>; bytes: number } => {
      const value = traitFacts(chunk, names)
      return { value, bytes: bytesOfTraits(value) }
    }
    const name = `${app}/traits/${names ? JSON.stringify(names) : ''}`
    const columns = (summary: ChunkSummary): readonly string[] => traitColumns(summary, names)
    for await (const facts of this.#factsOf(name, chunks, columns, read, budget)) traits.add(facts)
    return traits
  }

  /** Returns the names of the traits that identifies in these chunks have set. */
  async traitNames(app: string, chunks: readonly ChunkSummary[], budget: Budget): Promise<Set<string>> {
    const names = new Set<string>()
    const read = (chunk: Chunk): { value: readonly string[]; bytes: number } => {
      const value = traitNames(chunk)
      return { value, bytes: value.reduce((sum, name) => sum + 40 + name.length * 2, 100) }
    }
    const columns = (summary: ChunkSummary): readonly string[] => traitColumns(summary)
    for await (const some of this.#factsOf(`${app}/trait names`, chunks, columns, read, budget))
      for (const name of some) names.add(name)
    return names
  }

  /** Reuses the last people if nothing has changed, so that the cache entries of their version remain valid. */
  #peopleOf(identities: Identities, known: ReadonlyMap<string, Known>): People {
    const names = [...known].map(([key, { name }]) => `${key}=${name}`).sort()
    const digest = hashOf([identityDigest(identities), ...names])
    if (this.#last?.identities !== identities || this.#last.digest !== digest) {
      const people = new People(identities, new Map([...known].map(([key, { values }]) => [key, values])))
      digests.set(people, digest)
      this.#last = { identities, digest, people }
    }
    return this.#last.people
  }

  async #trait(job: PeopleJob, trait: string, budget: Budget): Promise<Known> {
    const names = [trait]
    const chunks = job.identifying.filter((summary) => mayHaveTraits(summary, names))
    const name = hashOf([job.app, 'trait', trait, fingerprintOf(chunks)])
    return this.#kept(name, async () => {
      const traits = await this.traits(job, budget, names)
      return { values: traits.valuesOf(trait), bytes: traits.bytes }
    })
  }

  async #property(
    job: PeopleJob,
    property: string,
    identities: Identities,
    budget: Budget,
  ): Promise<Known | undefined> {
    const definition = job.context.properties?.[property]
    if (!definition) return undefined
    const plan = new PropertyPlan(definition)
    const chunks = job.history.filter((summary) => plan.canMatch(summary))
    const rule = canonicalJson([definition, job.context.pages ?? null])
    const name = hashOf([job.app, rule, fingerprintOf(chunks), identityDigest(identities)])
    return this.#kept(name, async () => {
      const values = await this.#totals(job.app, rule, plan, chunks, identities, budget)
      return { values, bytes: values.bytes }
    })
  }

  async #totals(
    app: string,
    rule: string,
    plan: PropertyPlan,
    chunks: readonly ChunkSummary[],
    identities: Identities,
    budget: Budget,
  ): Promise<PropertyTotals> {
    const totals = new PropertyTotals(plan.definition.operation, identities)
    const read = (chunk: Chunk): { value: ReturnType<typeof propertyFacts>; bytes: number } => {
      const value = propertyFacts(plan, chunk, budget)
      return { value, bytes: bytesOfPropertyFacts(value) }
    }
    const columns = (summary: ChunkSummary): readonly string[] => plan.columns(summary)
    for await (const facts of this.#factsOf(`${app}/property/${rule}`, chunks, columns, read, budget)) totals.add(facts)
    return totals
  }

  async #kept(
    name: string,
    make: () => Promise<{ readonly values: PersonValues; readonly bytes: number }>,
  ): Promise<Known> {
    const known = this.#values.get(name)
    if (known) return known
    const entry = { name, ...(await make()) }
    this.#values.put(name, entry, entry.bytes)
    return entry
  }

  /** Yields the facts of each chunk, from the cache where they are known. */
  async *#factsOf<T>(
    name: string,
    chunks: readonly ChunkSummary[],
    columns: (summary: ChunkSummary) => readonly string[],
    read: (chunk: Chunk) => { readonly value: T; readonly bytes: number },
    budget: Budget,
  ): AsyncGenerator<T> {
    const unread: ChunkSummary[] = []
    for (const summary of chunks) {
      const known = this.#facts.get(`${name}/${chunkName(summary)}`)
      if (known !== undefined) yield known as T
      else unread.push(summary)
    }
    for (const batch of batchesOf(unread.map((summary) => ({ summary, names: columns(summary) })))) {
      budget.check()
      for (const chunk of await this.#source.chunks(batch, false)) {
        budget.check()
        const { value, bytes } = read(chunk)
        this.#facts.put(`${name}/${chunkName(chunk.summary)}`, value, bytes)
        yield value
      }
    }
  }
}

/** @throws HopperError HOP_LIMIT if the values of a query do not fit into memory */
function assertFits(known: readonly Known[]): void {
  const bytes = known.reduce((sum, each) => sum + each.bytes, 0)
  if (bytes > QUERY_BYTES_MAX)
    throw new HopperError(
      'HOP_LIMIT',
      `The traits and computed properties of the query take ${Math.ceil(bytes / 1024 ** 2)} MB; ` +
        `${QUERY_BYTES_MAX / 1024 ** 2} are allowed. Name fewer of them.`,
    )
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}
