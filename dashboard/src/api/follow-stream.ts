import { ApiError, type Client } from './client.ts'
import type { StreamedEvent } from './event-lines.ts'

/** Pause before a stream that ended is opened again, and before one that was refused is. */
const RETRY_MS = 3_000
const REFUSED_RETRY_MS = 60_000

export interface StreamListener {
  /** called when the stream is open, and when it is not, with the error if it was refused */
  readonly connected: (isConnected: boolean, refusal?: ApiError) => void
  readonly received: (event: StreamedEvent) => void
}

/** Follows a stream behind the event with the id `after`, and opens it again whenever it ends, until it is aborted. */
export async function followStream(
  client: Client,
  path: string,
  after: string | undefined,
  signal: AbortSignal,
  { connected, received }: StreamListener,
): Promise<string | undefined> {
  let last = after
  while (!signal.aborted) {
    let refusal: ApiError | undefined
    try {
      const events = await client.events(path, last, signal)
      connected(true)
      for await (const event of events) {
        received(event)
        last = event.id ?? last
      }
    } catch (error) {
      if (error instanceof ApiError && !error.isOutage) refusal = error
    }
    if (signal.aborted) break
    connected(false, refusal)
    await pause(refusal ? REFUSED_RETRY_MS : RETRY_MS, signal)
  }
  return last
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
