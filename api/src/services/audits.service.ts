import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import {
  AUDITS_MAX,
  DATE_RULE,
  HopperError,
  auditView,
  isDate,
  type AuditRun,
  type AuditTally,
  type Audits,
  type NewAudit,
} from '@hopper/contracts'
import { RecordedAudit, auditFaultOf, type Registry } from '@hopper/storage'
import type { Logger } from 'pino'
import { maySee, type Caller } from '../access/caller.ts'
import { nameOfCaller } from '../access/name-of-caller.ts'
import { visibleApp } from '../access/access.guard.ts'
import type { AuditJob, StartAudit } from '../options.ts'
import { CLOCK, LANES_COUNT, LOGGER, REGISTRY, START_AUDIT, type Clock } from '../tokens.ts'
import { invalidFields } from '../http/checked.ts'

/** The history of audits, and beginning one. It runs apart from the thread that answers requests. */
@Injectable()
export class AuditsService implements OnModuleDestroy {
  private readonly registry: Registry
  private readonly start: StartAudit | undefined
  private readonly lanes: number
  private readonly clock: Clock
  private readonly logger: Logger
  private job: AuditJob | undefined
  private running: Promise<void> | undefined
  private closing = false

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(START_AUDIT) start: StartAudit | undefined,
    @Inject(LANES_COUNT) lanes: number,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.registry = registry
    this.start = start
    this.lanes = lanes
    this.clock = clock
    this.logger = logger
  }

  /** Ends a running audit, and notes that it was interrupted. */
  async onModuleDestroy(): Promise<void> {
    this.closing = true
    await this.job?.stop()
    await this.running
  }

  /** Lists what the caller may see: audits of its apps, and those of the whole installation. */
  async list(caller: Caller): Promise<Audits> {
    const audits = await visibleAudits(this.registry, caller, this.clock())
    return { audits, can_run: this.start !== undefined }
  }

  /**
   * Begins an audit of the apps of the caller's organization.
   * @throws HopperError HOP_AUDIT_RUNNING, HOP_APP_UNKNOWN, HOP_NOT_SUPPORTED
   */
  async run(caller: Caller, { app, from, to }: NewAudit): Promise<AuditRun> {
    const { start } = this
    if (!start)
      throw new HopperError('HOP_NOT_SUPPORTED', 'This process cannot run an audit; run "hopper audit" instead.')
    for (const [field, date] of Object.entries({ from, to }))
      if (date !== undefined && !isDate(date)) throw invalidFields([{ field, message: `must be ${DATE_RULE}` }])
    if (from !== undefined && to !== undefined && from > to)
      throw invalidFields([{ field: 'to', message: 'must not be before `from`' }])
    if (app !== undefined) await visibleApp(this.registry, caller, app)
    const scope = { organization: caller.organization, app, from, to }
    const order = { startedBy: await nameOfCaller(this.registry, caller), ...scope, lanes: this.lanes }
    const recorded = await RecordedAudit.begin(this.registry, order, this.clock)
    const begin = (): AuditJob => start(scope, (progress) => recorded.progress(progress))
    this.running = this.follow(recorded, begin).finally(() => (this.job = undefined))
    return auditView(recorded.run, this.clock())
  }

  /** Begins an audit, and stores how it ends. Never rejects: nobody waits for it. */
  private async follow(recorded: RecordedAudit, begin: () => AuditJob): Promise<void> {
    const outcome = async (): Promise<AuditTally> => (this.job = begin()).outcome
    try {
      const tally = await outcome().catch((error: unknown) => ({ error }))
      if (!('error' in tally)) return await recorded.finish(tally)
      if (this.closing) return await recorded.interrupt()
      this.logger.error({ err: tally.error }, 'an audit has failed')
      await recorded.fail(auditFaultOf(tally.error))
    } catch (error) {
      this.logger.error({ err: error }, 'the end of an audit could not be stored; it counts as interrupted')
    }
  }
}

/** Returns the audits of a caller's apps and those of the whole installation, the newest first. */
export async function visibleAudits(registry: Registry, caller: Caller, now: number): Promise<AuditRun[]> {
  const [stored, apps] = await Promise.all([registry.auditRuns.list(''), registry.apps.list(caller.organization)])
  const visible = new Set(apps.filter((app) => maySee(caller, app)).map(({ id }) => id))
  const isVisible = ({ organization, app }: (typeof stored)[number]): boolean =>
    (organization === undefined || organization === caller.organization) && (app === undefined || visible.has(app))
  const audits = stored.filter(isVisible).slice(-AUDITS_MAX)
  return audits.reverse().map((each) => auditView(each, now))
}
