import type { KeyRecord } from '@hopper/contracts'
import { LastUses } from './last-uses.ts'
import type { Registry } from './ports/registry.ts'

/** A use is recorded again after this time. */
const NOTED_MS = 60_000

/** Records when keys were last used. No request waits for the record, or fails because of it. */
export class KeyUses {
  readonly #registry: Pick<Registry, 'keyUses'>
  readonly #uses: LastUses

  constructor(registry: Pick<Registry, 'keyUses'>, clock: () => number) {
    this.#registry = registry
    this.#uses = new LastUses(NOTED_MS, clock)
  }

  note({ hash, organization }: Pick<KeyRecord, 'hash' | 'organization'>): void {
    void this.#uses.note(hash, (at) => this.#registry.keyUses.put(organization, hash, { hash, at }))
  }
}
