import type { IncomingHttpHeaders } from 'node:http'
import type { EventsAnswer } from '@hopper/contracts'
import { agentOf, type Agent } from './agent.ts'
import type { Gate } from './admission/gate.ts'
import type { Sender } from './admission/key-check.ts'
import { costOf } from './admission/request-cost.ts'
import type { ReadBatch } from './batch/batch.ts'
import { envelopesOf } from './batch/envelopes.ts'
import { Dropped, incomingOf, type Incoming, type Supplement } from './batch/incoming.ts'
import type { DurableLog } from './durable-log.ts'
import { answerOf, type Bots } from './http/answer.ts'
import type { Metrics } from './metrics.ts'
import type { Pipeline } from './pipeline.ts'

interface Parts {
  readonly gate: Gate
  readonly log: DurableLog
  readonly pipeline: Pipeline
  readonly metrics: Metrics
}

/** Request that has sent a batch. */
export interface Sent {
  readonly headers: IncomingHttpHeaders
  readonly sender: Sender
  /** of the body, after decompression */
  readonly bytes: number
  /** true for a call whose key need not be in a header for its sender to be a server, such as one in the body */
  readonly keyAnywhere?: boolean
}

/** Outcome of a batch whose accepted events are durable. */
export interface Taken {
  readonly answer: EventsAnswer
  /** id of each event by index; undefined when it was rejected */
  readonly ids: () => (string | undefined)[]
}

/** The one way of events into the log, whatever call has brought them: pipeline, charge, append, count. */
export class Intake {
  readonly #parts: Parts
  // resolved once: it counts nearly every request
  readonly #accepted: ReturnType<Metrics['events']['labels']>

  constructor(parts: Parts) {
    this.#parts = parts
    this.#accepted = parts.metrics.events.labels('accepted', 'new')
  }

  /**
   * Resolves when the accepted events of a batch are durable.
   * @throws HopperError HOP_RATE before anything is stored, HOP_LOG_UNAVAILABLE when the log does not take them
   */
  async take(read: ReadBatch, { headers, sender, bytes, keyAnywhere = false }: Sent): Promise<Taken> {
    const { gate, log, pipeline } = this.#parts
    const { batch, sent, supplements, changes } = read
    const incoming = sent.map((event, index) =>
      event instanceof Dropped ? event : incomingOf(batch, index, event, supplements?.[index]),
    )
    const results = pipeline.run(incoming)
    gate.charge(sender, costOf(results, bytes))
    const agents = agentsOf(headers, read.webdriver, keyAnywhere)
    const envelopes = envelopesOf(batch, sent, results, { agentOf: agents, referer: headers.referer })
    if (envelopes.length > 0) await log.append(envelopes, sent.length)
    const bots = botsOf(results, agents)
    const answer = answerOf(results, changes, bots)
    this.#count(answer, bots)
    return { answer, ids: () => results.map((result) => (result instanceof Dropped ? undefined : result.event_id)) }
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
  headers: IncomingHttpHeaders,
  webdriver: boolean,
  keyAnywhere: boolean,
): (supplement: Supplement | undefined) => Agent {
  const server = isServer(headers, keyAnywhere)
  const own = agentOf({ userAgent: headers['user-agent'], server, webdriver })
  return (supplement) => {
    const userAgent = supplement?.userAgent
    return userAgent === undefined ? own : agentOf({ userAgent, server, webdriver })
  }
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
