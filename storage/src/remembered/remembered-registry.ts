import { setTimeout as pause } from 'node:timers/promises'
import { HopperError, type App, type Element, type Funnel, type KeyRecord } from '@hopper/contracts'
import { withOverrides } from '../with-overrides.ts'
import type { Collection, Registry } from '../ports/registry.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { Storage } from '../ports/storage.ts'
import { readSnapshot, takeSnapshot, writeSnapshot, type RegistrySnapshot } from './snapshot.ts'

export const rememberedDefaults = { everyMs: 30_000, patienceMs: 1_000, retryMs: 1_000 } as const

export interface RememberedSettings {
  /** path of the snapshot */
  readonly file: string
  /** pause between two snapshots */
  readonly everyMs: number
  /** time that the store has to answer before the snapshot's answer is used */
  readonly patienceMs: number
  /** first pause before the store is opened again */
  readonly retryMs: number
}

/** The required part of a store. */
export type RegistryStore = Pick<Storage, 'registry' | 'secrets' | 'health' | 'close'>

export interface RememberedLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

const RETRY_MS_MAX = 15_000
const TAKE_MS_MAX = 30_000

/**
 * A registry that starts and keeps working without its store. Every half minute it reads everything that ingest needs,
 * keeps it in memory and in a file, and answers from there when the store does not.
 * A key that was revoked before the snapshot stays revoked. A key that the snapshot does not know may be new, so the
 * caller is asked to retry.
 */
export class RememberedRegistry {
  readonly registry: Registry
  /** secrets of the store; they are not in the snapshot */
  readonly secrets: Secrets
  readonly #settings: RememberedSettings
  readonly #open: () => Promise<RegistryStore>
  readonly #logger: RememberedLogger
  readonly #closing = new AbortController()
  #store: RegistryStore | undefined
  #snapshot: RegistrySnapshot | undefined
  #keys = new Map<string, KeyRecord>()
  #apps = new Map<string, RegistrySnapshot['apps'][number]>()
  #revoked = new Set<string>()
  #failure: Error | undefined
  #takingSnapshots: Promise<void> = Promise.resolve()

  private constructor(settings: RememberedSettings, open: () => Promise<RegistryStore>, logger: RememberedLogger) {
    this.#settings = settings
    this.#open = open
    this.#logger = logger
    this.#remember(readSnapshot(settings.file))
    this.registry = this.#asRegistry()
    this.secrets = {
      secret: (...args) => this.#query(({ secrets }) => secrets.secret(...args)),
      removeExpired: (now) => this.#query(({ secrets }) => secrets.removeExpired(now)),
    }
  }

  /**
   * Opens the store, or starts from the snapshot if the store is unavailable. Without a snapshot it waits for the
   * store.
   * @throws HopperError HOP_CONFIG when `open` does
   */
  static async start(
    settings: RememberedSettings,
    open: () => Promise<RegistryStore>,
    logger: RememberedLogger,
  ): Promise<RememberedRegistry> {
    const remembered = new RememberedRegistry(settings, open, logger)
    if (!(await remembered.#connect())) {
      if (remembered.#snapshot)
        logger.warn(
          remembered.#snapshotAge(),
          'the store of the registry is unavailable: this process starts from its snapshot',
        )
      else await remembered.#connectEventually()
    }
    remembered.#takingSnapshots = remembered.#takeSnapshots()
    return remembered
  }

  /** Healthy as long as keys can be looked up, in the store or in the snapshot. */
  async health(): Promise<Awaited<ReturnType<Storage['health']>>> {
    const engines = this.#store
      ? await this.#store.health()
      : [{ name: 'store', healthy: false, detail: this.#failure?.message ?? 'is unavailable' }]
    if (!this.#snapshot) return engines
    const since = new Date(this.#snapshot.at).toISOString()
    return engines.map((engine) =>
      engine.healthy
        ? engine
        : {
            ...engine,
            healthy: true,
            detail: `${engine.detail ?? 'does not answer'}; keys and funnels are those of ${since}`,
          },
    )
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#takingSnapshots
    await this.#store?.close()
  }

  async #connect(): Promise<boolean> {
    try {
      this.#store = await this.#open()
      this.#failure = undefined
      return true
    } catch (error) {
      if (!(error instanceof HopperError) || error.code !== 'HOP_STORE_UNAVAILABLE') throw error
      this.#failure = error
      return false
    }
  }

  async #connectEventually(): Promise<void> {
    let waitMs = this.#settings.retryMs
    while (!this.#closing.signal.aborted && !this.#store) {
      this.#logger.warn(
        { err: this.#failure, retryMs: waitMs },
        'the store of the registry is unavailable, and there is no snapshot to start from; trying again',
      )
      await this.#pause(waitMs)
      waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)
      await this.#connect()
    }
  }

  /** Opens the store when it is unavailable, and takes snapshots, until closed. */
  async #takeSnapshots(): Promise<void> {
    const { everyMs, retryMs } = this.#settings
    let waitMs = retryMs
    while (!this.#closing.signal.aborted) {
      if (!this.#store && !(await this.#connect().catch((error: Error) => ((this.#failure = error), false)))) {
        await this.#pause(waitMs)
        waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)
        continue
      }
      await this.#takeSnapshot()
      await this.#pause(everyMs)
    }
  }

  async #takeSnapshot(): Promise<void> {
    try {
      const snapshot = await this.#withTimeout(takeSnapshot(this.#store!.registry, this.#snapshot))
      writeSnapshot(this.#settings.file, snapshot)
      if (this.#failure) this.#logger.info({}, 'the store of the registry answers again')
      this.#failure = undefined
      this.#remember(snapshot)
    } catch (error) {
      if (!this.#failure)
        this.#logger.warn(
          { err: error, ...this.#snapshotAge() },
          'no snapshot of the registry could be taken; the previous one is kept',
        )
      this.#failure = error as Error
    }
  }

  /** The result of `work`. Rejects when it takes too long or when the registry is closed first. */
  #withTimeout<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined)
    const late = pause(TAKE_MS_MAX, undefined, { signal: this.#closing.signal, ref: false }).then(() => {
      throw new HopperError('HOP_STORE_UNAVAILABLE', `The registry was not read within ${TAKE_MS_MAX} ms.`)
    })
    return Promise.race([work, late])
  }

  #remember(snapshot: RegistrySnapshot | undefined): void {
    if (!snapshot) return
    this.#snapshot = snapshot
    this.#keys = new Map(snapshot.keys.map((key) => [key.hash, key]))
    this.#apps = new Map(snapshot.apps.map((each) => [each.app.id, each]))
    this.#revoked = new Set(snapshot.revoked)
  }

  #snapshotAge(): { snapshotOf?: string } {
    return this.#snapshot ? { snapshotOf: new Date(this.#snapshot.at).toISOString() } : {}
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined)
  }

  #asRegistry(): Registry {
    const collection = <N extends CollectionName>(name: N): Registry[N] =>
      this.#collection((registry) => registry[name] as Collection<unknown>) as Registry[N]
    const ofApp = <T extends Funnel | Element>(
      all: Collection<T>,
      recordsOf: (app: RegistrySnapshot['apps'][number]) => readonly T[],
    ): Collection<T> =>
      withOverrides(all, {
        list: (owner?: string) =>
          this.#queryOrRecall(
            () => all.list(owner),
            () => foundIn(this.#apps.get(owner ?? ''), recordsOf),
          ),
      })
    return {
      organizations: collection('organizations'),
      apps: collection('apps'),
      keys: collection('keys'),
      members: collection('members'),
      secondFactors: collection('secondFactors'),
      recoveryCodes: collection('recoveryCodes'),
      providerLinks: collection('providerLinks'),
      logins: collection('logins'),
      loginUses: collection('loginUses'),
      keyUses: collection('keyUses'),
      audits: collection('audits'),
      auditRuns: collection('auditRuns'),
      disks: collection('disks'),
      refusals: collection('refusals'),
      processes: collection('processes'),
      imports: collection('imports'),
      externals: collection('externals'),
      losses: collection('losses'),
      ahead: collection('ahead'),
      lastSeenLog: collection('lastSeenLog'),
      funnelMarks: collection('funnelMarks'),
      backfills: collection('backfills'),
      forgets: collection('forgets'),
      forgetParts: collection('forgetParts'),
      retentions: collection('retentions'),
      retentionParts: collection('retentionParts'),
      botReviews: collection('botReviews'),
      usages: collection('usages'),
      funnels: ofApp(collection('funnels'), ({ funnels }) => funnels),
      picks: collection('picks'),
      alerts: collection('alerts'),
      alertRecords: collection('alertRecords'),
      alertTests: collection('alertTests'),
      annotations: collection('annotations'),
      sharedLinks: collection('sharedLinks'),
      sharedLinkUses: collection('sharedLinkUses'),
      claims: {
        claim: (...args) => this.#query(({ registry }) => registry.claims.claim(...args)),
        release: (...args) => this.#query(({ registry }) => registry.claims.release(...args)),
      },
      properties: collection('properties'),
      elements: ofApp(collection('elements'), ({ elements }) => elements),
      app: (id) =>
        this.#queryOrRecall(
          (): Promise<App | undefined> => this.#query(({ registry }) => registry.app(id)),
          () => foundIn(this.#apps.get(id), ({ app }) => app),
        ),
      sharedLink: (id) => this.#query(({ registry }) => registry.sharedLink(id)),
      keyByHash: (hash) =>
        this.#queryOrRecall(
          (): Promise<KeyRecord | undefined> => this.#query(({ registry }) => registry.keyByHash(hash)),
          () => (this.#revoked.has(hash) ? { found: undefined } : foundIn(this.#keys.get(hash), (key) => key)),
        ),
    }
  }

  #collection<T>(collectionOf: (registry: Registry) => Collection<T>): Collection<T> {
    return {
      get: (...args) => this.#query(({ registry }) => collectionOf(registry).get(...args)),
      list: (...args) => this.#query(({ registry }) => collectionOf(registry).list(...args)),
      put: (...args) => this.#query(({ registry }) => collectionOf(registry).put(...args)),
      remove: (...args) => this.#query(({ registry }) => collectionOf(registry).remove(...args)),
    }
  }

  async #query<T>(query: (store: RegistryStore) => Promise<T>): Promise<T> {
    if (!this.#store)
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'The registry is unavailable.', { cause: this.#failure })
    return query(this.#store)
  }

  /**
   * The answer of the store, or that of the snapshot when the store fails or takes too long. Waits for the store if the
   * snapshot has no answer.
   */
  async #queryOrRecall<T>(query: () => Promise<T>, recall: () => { readonly found: T } | undefined): Promise<T> {
    const answer = query()
    const late = pause(this.#settings.patienceMs, undefined, { ref: false }).then(recall)
    const remembered = await Promise.race([answer.then((found) => ({ found })), late]).catch((error: unknown) => {
      const known = recall()
      if (known) return known
      throw error
    })
    answer.catch(() => undefined)
    return remembered ? remembered.found : answer
  }
}

type CollectionName = Exclude<keyof Registry, 'app' | 'keyByHash' | 'sharedLink' | 'claims'>

function foundIn<K, T>(record: K | undefined, part: (record: K) => T): { readonly found: T } | undefined {
  return record === undefined ? undefined : { found: part(record) }
}
