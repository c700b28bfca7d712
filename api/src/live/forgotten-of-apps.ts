import { createHash } from 'node:crypto'
import { ForgottenEvents, type Registry } from '@hopper/storage'

/** Maximum time until a running stream learns that a person is being forgotten. */
const CACHE_MS = 1_000
const APPS_MAX = 1_000

/** The forgotten people and events of an app, and a text that changes whenever they do. */
export interface ForgottenOfApp {
  readonly events: ForgottenEvents | undefined
  readonly version: string
}

interface Cached {
  readonly forgotten: Promise<ForgottenOfApp>
  readonly until: number
}

/** The forgotten people and events of each app that somebody follows, read again every second. */
export class ForgottenOfApps {
  readonly #registry: Registry
  readonly #changed: () => void
  readonly #apps = new Map<string, Cached>()

  /** `changed` is called before a change of what is forgotten is returned for the first time. */
  constructor(registry: Registry, changed: () => void) {
    this.#registry = registry
    this.#changed = changed
  }

  of(app: string): Promise<ForgottenOfApp> {
    const known = this.#apps.get(app)
    return known && known.until > performance.now() ? known.forgotten : this.read(app)
  }

  /** Reads it now. */
  read(app: string): Promise<ForgottenOfApp> {
    const before = this.#apps.get(app)?.forgotten
    if (!before && this.#apps.size >= APPS_MAX) {
      this.#apps.clear()
      // Changes made while an app is not known here would not be noticed.
      this.#changed()
    }
    const forgotten = this.#read(app, before)
    forgotten.catch(() => this.#apps.delete(app))
    this.#apps.set(app, { forgotten, until: performance.now() + CACHE_MS })
    return forgotten
  }

  async #read(app: string, before: Promise<ForgottenOfApp> | undefined): Promise<ForgottenOfApp> {
    const parts = (await this.#registry.forgetParts.list(app)).filter(({ mark }) => mark !== undefined)
    const decided = parts.map(({ forget, lane, mark, repeated = [] }) => [forget, lane, mark, repeated.length]).sort()
    const version = parts.length === 0 ? '' : createHash('sha256').update(JSON.stringify(decided)).digest('base64url')
    const known = await before?.catch(() => undefined)
    if (known?.version === version) return known
    const events =
      parts.length === 0 ? undefined : ForgottenEvents.of(app, await this.#registry.forgets.list(app), parts)
    if (before) this.#changed()
    return { events, version }
  }
}
