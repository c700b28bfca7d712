import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import type { EventLog, Lanes, TableReader } from '@hopper/storage'
import type { Logger } from 'pino'
import { EventStream } from '../http/event-stream.ts'
import type { CountedEvent } from '../live/counted-events.ts'
import { LiveFeed } from '../live/live-feed.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { Shares, type ShareBounds } from '../query/sharing/shares.ts'
import { LANES, LOG, LOGGER, READER } from '../tokens.ts'

/** Bounds of open streams: each caller and each app leaves room for others. */
const streamBounds: ShareBounds = { total: 200, perApp: 100, perCaller: 25 }
const KEPT_ALIVE_EVERY_MS = 15_000

/** Streams each event to listeners as it is counted. */
@Injectable()
export class LiveService implements OnModuleDestroy {
  private readonly feed: LiveFeed
  private readonly streams = new Set<EventStream>()
  private readonly open = new Shares()

  constructor(
    @Inject(LOG) log: EventLog,
    @Inject(LANES) lanes: Lanes,
    @Inject(READER) reader: TableReader,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.feed = new LiveFeed(log, lanes, reader, (err) => logger.warn({ err }, 'the live feed could not read the log'))
  }

  /** @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if there are too many listeners */
  listen(app: App, client: Client): EventStream {
    const requester = { app: app.id, caller: client.caller ?? '' }
    this.open.assertRoom(requester, streamBounds, 'live_streams')
    this.open.add(requester)
    const stream = new EventStream()
    this.streams.add(stream)
    const alive = setInterval(() => stream.keepAlive(), KEPT_ALIVE_EVERY_MS)
    const end = this.feed.listen({
      app: app.id,
      counted: (event) => stream.tell('event', viewOf(event)),
      passedOver: (messages) => stream.tell('passed_over', { messages }),
    })
    stream.once('close', () => {
      clearInterval(alive)
      this.streams.delete(stream)
      this.open.remove(requester)
      end()
    })
    client.signal.addEventListener('abort', () => stream.destroy())
    stream.keepAlive()
    return stream
  }

  async onModuleDestroy(): Promise<void> {
    for (const stream of this.streams) stream.end()
    await this.feed.close()
  }
}

function viewOf({
  envelope: { device_id, context, received_at },
  event,
  fate,
  lane,
  position,
  index,
}: CountedEvent): object {
  return { ...event, device_id, context, received_at, fate, lane, position, index }
}
