import { randomUUID } from 'node:crypto'
import {
  AUDITS_MAX,
  HopperError,
  auditView,
  noTally,
  type AuditFault,
  type AuditProgress,
  type AuditTally,
  type StoredAudit,
} from '@hopper/contracts'
import type { Registry } from '../ports/registry.ts'

const CLAIM = 'audit'
const CLAIM_MS = 60_000
/** Interval between signs of life: well below the silence after which an audit counts as interrupted. */
const HEARTBEAT_INTERVAL_MS = 5_000

/** The scope of an audit, and who asked for it. */
export interface AuditOrder {
  readonly startedBy: string
  /** missing: the apps of all organizations */
  readonly organization?: string | undefined
  readonly app?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly lanes: number
}

export type AuditRegistry = Pick<Registry, 'auditRuns' | 'claims'>

/**
 * An audit in the history. Its process records a sign of life every few seconds, so that a killed audit is recognized
 * as interrupted, and holds a claim, so that no other audit begins.
 */
export class RecordedAudit {
  readonly #registry: AuditRegistry
  readonly #clock: () => number
  readonly #holder: string
  readonly #timer: NodeJS.Timeout
  #stored: StoredAudit
  /** the writes in order, so that the last one stores the last state */
  #writing: Promise<void> = Promise.resolve()

  private constructor(registry: AuditRegistry, clock: () => number, holder: string, stored: StoredAudit) {
    this.#registry = registry
    this.#clock = clock
    this.#holder = holder
    this.#stored = stored
    // a failed sign of life is followed by another; the final state is written by a caller that waits for it
    this.#timer = setInterval(() => void this.#beat().catch(() => undefined), HEARTBEAT_INTERVAL_MS)
    this.#timer.unref()
  }

  /**
   * Begins an audit, and forgets the oldest ones.
   * @throws HopperError HOP_AUDIT_RUNNING while another one runs
   */
  static async begin(registry: AuditRegistry, order: AuditOrder, clock: () => number): Promise<RecordedAudit> {
    const holder = randomUUID()
    const { auditRuns, claims } = registry
    const isFree = await claims.claim(CLAIM, holder, CLAIM_MS)
    const earlier = await auditRuns.list('')
    if (!isFree) {
      const running = earlier.findLast((each) => auditView(each, clock()).state === 'running')
      const isForeign = order.organization !== undefined && running?.organization !== order.organization
      throw new HopperError('HOP_AUDIT_RUNNING', undefined, { details: { audit: isForeign ? null : running?.id } })
    }
    try {
      for (const dead of earlier.filter(({ state }) => state === 'running'))
        await auditRuns.put('', dead.id, { ...dead, state: 'interrupted' })
      for (const { id } of earlier.slice(0, Math.max(0, earlier.length - AUDITS_MAX + 1)))
        await auditRuns.remove('', id)
      const stored = storedOf(order, clock())
      await auditRuns.put('', stored.id, stored)
      return new RecordedAudit(registry, clock, holder, stored)
    } catch (error) {
      await claims.release(CLAIM, holder)
      throw error
    }
  }

  get run(): StoredAudit {
    return this.#stored
  }

  /** Notes how far the audit is; written with the next sign of life. */
  progress(progress: AuditProgress): void {
    this.#stored = { ...this.#stored, ...progress }
  }

  finish(tally: AuditTally): Promise<void> {
    return this.#end({ ...tally, state: 'finished', lane: this.#stored.lanes })
  }

  fail(fault: AuditFault): Promise<void> {
    return this.#end({ state: 'failed', fault })
  }

  /** Ends an audit because its process ends. */
  interrupt(): Promise<void> {
    return this.#end({ state: 'interrupted' })
  }

  async #beat(): Promise<void> {
    await this.#registry.claims.claim(CLAIM, this.#holder, CLAIM_MS)
    await this.#write({})
  }

  async #end(changes: Partial<StoredAudit>): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#write({ ...changes, finished_at: this.#clock() })
    } finally {
      await this.#registry.claims.release(CLAIM, this.#holder)
    }
  }

  #write(changes: Partial<StoredAudit>): Promise<void> {
    this.#stored = { ...this.#stored, ...changes, seen_at: this.#clock() }
    const write = async (): Promise<void> => this.#registry.auditRuns.put('', this.#stored.id, this.#stored)
    return (this.#writing = this.#writing.catch(() => undefined).then(write))
  }
}

/** Ids sort by the time of their begin. */
function storedOf(order: AuditOrder, now: number): StoredAudit {
  const { startedBy, organization, app, from, to, lanes } = order
  return {
    id: `${String(now).padStart(15, '0')}-${randomUUID().slice(0, 8)}`,
    state: 'running',
    started_at: now,
    seen_at: now,
    started_by: startedBy,
    ...(organization === undefined ? {} : { organization }),
    ...(app === undefined ? {} : { app }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    lane: 0,
    lanes,
    ...noTally,
  }
}

/** Returns the fault of an audit that threw. */
export function auditFaultOf(error: unknown): AuditFault {
  const { code } = error as { code?: unknown }
  if (code === 'HOP_STORE_UNAVAILABLE') return 'store_unavailable'
  if (code === 'HOP_LOG_UNAVAILABLE') return 'log_unavailable'
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out_of_memory' : 'internal'
}
