import { parentPort, workerData } from 'node:worker_threads'
import { HopperError } from '@hopper/contracts'
import { installZstdLock, timeBudget, type KeyTally, type PutPlaces } from '@hopper/engine'
import { lowerThreadPriority } from '@hopper/engine/thread-priority'
import { BoundedMap } from '../sharing/bounded-map.ts'
import { ChunkSource, JobCancelled, type SendRequest } from '../chunk-source.ts'
import { KnownIdentities } from '../known-identities.ts'
import { KnownPeople } from '../known-people.ts'
import { monotonicMs, type FromThread, type QueryJob, type ToThread } from './query-job.ts'
import { encodeResult } from '../result.ts'
import { runQuery } from '../runs/run-query.ts'
import type { QueryRuntime } from './query-runtime.ts'

const TALLIES_BYTES_MAX = 64 * 1024 * 1024
const PUTS_BYTES_MAX = 32 * 1024 * 1024

// HTTP, the log and folding take precedence over this thread.
lowerThreadPriority()

installZstdLock(workerData as SharedArrayBuffer)
const port = parentPort!
const pending = new Map<number, (answer: unknown) => void>()
let nextId = 0

const send = (message: FromThread): void => port.postMessage(message)
const sendRequest: SendRequest = (request) =>
  new Promise((resolve) => {
    const id = nextId++
    pending.set(id, resolve)
    send({ id, ...request })
  })
const source = new ChunkSource(sendRequest)
const identities = new KnownIdentities(source)
const people = new KnownPeople(source, identities)
const tallies = new BoundedMap<readonly KeyTally[]>(TALLIES_BYTES_MAX)
const putPlaces = new BoundedMap<PutPlaces>(PUTS_BYTES_MAX)
const exported: QueryRuntime['exported'] = {}

/** Runs one query after the other, away from the thread that serves requests. */
port.on('message', (message: ToThread) => {
  if ('job' in message) return void run(message.job)
  pending.get(message.reply.id)?.(message.reply.answer)
  pending.delete(message.reply.id)
})

async function run(job: QueryJob): Promise<void> {
  const stop = new Int32Array(job.stop)
  const signal = {
    get aborted() {
      return Atomics.load(stop, 0) !== 0
    },
  }
  const budget = timeBudget(job.until - monotonicMs(), signal)
  source.pages = job.context.pages
  try {
    budget.check()
    const outcome = await runQuery(job, {
      source,
      identities,
      people,
      tallies,
      putPlaces,
      exported,
      budget,
      sendRequest: sendRequest,
      progress: (progress) => send({ progress }),
    })
    if (outcome.kind === 'unneeded') return send({ over: true })
    const encoded = encodeResult(outcome.result)
    port.postMessage({ result: encoded } satisfies FromThread, [encoded.buffer])
  } catch (error) {
    send(error instanceof JobCancelled ? { over: true } : { error: serializeError(error) })
  } finally {
    pending.clear()
    source.settle()
  }
}

function serializeError(error: unknown): Extract<FromThread, { error: unknown }>['error'] {
  if (error instanceof HopperError) return { code: error.code, message: error.message, details: error.details }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
