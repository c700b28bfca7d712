import type { Value } from '@hopper/contracts'
import type { Atom } from './compile-filters.ts'

/** Maximum number of cached values per key; further values are tested every time. */
const VALUES_MAX = 65_536

/**
 * Cache of the atoms that hold for the values of a key, shared by all chunks of a query. Equal outcomes of a key are
 * the same array instance.
 */
export class ValueTruths {
  readonly #atoms: readonly Atom[]
  readonly #byKey = new Map<string, KeyTruths>()

  constructor(atoms: readonly Atom[]) {
    this.#atoms = atoms
  }

  /** Returns the truth values by atom of the set: 1 = the atom belongs to this key and holds. */
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
