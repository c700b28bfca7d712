import { StageMatcher } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { CountedApp } from './judge/judge.ts'

const CACHE_MS = 5_000
const APPS_MAX = 10_000
const COUNT_MS = 5_000

/** The apps of the registry with the matchers of their stages, cached for seconds, and the number of apps. */
export class AppCache {
  readonly #registry: Registry
  readonly #apps = new Map<string, { readonly app: Promise<CountedApp | undefined>; readonly until: number }>()
  #count = 0
  #countAt = 0

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** the number of apps at the last count */
  get count(): number {
    return this.#count
  }

  get(id: string): Promise<CountedApp | undefined> {
    const known = this.#apps.get(id)
    if (known && known.until > performance.now()) return known.app
    if (this.#apps.size >= APPS_MAX) this.#apps.clear()
    const app = this.#read(id)
    app.catch(() => this.#apps.delete(id))
    this.#apps.set(id, { app, until: performance.now() + CACHE_MS })
    return app
  }

  /** Drops the cached apps: later reads get each app as it is in the registry now. */
  clear(): void {
    this.#apps.clear()
  }

  /** Counts the apps again when that is due. */
  async refreshCount(): Promise<void> {
    if (performance.now() < this.#countAt) return
    this.#countAt = performance.now() + COUNT_MS
    this.#count = (await this.#registry.apps.list()).length
  }

  async #read(id: string): Promise<CountedApp | undefined> {
    const [app, funnels] = await Promise.all([this.#registry.app(id), this.#registry.funnels.list(id)])
    return app && { ...app, stages: new StageMatcher(funnels, app) }
  }
}
