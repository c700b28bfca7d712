import { createHash } from 'node:crypto'
import type { ChunkSummary } from '@hopper/contracts'
import {
  bytesOfFacts,
  identityColumns,
  identityFacts,
  IdentityIndex,
  type Identities,
  type IdentityFacts,
} from '@hopper/engine'
import type { ChunkSource } from './chunk-source.ts'
import { BoundedMap } from './sharing/bounded-map.ts'
import { chunkName } from './fingerprint.ts'

const FACTS_BYTES_MAX = 64 * 1024 * 1024
const APPS_MAX = 16
const CHUNKS_PER_READ = 64

interface Known {
  readonly index: IdentityIndex
  readonly chunks: Set<string>
}

/**
 * Caches which users the devices of each app belong to. Each chunk is read once for this; a query reads only the chunks
 * that are new since the last one.
 */
export class KnownIdentities {
  readonly #source: ChunkSource
  readonly #apps = new Map<string, Known>()
  readonly #facts = new BoundedMap<IdentityFacts>(FACTS_BYTES_MAX)

  constructor(source: ChunkSource) {
    this.#source = source
  }

  async of(app: string, identifying: readonly ChunkSummary[]): Promise<Identities> {
    return (await this.index(app, identifying)).identities()
  }

  /** Returns the index of an app. `identifying` are all chunks of the app, of all times, that name a user. */
  async index(app: string, identifying: readonly ChunkSummary[]): Promise<IdentityIndex> {
    const names = new Map(identifying.map((summary) => [chunkName(summary), summary]))
    let known = this.#apps.get(app)
    // If a chunk is gone, its facts may be gone too: its events were merged into another chunk, or a person was
    // deleted.
    if (!known || ![...known.chunks].every((name) => names.has(name)))
      known = { index: new IdentityIndex(), chunks: new Set() }
    this.#apps.delete(app)
    this.#apps.set(app, known)
    if (this.#apps.size > APPS_MAX) this.#apps.delete(this.#apps.keys().next().value!)
    const { index, chunks } = known
    const fresh = [...names].filter(([name]) => !chunks.has(name))
    const facts: IdentityFacts[] = []
    for (let start = 0; start < fresh.length; start += CHUNKS_PER_READ)
      facts.push(...(await this.#read(app, fresh.slice(start, start + CHUNKS_PER_READ))))
    index.add(facts)
    for (const [name] of fresh) chunks.add(name)
    return index
  }

  async #read(app: string, named: readonly (readonly [string, ChunkSummary])[]): Promise<IdentityFacts[]> {
    const unread = named.filter(([name]) => !this.#facts.has(`${app}/${name}`))
    const chunks = await this.#source.chunks(
      unread.map(([, summary]) => ({ summary, names: identityColumns })),
      false,
    )
    const read = new Map(unread.map(([name], i) => [name, identityFacts(chunks[i]!)]))
    const facts = named.map(([name]) => read.get(name) ?? this.#facts.get(`${app}/${name}`)!)
    for (const [name, each] of read) this.#facts.put(`${app}/${name}`, each, bytesOfFacts(each))
    return facts
  }
}

const digests = new WeakMap<Identities, string>()

/** Returns a hash that is equal for the same devices with the same users. */
export function identityDigest(identities: Identities): string {
  let digest = digests.get(identities)
  if (digest === undefined) {
    const { keys, rests, firstUser, shared, users } = identities
    const hash = createHash('sha256').update(keys).update(rests).update(shared)
    digest = hash.update(Array.from(firstUser, (code) => users[code]).join('\0')).digest('base64')
    digests.set(identities, digest)
  }
  return digest
}
