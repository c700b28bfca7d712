const ATTEMPTS_MAX = 3_000
const RETRY_MS = 20

/** The events of one device in one request, with the browser that sends them. */
export interface SentRequest {
  readonly device: string
  readonly agent: { readonly userAgent: string }
  readonly events: readonly object[]
}

/**
 * Sends until the request is acknowledged; the process may be down at any moment. Returns how often it was asked to
 * retry or got no answer.
 */
export async function sendUntilAcknowledged(
  ingestUrl: string,
  key: string,
  { device, agent, events }: SentRequest,
): Promise<number> {
  const body = JSON.stringify({ device_id: device, events })
  // A browser's header. Without it, a key in a header belongs to a server, whose user agent is not checked.
  const headers = {
    'content-type': 'application/json',
    'x-api-key': key,
    'user-agent': agent.userAgent,
    'sec-fetch-site': 'cross-site',
  }
  for (let refused = 0; refused < ATTEMPTS_MAX; refused++) {
    const answer = await fetch(`${ingestUrl}/v1/events`, { method: 'POST', headers, body }).catch(() => undefined)
    if (answer?.status === 202) {
      const { accepted, rejected } = (await answer.json().catch(() => ({}))) as {
        accepted?: number
        rejected?: unknown[]
      }
      if (accepted === events.length && rejected?.length === 0) return refused
      // An answer that was cut off counts as none.
      if (accepted !== undefined)
        throw new Error(`${accepted} of ${events.length} events accepted, ${rejected?.length} rejected`)
    } else if (answer && ![429, 503].includes(answer.status)) throw new Error(`${answer.status} ${await answer.text()}`)
    await new Promise((next) => setTimeout(next, RETRY_MS))
  }
  throw new Error('never acknowledged')
}

/** Repeats while ingest answers that the key exceeds its rate, each time after the seconds of `Retry-After`. */
export async function whenAdmitted(post: () => Promise<Response>): Promise<Response> {
  let answer = await post()
  while (answer.status === 429) {
    await new Promise((next) => setTimeout(next, Number(answer.headers.get('retry-after')) * 1_000))
    answer = await post()
  }
  return answer
}
