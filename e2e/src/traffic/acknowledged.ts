import type { RandomRequest } from './random-traffic.ts'

const ATTEMPTS_MAX = 3_000
const RETRY_MS = 20

/**
 * Sends until it is acknowledged; the process may be dead at any moment. Answers how often it was told to come again,
 * or not answered at all.
 */
export async function sendUntilAcknowledged(
  ingestUrl: string,
  key: string,
  { device, agent, events }: RandomRequest,
): Promise<number> {
  const body = JSON.stringify({ device_id: device, events })
  // A browser's header: without it a key in a header is a server's, whose user agent is not judged.
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
      // An answer that was cut in its middle is none.
      if (accepted !== undefined)
        throw new Error(`${accepted} of ${events.length} events accepted, ${rejected?.length} rejected`)
    } else if (answer && ![429, 503].includes(answer.status)) throw new Error(`${answer.status} ${await answer.text()}`)
    await new Promise((next) => setTimeout(next, RETRY_MS))
  }
  throw new Error('never acknowledged')
}

/**
 * Sends again for as long as the door says that the key has sent what it may in a moment, each time after the seconds
 * of `Retry-After`.
 */
export async function whenAdmitted(post: () => Promise<Response>): Promise<Response> {
  let answer = await post()
  while (answer.status === 429) {
    await new Promise((next) => setTimeout(next, Number(answer.headers.get('retry-after')) * 1_000))
    answer = await post()
  }
  return answer
}
