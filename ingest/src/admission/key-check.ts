import { hash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError, type App, type KeyScope } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { LRUCache } from 'lru-cache'

/** Sender with a valid write key, and its app. */
export interface Sender {
  readonly app: App
  readonly keyHash: string
  /** name of the key; for one without a name, its last characters */
  readonly producer: string
  /** source of the sender, see `sourceOf`; absent for a sender on this machine, which is not limited by its address */
  readonly source?: string
}

interface Known {
  readonly keyHash: string
  readonly power?: KeyScope
  readonly app?: App
  readonly producer?: string
}

const KEY_CHARS_MAX = 200
const KEYS_MAX = 10_000
// Time for which a revoked key still works, and for which a new key is refused if it was tried before it existed.
const KNOWN_MS = 5_000
const UNKNOWN_MS = 1_000
const SLOW_MS = 1_000

/**
 * Finds the app of a write key. Results are cached for seconds, including that a key is unknown. When the registry is
 * unavailable or slow, events of keys that were valid are still accepted: the last known result holds until the
 * registry answers again.
 */
export class KeyCheck {
  readonly #registry: Registry
  readonly #known: LRUCache<string, Known>

  constructor(registry: Registry) {
    this.#registry = registry
    this.#known = new LRUCache<string, Known>({
      max: KEYS_MAX,
      noDeleteOnStaleGet: true,
      fetchMethod: async (key, last, { options }) => {
        const found = this.#lookUp(key)
        const known =
          last === undefined
            ? await found
            : await Promise.race([found, pause(SLOW_MS, last, { ref: false })]).catch(() => last)
        options.ttl = known.power === undefined ? UNKNOWN_MS : KNOWN_MS
        return known
      },
    })
  }

  /**
   * @throws HopperError HOP_KEY_MISSING, HOP_KEY_UNKNOWN, HOP_KEY_POWER; HOP_STORE_UNAVAILABLE when the registry does
   * not answer
   */
  async senderOf(key: string | undefined): Promise<Sender> {
    if (!key) throw new HopperError('HOP_KEY_MISSING')
    if (key.length > KEY_CHARS_MAX) throw new HopperError('HOP_KEY_UNKNOWN')
    const { keyHash, power, app, producer = '' } = this.#known.get(key) ?? (await this.#fetch(key))
    if (power === undefined) throw new HopperError('HOP_KEY_UNKNOWN')
    if (power !== 'write')
      throw new HopperError('HOP_KEY_POWER', `This key cannot send events: it has the ${power} scope; use a write key.`)
    if (app === undefined)
      throw new HopperError('HOP_KEY_UNKNOWN', 'The app of this key no longer exists; use a key of another app.')
    return { app, keyHash, producer }
  }

  async #lookUp(key: string): Promise<Known> {
    const keyHash = hash('sha256', key, 'hex')
    const record = await this.#registry.keyByHash(keyHash)
    const app = record?.app === undefined ? undefined : await this.#registry.app(record.app)
    const producer = record && (record.name ?? `key …${record.hint}`)
    return { keyHash, ...(record && { power: record.power }), ...(app && { app }), ...(producer && { producer }) }
  }

  async #fetch(key: string): Promise<Known> {
    try {
      return (await this.#known.fetch(key))!
    } catch (cause) {
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'The registry of keys does not answer.', { cause })
    }
  }
}
