import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { EventLog, Lanes, Registry, TableReader } from '@hopper/storage'
import type { Logger } from 'pino'
import { CountedPositions } from '../live/counted-positions.ts'
import { assertKept } from '../live/kept-positions.ts'
import { SharedBatches, type Form } from '../live/shared-batches.ts'
import { Slices } from '../live/slices.ts'
import { StreamCursor } from '../live/stream-cursor.ts'
import { TailStream } from '../live/tail-stream.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { Shares, type Requester, type ShareBounds } from '../query/sharing/shares.ts'
import { LANES, LOG, LOGGER, READER, REGISTRY } from '../tokens.ts'

/** Bounds of open streams: each caller and each app leaves room for others. */
const streamBounds: ShareBounds = { total: 200, perApp: 100, perCaller: 25 }
/** All streams fail together when the log is away, so not each failure is logged. */
const LOGGED_EVERY_MS = 10_000

/** What a client wants to follow. */
export interface Wish {
  readonly form: Form
  /** name of the events; default: none */
  readonly name?: string
  /** id of the last event that the client has; undefined: begin now */
  readonly after: string | undefined
}

/** Streams events to listeners once they are counted. */
@Injectable()
export class LiveService implements OnModuleDestroy {
  private readonly log: EventLog
  private readonly logger: Logger
  private readonly counted: CountedPositions
  private readonly batches: SharedBatches
  private readonly streams = new Set<TailStream>()
  private readonly open = new Shares()
  private loggedAt = -Infinity

  constructor(
    @Inject(LOG) log: EventLog,
    @Inject(LANES) lanes: Lanes,
    @Inject(READER) reader: TableReader,
    @Inject(REGISTRY) registry: Registry,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.log = log
    this.logger = logger
    this.counted = new CountedPositions(lanes, (error) => this.failed(error))
    this.batches = new SharedBatches({ log, reader, registry }, new Slices())
  }

  /**
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if there are too many listeners, HOP_EVENTS_GONE if the log does
   * not have what follows the client's last event
   */
  async listen(app: App, wish: Wish, client: Client): Promise<TailStream> {
    const requester = { app: app.id, caller: client.caller ?? '' }
    this.open.assertRoom(requester, streamBounds, 'live_streams')
    this.open.add(requester)
    try {
      await this.batches.refresh(app.id)
      const cursor = await this.cursorAfter(wish.after)
      return this.follow(app.id, wish, cursor, requester, client)
    } catch (error) {
      this.open.remove(requester)
      throw error
    }
  }

  async onModuleDestroy(): Promise<void> {
    for (const stream of this.streams) stream.end()
  }

  private async cursorAfter(id: string | undefined): Promise<StreamCursor> {
    const cursor = id === undefined ? undefined : StreamCursor.parse(id, this.log.lanes)
    const positions = await this.counted.read()
    if (!cursor) return StreamCursor.at(positions)
    await assertKept(
      this.log,
      cursor.positions.map((position, lane) => ({ lane, position })),
    )
    return cursor
  }

  private follow(
    app: string,
    { form, name }: Wish,
    cursor: StreamCursor,
    requester: Requester,
    client: Client,
  ): TailStream {
    const { counted, batches } = this
    const stream = new TailStream({
      app,
      form,
      name,
      cursor,
      counted,
      batches,
      failed: (error) => this.failed(error),
    })
    this.streams.add(stream)
    stream.once('close', () => {
      this.streams.delete(stream)
      this.open.remove(requester)
      if (this.streams.size === 0) this.batches.clear()
    })
    const left = (): void => void stream.destroy()
    client.signal.addEventListener('abort', left)
    if (client.signal.aborted) left()
    return stream
  }

  private failed(error: unknown): void {
    const now = performance.now()
    if (now - this.loggedAt < LOGGED_EVERY_MS) return
    this.loggedAt = now
    this.logger.warn({ err: error }, 'a stream of events could not be read; it continues if it can')
  }
}
