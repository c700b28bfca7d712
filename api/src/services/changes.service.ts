import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { TableReader } from '@hopper/storage'
import type { Logger } from 'pino'
import { Completeness } from '../answers/completeness.ts'
import { dateRange } from '../answers/date-range.ts'
import { ChangeStream } from '../live/change-stream.ts'
import { OpenStreams } from '../live/open-streams.ts'
import { WatchedApp, type WatchSources } from '../live/watched-app.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { isReader } from '../query/sharing/shares.ts'
import { CLOCK, LOGGER, READER, type Clock } from '../tokens.ts'

/** Notifies listeners of the reports that have changed. */
@Injectable()
export class ChangesService implements OnModuleDestroy {
  private readonly clock: Clock
  private readonly sources: WatchSources
  private readonly watched = new Map<string, WatchedApp>()
  private readonly streams: OpenStreams<ChangeStream>

  constructor(
    @Inject(READER) reader: TableReader,
    @Inject(Completeness) completeness: Completeness,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.clock = clock
    const failure = 'changes of the tables could not be read; they are read again'
    this.streams = new OpenStreams('change_streams', failure, logger)
    this.sources = { reader, completeness, clock, failed: (error) => this.streams.failed(error) }
  }

  /** @throws HopperError HOP_RANGE_INVALID, or HOP_SHARE or HOP_QUERY_BUSY if there are too many listeners */
  async listen(
    app: App,
    parameters: { from?: string; to?: string },
    after: string | undefined,
    client: Client,
  ): Promise<ChangeStream> {
    const { dates } = dateRange(parameters, app, this.clock())
    const make = (): ChangeStream =>
      isReader(client.caller) ? new ChangeStream(dates, undefined, false) : new ChangeStream(dates, after)
    const stream = await this.streams.open(app.id, client, make, (closed) => this.forget(app.id, closed))
    if (stream.destroyed) return stream
    const watched = this.watched.get(app.id) ?? new WatchedApp(app.id, this.sources)
    this.watched.set(app.id, watched)
    await watched.add(stream).catch((error: unknown) => {
      stream.destroy()
      throw error
    })
    return stream
  }

  onModuleDestroy(): void {
    this.streams.end()
  }

  /** An app that nobody listens to is no longer watched. */
  private forget(app: string, stream: ChangeStream): void {
    const watched = this.watched.get(app)
    watched?.remove(stream)
    if (watched?.hasStreams === false) this.watched.delete(app)
  }
}
