import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Aggregator } from '@hopper/aggregator'
import type { Event } from '@hopper/contracts'
import { openIngest, type IngestServer } from '@hopper/ingest/ingest-server.fixture'

/** A fault of the network or the server that a request meets. `answer lost` happens after the events are durable. */
export type Fault = 'none' | 'unavailable' | 'too many' | 'request lost' | 'answer lost' | 'silent'

export interface UnsteadyServer extends AsyncDisposable {
  readonly ingest: IngestServer
  readonly endpoint: string
  /** the fault of each request, in the order of arrival */
  readonly faults: Fault[]
  /** ids of the events of each request, in the order of arrival */
  readonly requests: string[][]
  /** all events in the log, those that arrived twice included */
  events(): Promise<(Event & { device_id: string })[]>
  /** counts the log with the real aggregator; returns the number of events by fate */
  fates(): Promise<Record<string, number>>
}

/** Opens the real ingest behind an HTTP server that fails as `faultOf` says, by the number of the request. */
export async function openUnsteady(
  faultOf: (request: number) => Fault = () => 'none',
  retryAfter = '0',
): Promise<UnsteadyServer> {
  const ingest = await openIngest()
  const faults: Fault[] = []
  const requests: string[][] = []
  const server = createServer((request, response) => {
    const fault = faultOf(faults.length)
    faults.push(fault)
    void serve(ingest, request, response, { fault, retryAfter, requests })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    ingest,
    faults,
    requests,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events: async () =>
      (await ingest.envelopes()).flatMap(({ device_id, events }) => events.map((event) => ({ ...event, device_id }))),
    fates: () => fatesOf(ingest),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await ingest[Symbol.asyncDispose]()
    },
  }
}

async function serve(
  ingest: IngestServer,
  request: IncomingMessage,
  response: ServerResponse,
  { fault, retryAfter, requests }: { fault: Fault; retryAfter: string; requests: string[][] },
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const payload = Buffer.concat(parts)
  requests.push((JSON.parse(payload.toString()) as { events: Event[] }).events.map(({ event_id }) => event_id))
  if (fault === 'request lost') return void request.socket.destroy()
  if (fault === 'silent') return
  if (fault === 'unavailable' || fault === 'too many') {
    const status = fault === 'too many' ? 429 : 503
    return void response.writeHead(status, { 'retry-after': retryAfter }).end('{}')
  }
  const { authorization = '', 'content-type': type = '' } = request.headers
  const answer = await ingest.server.inject({
    method: 'POST',
    url: request.url!,
    headers: { authorization, 'content-type': type },
    payload,
  })
  if (fault === 'answer lost') return void request.socket.destroy()
  response.writeHead(answer.statusCode, { 'content-type': 'application/json' }).end(answer.payload)
}

async function fatesOf({ storage }: IngestServer): Promise<Record<string, number>> {
  const aggregator = new Aggregator({ ...storage, owner: 'test' })
  for (const [lane, end] of (await storage.log.ends()).entries()) {
    const messages = await storage.log.read(lane, await aggregator.assigned(lane), end)
    if (messages.length > 0) await aggregator.batch(lane, messages)
    await aggregator.catchUp()
    await aggregator.revoked(lane)
  }
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  const dates = [day(Date.now() - 86_400_000), day(Date.now())]
  const rows = await storage.reader.counters('fates_by_date', 'shop', dates)
  const fates: Record<string, number> = {}
  for (const { key, counters } of rows) fates[String(key[0])] = (fates[String(key[0])] ?? 0) + counters[0]!
  return fates
}
