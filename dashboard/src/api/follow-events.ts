import { ApiError, type Client } from './client.ts'
import type { StreamedEvent } from './event-lines.ts'

/** Pause before a stream that ended is opened again, and before one that was refused is. */
const RETRY_MS = 3_000
const REFUSED_RETRY_MS = 60_000

export interface StreamListener {
  /** called whenever the stream is open, before its first event */
  readonly opened: () => void
  readonly event: (event: StreamedEvent) => void
  /**
   * Called whenever the stream has ended, unless it was aborted, with the error if it was refused. It resumes behind
   * the last event with an id, if there was one.
   */
  readonly closed: (end: { readonly refusal?: ApiError; readonly resumes: boolean }) => void
}

/**
 * Follows a stream of events behind the one with the id `after`, from now if it is missing, and opens it again whenever
 * it ends, until it is aborted.
 */
export async function followEvents(
  client: Client,
  path: string,
  signal: AbortSignal,
  { opened, event, closed }: StreamListener,
  after?: string,
): Promise<void> {
  let last = after
  while (!signal.aborted) {
    let refusal: ApiError | undefined
    try {
      const events = await client.events(path, last, signal)
      opened()
      for await (const each of events) {
        last = each.id ?? last
        event(each)
      }
    } catch (error) {
      if (error instanceof ApiError && !error.isOutage) refusal = error
    }
    if (signal.aborted) return
    closed({ ...(refusal && { refusal }), resumes: last !== undefined })
    await pause(refusal ? REFUSED_RETRY_MS : RETRY_MS, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
