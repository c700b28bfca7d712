import { isObject, limits } from '@hopper/contracts'
import type { Changes } from './changes.ts'
import { repairText } from './repair-value.ts'

type Value = string | number | boolean

/** Depth to which nested objects are flattened; deeper ones are stored as JSON. */
const DEPTH_MAX = 16

/**
 * Flattens `data` into keys and values that the schema accepts, and records each change. Keys of outer objects take
 * precedence over those of inner ones.
 */
export function repairData(sent: object, changes: Changes): Record<string, Value> {
  const repair = new DataRepair(changes)
  repair.addObject(sent, '', 0)
  return repair.data
}

class DataRepair {
  /** Without a prototype, so that `__proto__` is an ordinary key. */
  readonly data = Object.create(null) as Record<string, Value>
  readonly #changes: Changes
  #keys = 0

  constructor(changes: Changes) {
    this.#changes = changes
  }

  addObject(sent: object, prefix: string, depth: number): void {
    const inner: [key: string, value: object][] = []
    for (const [name, value] of Object.entries(sent)) {
      const key = prefix + name
      if (isObject(value) && depth < DEPTH_MAX) inner.push([key, value])
      else this.#addValue(key, value)
    }
    for (const [key, value] of inner) {
      this.#record(key, 'flattened')
      this.addObject(value, `${key}.`, depth + 1)
    }
  }

  #addValue(sentKey: string, sent: unknown): void {
    const value = this.#valueOf(sentKey, sent)
    if (value === undefined) return
    if (sentKey === '') return this.#record(sentKey, 'empty')
    const key = repairText(sentKey, limits.dataKeyCharsMax, (reason) => this.#record(sentKey, reason))
    if (key in this.data) return this.#record(sentKey, 'key_taken')
    if (this.#keys === limits.dataKeysMax) return this.#record(sentKey, 'too_many_keys')
    this.#keys++
    this.data[key] = value
  }

  #valueOf(key: string, sent: unknown): Value | undefined {
    if (typeof sent === 'boolean' || Number.isFinite(sent)) return sent as Value
    if (sent === null) return void this.#record(key, 'null_value')
    if (typeof sent === 'number') return void this.#record(key, 'out_of_range')
    return this.#textOf(key, sent)
  }

  #textOf(key: string, sent: unknown): string | undefined {
    const record = (reason: Parameters<Changes['record']>[1]): void => this.#record(key, reason)
    if (typeof sent === 'string') return repairText(sent, limits.dataValueCharsMax, record)
    const json = jsonOf(sent)
    if (json === undefined) return void record('wrong_type')
    record('made_text')
    return repairText(json, limits.dataValueCharsMax, record)
  }

  #record(key: string, reason: Parameters<Changes['record']>[1]): void {
    this.#changes.record(`data.${key}`, reason)
  }
}

/**
 * Returns undefined for values nested deeper than the stack allows: JSON.parse takes any depth, JSON.stringify does
 * not.
 */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
