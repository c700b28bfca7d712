import { Inject, Injectable } from '@nestjs/common'
import { forgetReport, HopperError, type App, type Forget } from '@hopper/contracts'
import { personOf, requestForget, type Archive, type EventLog, type Registry, type TableReader } from '@hopper/storage'
import type { ForgetAnswer, ForgetsAnswer } from '../answers/forgets.ts'
import { ARCHIVE, CLOCK, LOG, READER, REGISTRY, type Clock } from '../tokens.ts'

/** Requests to forget a person; the aggregators work on them. */
@Injectable()
export class ForgetsService {
  private readonly registry: Registry
  private readonly reader: TableReader
  private readonly log: EventLog
  private readonly archive: Archive | undefined
  private readonly clock: Clock

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(READER) reader: TableReader,
    @Inject(LOG) log: EventLog,
    @Inject(ARCHIVE) archive: Archive | undefined,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.registry = registry
    this.reader = reader
    this.log = log
    this.archive = archive
    this.clock = clock
  }

  /** Requests that a person is forgotten. A person who is being forgotten already gets no second request. */
  async request(app: App, id: string): Promise<ForgetAnswer> {
    const { registry, reader, log } = this
    if (!this.archive)
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'This installation has no archive, so nobody can be forgotten.')
    const request = { app: app.id, ...personOf(id), requestedAt: this.clock() }
    return this.reportOf(app, await requestForget({ registry, reader, log }, request))
  }

  async list(app: App): Promise<ForgetsAnswer> {
    const [forgets, parts] = await Promise.all([
      this.registry.forgets.list(app.id),
      this.registry.forgetParts.list(app.id),
    ])
    const newest = [...forgets].sort((a, b) => b.requested_at - a.requested_at)
    return { forgets: newest.map((forget) => forgetReport(forget, parts)) as ForgetsAnswer['forgets'] }
  }

  async one(app: App, id: string): Promise<ForgetAnswer> {
    const forget = await this.registry.forgets.get(app.id, id)
    if (!forget)
      throw new HopperError('HOP_NOT_FOUND', 'No such request in this app; GET /api/v1/apps/APP/forgets lists them.')
    return this.reportOf(app, forget)
  }

  private async reportOf(app: App, forget: Forget): Promise<ForgetAnswer> {
    return forgetReport(forget, await this.registry.forgetParts.list(app.id)) as ForgetAnswer
  }
}
