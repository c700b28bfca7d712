import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { EventLog, Lanes, Registry, TableReader } from '@hopper/storage'
import type { Logger } from 'pino'
import { CountedPositions } from '../live/counted-positions.ts'
import { assertKept } from '../live/kept-positions.ts'
import { OpenStreams } from '../live/open-streams.ts'
import { SharedBatches, type Form } from '../live/shared-batches.ts'
import { Slices } from '../live/slices.ts'
import { StreamCursor } from '../live/stream-cursor.ts'
import { TailStream } from '../live/tail-stream.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LANES, LOG, LOGGER, READER, REGISTRY } from '../tokens.ts'

/** A client's request to follow events. */
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
  private readonly counted: CountedPositions
  private readonly batches: SharedBatches
  private readonly streams: OpenStreams<TailStream>

  constructor(
    @Inject(LOG) log: EventLog,
    @Inject(LANES) lanes: Lanes,
    @Inject(READER) reader: TableReader,
    @Inject(REGISTRY) registry: Registry,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.log = log
    const failure = 'a stream of events could not be read; it continues if it can'
    this.streams = new OpenStreams('live_streams', failure, logger)
    this.counted = new CountedPositions(lanes, (error) => this.streams.failed(error))
    this.batches = new SharedBatches({ log, reader, registry }, new Slices())
  }

  /**
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if there are too many listeners, HOP_EVENTS_GONE if the log does
   * not have what follows the client's last event
   */
  listen(app: App, wish: Wish, client: Client): Promise<TailStream> {
    const make = async (): Promise<TailStream> => {
      await this.batches.refresh(app.id)
      return this.follow(app.id, wish, await this.cursorAfter(wish.after))
    }
    return this.streams.open(app.id, client, make, () => {
      if (this.streams.size === 0) this.batches.clear()
    })
  }

  onModuleDestroy(): void {
    this.streams.end()
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

  private follow(app: string, { form, name }: Wish, cursor: StreamCursor): TailStream {
    const { counted, batches } = this
    const failed = (error: unknown): void => this.streams.failed(error)
    return new TailStream({ app, form, name, cursor, counted, batches, failed })
  }
}
