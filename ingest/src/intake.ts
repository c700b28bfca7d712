import type { IncomingHttpHeaders } from 'node:http'
import type { EventsAnswer } from '@hopper/contracts'
import { agentOf, withAction, type Agent } from './agent.ts'
import type { Gate } from './admission/gate.ts'
import type { Sender } from './admission/key-check.ts'
import type { Quotas } from './admission/quotas.ts'
import { costOf } from './admission/request-cost.ts'
import type { ReadBatch } from './batch/batch.ts'
import { envelopesOf } from './batch/envelopes.ts'
import { Dropped, incomingOf, type Batch, type Incoming, type Supplement } from './batch/incoming.ts'
import { cookielessDevices } from './cookieless/cookieless-device.ts'
import type { DailySalts } from './cookieless/daily-salts.ts'
import type { DurableLog } from './durable-log.ts'
import { actionOfRules } from './ingest-rules.ts'
import type { GeoDatabase, Place } from './geo/geo-database.ts'
import { answerOf, type Bots } from './http/answer.ts'
import type { Metrics } from './metrics.ts'
import type { Pipeline } from './pipeline.ts'
import { SessionArrivals } from './source/session-arrivals.ts'
import { patternTimeOf } from './user-agent-patterns.ts'

interface Parts {
  readonly gate: Gate
  readonly quotas: Quotas
  readonly log: DurableLog
  readonly pipeline: Pipeline
  readonly metrics: Metrics
  readonly salts: DailySalts
  readonly geo?: GeoDatabase | undefined
}

/** Request that has sent a batch. */
export interface Sent {
  readonly headers: IncomingHttpHeaders
  readonly sender: Sender
  /** of the client in the network, by the rule for proxies; it is neither stored nor logged */
  readonly address: string
  /** of the body, after decompression */
  readonly bytes: number
  /** true for a call whose sender may be a server even if the key is not in a header, but for example in the body */
  readonly keyAnywhere?: boolean
}

/** Outcome of a batch whose accepted events are durable. */
export interface Taken {
  readonly answer: EventsAnswer
  /** id of each event by index; undefined when it was rejected */
  readonly ids: () => (string | undefined)[]
}

/** The only way of events into the log, for all calls: runs the pipeline, charges the sender, appends, counts. */
export class Intake {
  readonly #parts: Parts
  // resolved once: it counts nearly every request
  readonly #accepted: ReturnType<Metrics['events']['labels']>
  readonly #arrivals = new SessionArrivals()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#accepted = parts.metrics.events.labels('accepted', 'new')
  }

  /**
   * Resolves when the accepted events of a batch are durable.
   * @throws HopperError HOP_RATE or HOP_QUOTA before anything is stored, HOP_LOG_UNAVAILABLE when the log does not take
   * them, HOP_STORE_UNAVAILABLE when the salts of cookieless devices cannot be read
   */
  async take(read: ReadBatch, request: Sent): Promise<Taken> {
    const { gate, quotas, log, pipeline, geo } = this.#parts
    const { headers, sender, bytes, address, keyAnywhere = false } = request
    await quotas.assertRoom(sender.app)
    const { sent, supplements, changes } = read
    const batch = read.batch.cookieless ? await this.#withDevices(read.batch, request) : read.batch
    const incoming = sent.map((event, index) =>
      event instanceof Dropped ? event : incomingOf(batch, index, event, supplements?.[index]),
    )
    const results = pipeline.run(incoming)
    gate.charge(sender, costOf(results, bytes))
    const server = isServer(headers, keyAnywhere)
    const agents = agentsOf(request, read, server)
    const envelopes = envelopesOf(batch, sent, results, {
      agentOf: agents,
      ...(geo && { placeOf: placesOf(geo, server ? undefined : address) }),
      referer: headers.referer,
      origin: headers.origin,
      arrivals: this.#arrivals,
    })
    if (envelopes.length > 0) {
      await log.append(envelopes, sent.length)
      quotas.add(sender.app, { bytes, events: sent.length }, batch.received_at)
    }
    const bots = botsOf(results, agents)
    const answer = answerOf(results, changes, bots)
    this.#count(answer, bots)
    return { answer, ids: () => results.map((result) => (result instanceof Dropped ? undefined : result.event_id)) }
  }

  async #withDevices(batch: Batch, { headers, address }: Sent): Promise<Batch> {
    const { app, received_at } = batch
    const salts = await this.#parts.salts.at(received_at)
    const sender = { app: app.id, address, userAgent: headers['user-agent'] ?? '' }
    return { ...batch, deviceAt: cookielessDevices(salts, sender, received_at) }
  }

  #count({ accepted, rejected, bot = 0 }: EventsAnswer, bots: Bots): void {
    const { events } = this.#parts.metrics
    this.#accepted.inc(accepted - bot)
    for (const [reason, count] of bots) events.inc({ fate: 'bot', reason }, count)
    for (const { reason } of rejected) events.inc({ fate: 'rejected', reason })
  }
}

/** Returns the agent of each event: that of the request, unless a server states the visitor's. */
function agentsOf(
  { headers, sender: { app }, address }: Sent,
  { webdriver, batch }: ReadBatch,
  server: boolean,
): (supplement: Supplement | undefined) => Agent {
  const isPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  const noLanguage = isPage && headers['accept-language'] === undefined && batch.visitor.language === undefined
  const brands = headers['sec-ch-ua']?.toString()
  const agentBy = (userAgent: string | undefined, visitorAddress: string | undefined): Agent =>
    withAction(
      agentOf({ userAgent, server, webdriver, brands, noLanguage }),
      actionOfRules(app, { userAgent, address: visitorAddress, patternTime: patternTimeOf(app.id) }),
    )
  const ownAddress = server ? undefined : address
  const agentOfRequest = agentBy(headers['user-agent'], ownAddress)
  return (supplement) => {
    if (supplement?.userAgent === undefined && supplement?.address === undefined) return agentOfRequest
    return agentBy(supplement.userAgent ?? headers['user-agent'], supplement.address ?? ownAddress)
  }
}

/** Finds where the visitor of each event is: by the address that a server states, else by that of the request. */
function placesOf(geo: GeoDatabase, address: string | undefined): (supplement: Supplement | undefined) => Place {
  return (supplement) => geo.placeOf(supplement?.address ?? address)
}

function botsOf(results: readonly (Incoming | Dropped)[], agents: (supplement: Supplement | undefined) => Agent): Bots {
  const bots = new Map<NonNullable<Agent['bot']>, number>()
  for (const result of results) {
    if (result instanceof Dropped) continue
    const { bot } = agents(result.supplement)
    if (bot !== undefined) bots.set(bot, (bots.get(bot) ?? 0) + 1)
  }
  return bots
}

/**
 * Returns whether a server sent the request: it has a key in a header or, where the call allows it, elsewhere, and no
 * page is behind it. A page has an origin in what it posts, and its browser adds `Sec-Fetch-Site`. `Sec-Fetch-Mode`
 * alone proves nothing, as Node's `fetch` sends it too.
 */
function isServer(headers: IncomingHttpHeaders, keyAnywhere: boolean): boolean {
  const isPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  return !isPage && (keyAnywhere || headers.authorization !== undefined || headers['x-api-key'] !== undefined)
}
