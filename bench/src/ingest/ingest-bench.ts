import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { WRITE_KEY } from '../harness/bench-app.ts'
import { bodies, userAgent } from '../harness/bodies.ts'
import { paired, reportLine } from '../harness/paired.ts'

const SECONDS = 3
const ROUNDS = 5
const CONNECTIONS = 64

interface Server {
  readonly child: ChildProcess
  readonly port: number
}

async function startServer(file: string): Promise<Server> {
  const child = fork(new URL(file, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return { child, port: message.port }
}

/** Returns the requests per second that were answered 202. Any other answer is a measurement error. */
async function requestsPerSecond(server: Server, payloads: readonly string[]): Promise<number> {
  const result = await autocannon({
    url: `http://127.0.0.1:${server.port}/v1/events?key=${WRITE_KEY}`,
    connections: CONNECTIONS,
    duration: SECONDS,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': userAgent },
    requests: payloads.map((body) => ({ body })),
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers other than 2xx, ${result.errors} errors`)
  return result['2xx'] / result.duration
}

/** Compares ingest with synced acknowledgement and bare `node:http`: same bodies, same load generator, alternately. */
export async function ingestBench(): Promise<void> {
  const [hopper, bare] = await Promise.all([
    startServer('./ingest-server-main.js'),
    startServer('../harness/bare-server-main.js'),
  ])
  try {
    for (const [events, bar] of [
      [50, 0.5],
      [1, 0],
    ] as const) {
      const payloads = bodies(200, events)
      const result = await paired(
        ROUNDS,
        () => requestsPerSecond(hopper, payloads),
        () => requestsPerSecond(bare, payloads),
      )
      console.log(
        `  hopper ${Math.round(result.a * events)} events/s in ${Math.round(result.a)} requests/s; ` +
          `bare node:http ${Math.round(result.b)} requests/s`,
      )
      console.log(
        events === 50
          ? reportLine('ingest, bodies of 50 events, synced ack : bare node:http', result, bar)
          : `ingest, single events, synced ack : bare node:http: ratio ${result.ratio.toFixed(2)} (no bar)`,
      )
    }
  } finally {
    for (const { child } of [hopper, bare]) child.kill()
  }
}
