import type { Value } from '@hopper/contracts'
import type { Atom } from './compile-filters.ts'

/** values remembered of one key: more are tested again when they are met again */
const VALUES_MAX = 65_536

/**
 * Which atoms of a key hold for a value, tested once for all chunks of a query. Equal outcomes of a key are one and the
 * same array.
 */
export class ValueTruths {
  readonly #atoms: readonly Atom[]
  readonly #byKey = new Map<string, KeyTruths>()

  constructor(atoms: readonly Atom[]) {
    this.#atoms = atoms
  }

  /** By atom of the set: 1 = it is one of this key and holds. */
  of(key: string, value: Value | null): Uint8Array {
    let truths = this.#byKey.get(key)
    if (!truths) this.#byKey.set(key, (truths = { byValue: new Map(), byOutcome: new Map() }))
    let truth = truths.byValue.get(value)
    if (truth) return truth
    const outcome = Uint8Array.from(this.#atoms, (atom) => (atom.key === key && atom.test(value) ? 1 : 0))
    const name = outcome.join('')
    truth = truths.byOutcome.get(name) ?? outcome
    truths.byOutcome.set(name, truth)
    if (truths.byValue.size < VALUES_MAX) truths.byValue.set(value, truth)
    return truth
  }
}

interface KeyTruths {
  readonly byValue: Map<Value | null, Uint8Array>
  readonly byOutcome: Map<string, Uint8Array>
}
