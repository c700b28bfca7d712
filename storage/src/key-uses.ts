import type { KeyRecord } from '@hopper/contracts'
import type { Registry } from './ports/registry.ts'

/** A use is noted again after this time. */
const NOTED_MS = 60_000
/** Keys whose last note is remembered; beyond that all are forgotten, and noted again. */
const KEYS_MAX = 20_000

/** Notes when keys were last used, beside the requests that use them: none waits for it or fails by it. */
export class KeyUses {
  readonly #registry: Pick<Registry, 'keyUses'>
  readonly #clock: () => number
  readonly #noted = new Map<string, number>()

  constructor(registry: Pick<Registry, 'keyUses'>, clock: () => number) {
    this.#registry = registry
    this.#clock = clock
  }

  note({ hash, organization }: Pick<KeyRecord, 'hash' | 'organization'>): void {
    const at = this.#clock()
    const noted = this.#noted.get(hash)
    if (noted !== undefined && Math.abs(at - noted) < NOTED_MS) return
    if (this.#noted.size >= KEYS_MAX) this.#noted.clear()
    this.#noted.set(hash, at)
    // one that could not be noted is noted by a later request
    this.#registry.keyUses.put(organization, hash, { hash, at }).catch(() => this.#noted.delete(hash))
  }
}
