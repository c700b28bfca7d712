import type { QueuedEvent } from './event-queue.ts'
import type { Settings } from './options.ts'
import { readRetryAfter } from './retry-delay.ts'

/** Event that Hopper rejected, with its reason. */
export interface RejectedEvent {
  readonly id: string
  readonly message: string
}

/** Outcome of one attempt. Events that were `taken` are durable, but for the rejected ones. */
export type Outcome =
  | { readonly kind: 'taken'; readonly rejected: readonly RejectedEvent[] }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | {
      readonly kind: 'failed'
      readonly status?: number
      readonly message: string
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    }

const MESSAGE_CHARS_MAX = 300

/** Posts events in one request. Never rejects: a lost connection is an outcome like another. */
export async function postBatch(
  { url, apiKey, requestTimeoutMs }: Settings,
  batch: readonly QueuedEvent[],
  signal: AbortSignal,
): Promise<Outcome> {
  // AbortSignal.any would do, but it leaks in some versions of Node 20 when one of its signals lives long.
  const ending = new AbortController()
  const abort = (): void => ending.abort(new Error(`no answer within ${requestTimeoutMs} ms`))
  const timer = setTimeout(abort, requestTimeoutMs).unref()
  signal.addEventListener('abort', abort)
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: `{"sent_at":${Date.now()},"events":[${batch.map(({ json }) => json).join()}]}`,
      // A POST that is redirected would become a GET without its body.
      redirect: 'manual',
      signal: ending.signal,
    })
    return outcomeOf(answer, await answer.text(), batch)
  } catch (cause) {
    return { kind: 'failed', message: `Hopper does not answer at ${url}: ${reasonOf(cause)}.`, cause }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

function outcomeOf(answer: Response, text: string, batch: readonly QueuedEvent[]): Outcome {
  const { status, headers } = answer
  const body = parsed(text)
  if (answer.ok) {
    // Only Hopper says how many it has accepted: anything else, such as a proxy's page, has not stored anything.
    if (typeof body['accepted'] === 'number') return { kind: 'taken', rejected: rejectedOf(body['rejected'], batch) }
    return { kind: 'failed', status, message: `Another program than Hopper answers (status ${status}).` }
  }
  const message = messageOf(body, answer)
  if (status === 408 || status === 429 || status >= 500)
    return { kind: 'failed', status, message, retryAfterMs: readRetryAfter(headers.get('retry-after'), Date.now()) }
  return { kind: 'refused', status, message }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function rejectedOf(rejected: unknown, batch: readonly QueuedEvent[]): RejectedEvent[] {
  if (!Array.isArray(rejected)) return []
  return (rejected as { index: number; reason: string; message: string }[]).flatMap(({ index, reason, message }) => {
    const event = batch[index]
    return event ? [{ id: event.id, message: `${reason}: ${message}` }] : []
  })
}

function messageOf({ error }: Readonly<Record<string, unknown>>, { status, headers }: Response): string {
  const location = headers.get('location')
  if (location !== null) return `The endpoint redirects to ${location.slice(0, MESSAGE_CHARS_MAX)}; name that one.`
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return typeof code === 'string'
    ? `Hopper answers ${status} ${code}: ${String(message).slice(0, MESSAGE_CHARS_MAX)}`
    : `Hopper answers ${status}.`
}

/** fetch has the reason, such as a refused connection, in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as { cause?: unknown }
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, MESSAGE_CHARS_MAX)
}
