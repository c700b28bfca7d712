import { judgedFrom, StageMatcher, type RetentionPart } from '@hopper/contracts'
import { ForgottenEvents, type Registry } from '@hopper/storage'
import type { CountedApp } from './judge/judge.ts'

const CACHE_MS = 5_000
const FORGOTTEN_CACHE_MS = 60_000
const APPS_MAX = 10_000
const COUNT_MS = 5_000

interface Cached<T> {
  readonly value: Promise<T | undefined>
  readonly until: number
}

/**
 * The apps of the registry, with the matchers of their stages and their forgotten events, cached for seconds; and the
 * number of apps.
 */
export class AppCache {
  readonly #registry: Registry
  readonly #apps = new Map<string, Cached<AppInLanes>>()
  readonly #forgotten = new Map<string, Cached<ForgottenEvents>>()
  #count = 0
  #countAt = 0

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** the number of apps at the last count */
  get count(): number {
    return this.#count
  }

  /** Returns an app as a lane counts it. */
  async get(id: string, lane: number): Promise<CountedApp | undefined> {
    return (await cached(this.#apps, id, CACHE_MS, () => this.#read(id)))?.in(lane)
  }

  /**
   * Drops the cache: later reads get each app, and its forgotten events, as they are in the registry now. The owner of
   * a lane calls this when it has decided which events of the lane are forgotten.
   */
  clear(): void {
    this.#apps.clear()
    this.#forgotten.clear()
  }

  /** Counts the apps again when that is due. */
  async refreshCount(): Promise<void> {
    if (performance.now() < this.#countAt) return
    this.#countAt = performance.now() + COUNT_MS
    this.#count = (await this.#registry.apps.list()).length
  }

  async #read(id: string): Promise<AppInLanes | undefined> {
    const [app, funnels, forgotten] = await Promise.all([
      this.#registry.app(id),
      this.#registry.funnels.list(id),
      cached(this.#forgotten, id, FORGOTTEN_CACHE_MS, () => ForgottenEvents.read(this.#registry, id)),
    ])
    if (!app) return undefined
    const parts = app.kept_from === undefined ? [] : await this.#registry.retentionParts.list(id)
    const generation = parts.reduce((highest, part) => Math.max(highest, part.generation), 0)
    const counted: CountedApp = {
      ...app,
      stages: new StageMatcher(funnels, app),
      ...(forgotten ? { forgotten } : {}),
      ...(generation > 0 ? { generation } : {}),
    }
    return new AppInLanes(counted, parts)
  }
}

/**
 * An app whose events are being expired: until each lane has begun to do so, lanes may count from different dates on.
 */
class AppInLanes {
  readonly #app: CountedApp
  readonly #parts: readonly RetentionPart[]
  readonly #lanes = new Map<number, CountedApp>()

  constructor(app: CountedApp, parts: readonly RetentionPart[]) {
    this.#app = app
    this.#parts = parts
  }

  in(lane: number): CountedApp {
    if (this.#app.kept_from === undefined) return this.#app
    const known = this.#lanes.get(lane)
    if (known) return known
    const { kept_from: _, ...rest } = this.#app
    const part = this.#parts.find((each) => each.lane === lane)
    const from = part && judgedFrom(part)
    const app: CountedApp = from === undefined ? rest : { ...rest, kept_from: from }
    this.#lanes.set(lane, app)
    return app
  }
}

function cached<T>(
  cache: Map<string, Cached<T>>,
  id: string,
  forMs: number,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const known = cache.get(id)
  if (known && known.until > performance.now()) return known.value
  if (cache.size >= APPS_MAX) cache.clear()
  const value = read()
  value.catch(() => cache.delete(id))
  cache.set(id, { value, until: performance.now() + forMs })
  return value
}
